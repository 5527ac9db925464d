"""Filters of a search: each one against what Python says of the same messages, in every mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from application.ports.search import SearchAnswer
from domain.label import LabelNameTakenError
from domain.message import Attachment, Message, Reaction
from infrastructure.search import memory_corpus, stored_corpus
from tests.support.archive import Ledger
from tests.support.chats import NOON, message, room
from tests.support.labels import Labels
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

PEOPLE = ["Ada Lovelace", "Bob", "Bobby Tables", "chat-bot", "Eve"]
ROOMS = {"r1": ("Boat trip", "group"), "r2": ("general", "channel"), "r3": ("Ada", "direct")}
WORDS = ["boat", "rain", "harbour", "sun", "lunch", "plumber", "train", "ticket"]


@dataclass(frozen=True)
class Archive:
    site: SearchSite
    messages: list[Message]
    uploads: list[UUID]


def made_up(random: Random, number: int, conversation: str) -> Message:
    text = " ".join(random.choices(WORDS, k=4)) + f" x{number}"
    if random.random() < 0.2:
        text += " see https://example.org/page"
    is_notice = random.random() < 0.1
    return message(
        number,
        text,
        key=f"{conversation}-{number}",
        conversation=conversation,
        author=None if is_notice else random.choice(PEOPLE),
        kind="system" if is_notice else random.choice(["message"] * 5 + ["action"]),
        sent_at=NOON + timedelta(hours=number * 7),
        attachments=(Attachment("a.png", "image/png", 1),) if random.random() < 0.2 else (),
        reactions=(Reaction("👍", ("Eve",), 1),) if random.random() < 0.2 else (),
        reply_to="r1-1" if random.random() < 0.2 else None,
    )


@pytest.fixture(scope="module", params=["postgresql", "memory"])
def archive(shared_ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[Archive]:
    site = SearchSite(shared_ledger, is_in_memory=request.param == "memory")
    random = Random(5)
    told: list[Message] = []
    uploads = []
    for name, (title, kind) in ROOMS.items():
        items = [made_up(random, number, name) for number in range(80)]
        conversation = room(title, name)
        uploads.append(site.tell(conversation._replace(kind=kind), *items))
        told += items
    put_labels(site, told)
    yield Archive(site, told, uploads)
    site.close()


Keep = Callable[[Message], bool]


def has_checked(m: Message) -> bool:
    return m.conversation != "r3" and int(m.key.partition("-")[2]) % 5 == 0


def has_contract(m: Message) -> bool:
    """Of some the conversation has it, one has it as well, and some have it alone."""
    return m.conversation == "r3" or m.key in {"r1-0", "r1-1", "r2-7"}


def put_labels(site: SearchSite, told: list[Message]) -> None:
    labels = Labels(site.ledger.archive, site.ledger.pool, site.ledger.context())
    for name in ("to check", "Contract", "unused"):
        with suppress(LabelNameTakenError):  # the archive before was on the same database
            labels.create(name)
    labels.add("to check", *labels.ids(*(m.text for m in told if has_checked(m))))
    kept = [m.text for m in told if m.key in {"r1-0", "r1-1", "r2-7", "r3-3"}]
    labels.add("contract", *labels.ids(*kept), rooms=[site.history.conversation("r3")])
    site.advance()


def by(*names: str) -> Keep:
    return lambda m: m.author is not None and m.author.name in names


def within(*rooms: str) -> Keep:
    return lambda m: m.conversation in rooms


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CASES: list[tuple[str, Keep]] = [
    ("from:bob", by("Bob")),  # an exact name counts alone
    ("from:bobb", by("Bobby Tables")),
    ("from:tables", by("Bobby Tables")),
    ("from:BOT", by("chat-bot")),
    ('from:"ada lovelace"', by("Ada Lovelace")),
    ("from:bob from:eve", by("Bob", "Eve")),
    ("-from:bob -from:eve", lambda m: not by("Bob", "Eve")(m)),
    ("from:nobody", lambda _m: False),
    ("-from:nobody", lambda _m: True),
    ("in:boat", within("r1")),
    ("in:general in:ada", within("r2", "r3")),
    ("-in:general", within("r1", "r3")),
    ("kind:channel", within("r2")),
    ("kind:direct kind:group", within("r1", "r3")),
    ("-kind:group", within("r2", "r3")),
    ("kind:system", lambda m: m.kind == "system"),
    ("-kind:system -kind:action", lambda m: m.kind == "message"),
    ("has:link", lambda m: "https:" in m.text),
    ("-has:link", lambda m: "https:" not in m.text),
    ("has:attachment", lambda m: bool(m.attachments)),
    ("has:reaction has:reply", lambda m: bool(m.reactions) and m.reply_to is not None),
    ("-has:attachment -has:reaction", lambda m: not m.attachments and not m.reactions),
    ("before:2024-05-10", lambda m: m.sent_at < at("2024-05-10")),
    ("after:2024-05-10", lambda m: m.sent_at >= at("2024-05-11")),
    ("on:2024-05-10", lambda m: at("2024-05-10") <= m.sent_at < at("2024-05-11")),
    ("from:eve in:general has:link", lambda m: (
        by("Eve")(m) and within("r2")(m) and "https:" in m.text
    )),
    ('label:"TO check"', has_checked),
    ("label:contract label:chec", lambda m: has_contract(m) or has_checked(m)),
    ("-label:contract", lambda m: not has_contract(m)),
    ("label:contract -label:check", lambda m: has_contract(m) and not has_checked(m)),
    ("label:contract from:eve -in:general", lambda m: (
        has_contract(m) and by("Eve")(m) and not within("r2")(m)
    )),
    ("label:unused", lambda _m: False),
    ("-label:nothing", lambda _m: True),
    ('-rain -"sun boat"', lambda m: (
        "rain" not in m.text.split() and "sun boat" not in m.text
    )),
]  # fmt: skip


def texts(archive: Archive, keep: Keep) -> set[str]:
    return {m.text for m in archive.messages if keep(m)}


@pytest.mark.parametrize(("query", "keep"), CASES, ids=[query for query, _ in CASES])
def test_filters_alone_list_what_fits_the_newest_first(
    archive: Archive, query: str, keep: Keep
) -> None:
    hits = archive.site.whole(query, limit=7, sort="newest")
    assert {hit.message.text for hit in hits} == texts(archive, keep)
    assert len(hits) == len({hit.message.id for hit in hits})
    times = [hit.message.sent_at for hit in hits]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(("query", "keep"), CASES, ids=[query for query, _ in CASES])
@pytest.mark.parametrize("few_texts", [memory_corpus.FEW_TEXTS, 0])
def test_filters_restrict_what_is_compared_by_meaning(
    archive: Archive, query: str, keep: Keep, few_texts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether few texts are compared one by one, or the nearest of all are looked through."""
    for corpora in (memory_corpus, stored_corpus):
        monkeypatch.setattr(corpora, "FEW_TEXTS", few_texts)
    hits = archive.site.whole(f"lunch plumber {query}", mode="meaning", limit=100)
    fitting = lambda m: keep(m) and m.kind != "system"  # noqa: E731 - notices are not embedded
    assert {hit.message.text for hit in hits} == texts(archive, fitting)
    cosines = [hit.meaning for hit in hits]
    assert cosines == sorted(cosines, key=lambda cosine: -(cosine or 0))


