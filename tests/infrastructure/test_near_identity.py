"""Which texts say the same, and which only look so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.search import near_identity
from infrastructure.search.near_identity import Text, gathered, words_of

LONG = (
    "The harbour master says that all boats have to leave the northern pier before the storm comes "
    "in on Friday night, and that nobody may sleep on board until the warning has been lifted "
    "again by the coast guard"
)
NOTICE = (
    "Your parcel has left our warehouse and will be handed over to the courier in the morning, "
    "tracking number {} at {}"
)
ANSWER = f"> {LONG}\n"


def are_one(one: str, other: str, *, by: tuple[str, str] = ("Ada", "Ada")) -> bool:
    texts = [Text(one, by[0]), Text(other, by[1])]
    assert gathered(texts) == gathered(texts[::-1])
    return gathered(texts) == [0, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("yes", "Yes!"),
        ("ok", "OK 👍"),
        ("See you  tomorrow", "see you tomorrow..."),
        ("don't go", "Don’t go"),
        ("café", "cafe\u0301"),
        ("日本語です", "日本語です。"),
        ("who has the keys?", "Fwd: who has the keys?"),
        ("who has the keys?", "> who has the keys?"),
        ("who has the keys?", ">> who has\n>> the keys?"),
        ("who has the keys?", "---------- Forwarded message ---------\nWho has the keys?"),
        ("Build 1234 failed", "Build 1235 failed"),
        ("Nightly backup 2024-03-01 done", "Nightly backup 2024-03-02 done"),
        (NOTICE.format(17, "https://p.example/a"), NOTICE.format(18, "https://p.example/b")),
        (LONG, LONG.replace("Friday", "Thursday").replace("again ", "")),
        (ANSWER + "agreed", ANSWER + "Agreed."),
    ],
)
def test_near_identical_texts_are_one(one: str, other: str) -> None:
    assert are_one(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("yes", "yes, but"),
        ("yes", "no"),
        ("yes", "yes?"),  # who asks does not agree
        ("are you coming?", "are you not coming?"),
        ("is Ada coming?", "is Bob coming?"),
        ("dinner at 7", "dinner at 8"),
        ("dinner tonight at 19:30", "dinner tonight at 20:30"),
        ("Berlin opened in 1984", "Berlin opened in 1985"),
        ("the temperature is -5", "the temperature is +5"),
        ("it costs 5 €", "it costs 5 $"),
        ("C is better", "C++ is better"),
        ("+1", "-1"),
        ("👍", "👎"),
        ("coming ✅", "coming ❌"),
        ("कि", "की"),  # the vowel is a mark
        ("see https://a.example/x", "see https://a.example/y"),
        ("see https://a.example/x", "see https://a.example/X"),
        ("return code 1", "return code 2"),
        (LONG, LONG.replace("have to", "do not have to")),
        (LONG, LONG + "?"),
        (ANSWER + "agreed", ANSWER + "I disagree"),
        (ANSWER + "agreed", LONG),
        ("agreed", "> who agrees?\nagreed"),
    ],
)
def test_what_differs_in_a_decisive_word_is_not(one: str, other: str) -> None:
    assert not are_one(one, other)


def test_notices_with_numbers_are_one_if_the_same_sender_wrote_them() -> None:
    assert are_one("Build 1234 failed", "build 1235 failed.", by=("CI", "CI"))
    assert not are_one("Build 1234 failed", "Build 1235 failed", by=("CI", "Ada"))
    assert are_one("Build 1234 failed", "build 1234 failed!", by=("CI", "Ada"))


def test_the_first_one_stands_for_the_others_and_is_stood_for_by_none() -> None:
    texts = ["no", "yes", "Yes!", "NO", "maybe", "yes 👍", LONG, LONG.replace("Friday", "Monday")]
    assert gathered([Text(text, None) for text in texts]) == [0, 1, 1, 0, 4, 1, 6, 6]


@given(st.text(st.sampled_from("ab é'?!_-. कن²x日\n"), max_size=30))
def test_words_are_the_same_whichever_way_they_are_taken(text: str) -> None:
    slowly = [token.rstrip(".,:/-'") for token in near_identity._TOKEN.findall(text.casefold())]
    assert words_of(text.casefold()) == slowly


@given(st.lists(st.text(max_size=40) | st.text(st.sampled_from("> :-_#?Re0\n👎x"), max_size=30)))
def test_any_texts_have_somebody_who_stands_for_them(texts: list[str]) -> None:
    found = gathered([Text(text, None) for text in texts])
    assert [found[place] for place in found] == found
    assert all(stands <= number for number, stands in enumerate(found))
    assert gathered([Text(text, None) for text in texts]) == found
