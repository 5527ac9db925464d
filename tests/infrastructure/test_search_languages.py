"""Words in many languages: found in any inflection, without accents, and without spaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.archive import Ledger
from tests.support.chats import message
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

TEXTS = [
    "Who brings the life jackets on Saturday?",
    "To be, or not to be, that is the question",
    "Wer bringt die Schwimmwesten mit nach Köln?",
    "Die Häuser am Hafen sind wirklich sehr schön geworden",
    "Le café des amis était fermé hier soir, quel dommage",
    "¿Quién trae los chalecos salvavidas mañana?",
    "кто принесёт спасательные жилеты в субботу?",
    "من يحضر سترات النجاة يوم السبت؟",
    "谁带救生衣？我的打印机坏了",
    "誰が救命胴衣を持ってくる？プリンターが動かない",
    "누가 구명조끼를 가져오나요?",
    "나는 학교에서 친구를 만났다",
    "我的iPhone坏了，猫",
    "ok danke",
    "Łódź is a city, and Straße a street",
]


@pytest.fixture(scope="module", params=["postgresql", "memory"])
def site(shared_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[SearchSite]:
    site = SearchSite(shared_ledger, is_in_memory=request.param == "memory")
    site.tell(*(message(number, text) for number, text in enumerate(TEXTS)))
    yield site
    site.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("jacket", "life jackets"),
        ('"to be or not to be"', "To be"),
        ("schwimmweste", "Schwimmwesten"),
        ("HAUS schon", "Häuser"),
        ("haeuser", None),
        ("koln", "Köln"),
        ("KÖLN", "Köln"),
        ("cafe ferme", "café"),
        ("manana quien", "mañana"),
        ("жилет", "жилеты"),
        ("принесет", "принесёт"),
        ("سترة النجاة", None),
        ("النجاة", "سترات النجاة"),
        ("救生", "救生衣"),
        ("打印机", "打印机"),
        ("打印 救生衣", "打印机"),
        ("机印", None),
        ("プリンター", "プリンター"),
        ("動か", "動かない"),
        ("구명조끼", "구명조끼"),
        ("학교", "학교에서"),
        ("iphone", "iPhone"),
        ("坏了iphone", "iPhone"),
        ("猫", "猫"),
        ("danke", "ok danke"),
        ("lodz strasse", "Łódź"),
        ("Łod*", "Łódź"),
    ],
)
def test_a_message_is_found_by_its_words(
    site: SearchSite, query: str, expected: str | None
) -> None:
    hits = site.search(query, mode="words").hits
    # Those with all of the words: some of them alone may follow.
    best = hits[0].message.text if hits else ""
    if expected is None:
        assert not any(query in hit.message.text for hit in hits)
    else:
        assert expected in best


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("cafe", ["café"]),
        ("haus", ["Häuser"]),
        ("打印机", ["打印机"]),
        ("救生衣", ["救生衣"]),
        ("プリンター", ["プリンター"]),
        ("iphone 坏了", ["iPhone坏了"]),
        ("strasse", ["Straße"]),
        ("жилет", ["жилеты"]),
        ("النجاة", ["النجاة"]),
    ],
)
def test_highlights_are_where_the_words_are_written(
    site: SearchSite, query: str, marked: list[str]
) -> None:
    hit = site.search(query, mode="words").hits[0]
    assert [hit.message.text[start:end] for start, end in hit.highlights] == marked


def test_a_language_can_be_asked_for_and_excluded(site: SearchSite) -> None:
    german = {hit.message.text for hit in site.whole("lang:de")}
    assert german == {TEXTS[2], TEXTS[3]}
    assert {hit.message.language for hit in site.whole("lang:DE lang:ja")} == {"de", "ja"}
    rest = {hit.message.text for hit in site.whole("-lang:de", limit=100)}
    assert rest == set(TEXTS) - german
    assert next(h for h in site.whole("danke", mode="words")).message.language is None