@pytest.mark.parametrize(("query", "keep"), CASES, ids=[query for query, _ in CASES])
@pytest.mark.parametrize("mode", ["words", "hybrid"])
def test_filters_restrict_what_is_found_by_words(
    archive: Archive, query: str, keep: Keep, mode: Any
) -> None:
    hits = archive.site.whole(f'"boat" {query}', mode=mode, limit=20)
    worded = lambda m: keep(m) and "boat" in m.text.split()  # noqa: E731
    assert {hit.message.text for hit in hits} == texts(archive, worded)


def test_an_upload_is_named_by_its_id_or_its_file(archive: Archive) -> None:
    first, second, _ = archive.uploads
    assert len(archive.site.whole(f"upload:{first}", limit=100)) == 80
    assert len(archive.site.whole(f"upload:Upload:{first} upload:{second}", limit=100)) == 160
    assert len(archive.site.whole(f"-upload:{first}", limit=100)) == 160
    assert len(archive.site.whole("upload:CHAT.txt", limit=100)) == 240


def test_people_and_conversations_are_named_by_their_ids_too(archive: Archive) -> None:
    history = archive.site.history
    eve, boat = history.author("Eve"), history.conversation("r1")
    hits = archive.site.whole(f"from:Author:{eve} in:{boat}", limit=100)
    keep = lambda m: by("Eve")(m) and within("r1")(m)  # noqa: E731
    assert {hit.message.text for hit in hits} == texts(archive, keep)


def test_a_name_that_nothing_has_is_said_with_similar_ones(archive: Archive) -> None:
    def notes(query: str) -> tuple[str, ...]:
        answer: SearchAnswer = archive.site.search(query)
        return answer.notes

    assert notes("boat from:Boby") == ("nobody is called 'Boby'; did you mean Bob?",)
    assert notes("boat -from:zzz") == ("nobody is called 'zzz'",)
    assert notes('in:"Boot trip"') == (
        "no conversation is called 'Boot trip'; did you mean Boat trip?",
    )
    assert notes("upload:chatt.txt") == ("no upload is called 'chatt.txt'; did you mean chat.txt?",)
    assert notes("boat from:Bob") == ()
    assert notes("label:contrat") == ("no label is called 'contrat'; did you mean Contract?",)
    assert notes("boat -label:zzz") == ("no label is called 'zzz'",)


def test_facets_count_the_whole_result_and_not_the_page(archive: Archive) -> None:
    for query, keep in [
        ('"boat"', lambda m: "boat" in m.text.split()),
        ('"boat" from:eve', lambda m: "boat" in m.text.split() and by("Eve")(m)),
        ("has:link", lambda m: "https:" in m.text),
    ]:
        for mode in ("words", "hybrid"):
            answer = archive.site.search(query, mode=mode, limit=1, with_facets=True)
            found = [m for m in archive.messages if keep(m)]
            assert answer.facets is not None
            assert answer.facets.total == len(found)
            assert {value.name: value.count for value in answer.facets.authors} == {
                name: sum(by(name)(m) for m in found)
                for name in PEOPLE
                if any(by(name)(m) for m in found)
            }
            assert {value.name: value.count for value in answer.facets.conversations} == {
                title: sum(within(name)(m) for m in found) for name, (title, _) in ROOMS.items()
            }
            assert [(value.key, value.count) for value in answer.facets.months] == [
                ("2024-05", len(found))
            ]
            assert [(v.name, v.count) for v in answer.facets.formats] == [("list", len(found))]
            assert [(v.name, v.count) for v in answer.facets.labels] == sorted(
                (
                    (name, sum(map(has, found)))
                    for name, has in (("Contract", has_contract), ("to check", has_checked))
                    if any(map(has, found))
                ),
                key=lambda pair: (-pair[1], pair[0]),
            )


def test_another_workspace_is_never_found_whatever_is_named(archive: Archive) -> None:
    eve = archive.site.history.author("Eve")
    with archive.site.ledger.pool.connection() as connection:
        labels = [row[0] for row in connection.execute("SELECT label_id FROM read.label")]
    named = [f"label:{label}" for label in labels]
    assert named
    for query in (f"from:{eve}", "boat", f"upload:{archive.uploads[0]}", *named, "label:contract"):
        answer = archive.site.search(query, workspace_id=UUID(int=7), with_facets=True)
        assert answer.hits == []
        assert answer.facets is not None
        assert answer.facets.total == 0


def test_a_label_is_found_at_once_by_who_waits_for_its_position(archive: Archive) -> None:
    site = archive.site
    labels = Labels(site.ledger.archive, site.ledger.pool, site.ledger.context())
    name = f"new {site.words is None}"
    labels.create(name)
    [chosen] = [m.text for m in archive.messages if m.key == "r2-11"]
    position = labels.add(name, *labels.ids(chosen)).position
    query = f'label:"{name}"'
    stale = site.search(query, min_position=position, timeout_seconds=0)
    assert (stale.is_stale, list(stale.hits)) == (True, [])
    site.advance("labels")
    for mode in ("words", "hybrid"):
        answer = site.search(query, mode=mode, min_position=position, timeout_seconds=0)
        assert [hit.message.text for hit in answer.hits] == [chosen]
    site.advance()
    assert not site.search(query, min_position=position, timeout_seconds=0).is_stale
    labels.delete(name)
    site.advance()
