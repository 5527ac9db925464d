"""What an export would bring is what it brings afterwards: the same numbers, found out before."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.comparison import ComparedConversation, Comparison
from domain.message import Conversation, Edit, Message
from domain.workspace import Workspace
from infrastructure.comparing.comparer import KNOWN_BY_KEY, UNKNOWN, ReadModelComparer
from infrastructure.comparing.memory import Memory, Remembered
from infrastructure.projections.runner import ProjectionRunner
from projections.messages.counts import upload_outcomes
from projections.messages.projection import MessagesReadModel
from tests.support.archive import Ledger
from tests.support.chats import NOON, History, message, room

ROOMS = {name: room(name, name) for name in ("Room", "Hall")}


class AtOnce:
    """Read models that are always where they should be, or never."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.is_there = is_there
        self.asked: list[int] = []

    def wait(self, names: Any, position: int, timeout_seconds: float) -> bool:
        self.asked.append(position)
        return self.is_there


class Archive(History):
    """A workspace of its own, whose read model follows every upload."""

    runner: ProjectionRunner

    def take_in(self, messages: Sequence[Message], parts: int = 1) -> tuple[int, ...]:
        """Fresh, edited, vanished, known: what the upload brought."""
        upload = self.upload(*ROOMS.values(), *messages, parts=parts)
        self.runner.advance("messages")
        key = (self.ledger.workspace_id, upload)
        with self.ledger.pool.connection() as connection:
            found = upload_outcomes(connection, [key])[key]
        return (found.fresh, found.edited, found.vanished, found.known)

    def compare(
        self, messages: Sequence[Message], size: int = 500, *, is_there: bool = True
    ) -> Comparison:
        comparer = ReadModelComparer(
            self.ledger.pool,
            AtOnce(is_there=is_there),
            self.ledger.pseudonyms,
        )
        with comparer.comparing(self.ledger.workspace_id, "list") as comparing:
            for start in range(0, len(messages), size):
                comparing.add(messages[start : start + size], ROOMS)
            return comparing.result()


@pytest.fixture
def archive(ledger: Ledger) -> Archive:
    found = Archive(ledger)
    found.runner = ProjectionRunner(ledger.pool, ledger.reader, [MessagesReadModel()])
    found.runner.ensure_all()
    return found


def numbers(one: ComparedConversation) -> tuple[int, ...]:
    return (one.fresh, one.edited, one.vanished, one.known)


def in_all(comparison: Comparison) -> tuple[int, ...]:
    return tuple(map(sum, zip(*map(numbers, comparison.conversations), strict=True)))


def test_a_later_export_shows_what_is_new_edited_vanished_and_known(archive: Archive) -> None:
    archive.take_in([message(n, f"text {n}") for n in range(6)])
    later = [
        message(0, "text 0"),
        message(1, "said otherwise", edited_at=NOON),
        *(message(n, f"text {n}") for n in (3, 5)),
        *(message(n, "new") for n in (7, 8, 9)),
        message(9, "in the hall", conversation="Hall"),
    ]
    comparison = archive.compare(later)
    known, new = comparison.conversations

    assert (known.title, known.rule, known.merges_into) == (
        "Room",
        KNOWN_BY_KEY,
        archive.conversation(),
    )
    assert numbers(known) == (3, 1, 2, 3)
    assert (new.title, new.rule, new.merges_into, numbers(new)) == (
        "Hall",
        UNKNOWN,
        None,
        (1, 0, 0, 0),
    )
    assert archive.take_in(later) == in_all(comparison)


def test_looking_leaves_nothing_behind(archive: Archive) -> None:
    archive.take_in([message(1)])
    head = archive.ledger.head()
    first, second = (archive.compare([message(1), message(2)]) for _ in range(2))

    assert first == second
    assert archive.ledger.head() == head


def test_other_workspaces_are_not_looked_into(archive: Archive) -> None:
    archive.take_in([message(1)])
    elsewhere = Archive(replace(archive.ledger, workspace_id=uuid4()))

    assert in_all(elsewhere.compare([message(1)])) == (1, 0, 0, 0)


def test_what_changes_no_message_of_the_workspace_is_not_waited_for(archive: Archive) -> None:
    """Such as a search: where no worker runs, no read model would ever reach it."""
    archive.take_in([message(1)])
    told = archive.ledger.head()
    archive.ledger.record(Workspace.create(str(uuid4())))
    elsewhere = Archive(replace(archive.ledger, workspace_id=uuid4()))
    elsewhere.upload(*ROOMS.values(), message(1))
    positions = AtOnce()
    comparer = ReadModelComparer(archive.ledger.pool, positions, archive.ledger.pseudonyms)
    with comparer.comparing(archive.ledger.workspace_id, "list"):
        assert positions.asked == [told]


def test_an_archive_that_lags_behind_is_told_of(archive: Archive) -> None:
    assert archive.compare([message(1)]).is_current
    assert not archive.compare([message(1)], is_there=False).is_current


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_uploaded_before_the_numbers_are_those_of_the_upload(
    archive: Archive, seed: int
) -> None:
    """Edits, deletions, repetitions, gaps, older exports after newer ones; in pages of any size."""
    chance = random.Random(seed)
    for _ in range(20):
        own = Archive(replace(archive.ledger, workspace_id=uuid4()))
        own.runner = archive.runner
        for _ in range(chance.randrange(1, 4)):
            own.take_in(list(some_messages(chance)), parts=chance.randrange(1, 4))
        last = list(some_messages(chance))
        comparison = own.compare(last, size=chance.choice([1, 2, 7, 500]))

        assert own.take_in(last, parts=chance.randrange(1, 4)) == in_all(comparison)


def some_messages(chance: random.Random) -> Iterator[Message]:
    first = chance.randrange(6)
    yield some_message(chance, first)
    for minute in range(first, first + chance.randrange(1, 10)):
        if chance.random() < 0.25:
            continue
        for _ in range(chance.choice([1, 1, 1, 2])):
            yield some_message(chance, minute)


def some_message(chance: random.Random, minute: int) -> Message:
    text = chance.choice("abc")
    changes: dict[str, Any] = {"conversation": chance.choice(["Room", "Room", "Hall"])}
    if chance.random() < 0.3:
        changes["edited_at"] = NOON + timedelta(hours=chance.randrange(3))
    if chance.random() < 0.2:
        changes["edits"] = (Edit(chance.choice("abc"), chance.choice([None, NOON])),)
    if chance.random() < 0.1:
        changes |= {"kind": "deleted", "edited_at": None}
        text = ""
    if chance.random() < 0.1:
        changes["sent_at"] = NOON + timedelta(minutes=minute + chance.randrange(-3, 4))
    if chance.random() < 0.1:
        changes["key"] = "k" * 600 + str(minute)
    return message(minute, text, **changes)


def test_what_a_pass_remembers_stays_on_disk_when_there_is_much_of_it() -> None:
    """A hundred thousand messages, asked for again a few at a time."""
    hall = uuid4()
    states = {
        (hall, f"k{n}"): Remembered(
            f"t{n}", n % 2 == 0, "message", "second", NOON, frozenset({"x"})
        )
        for n in range(100_000)
    }
    with Memory() as memory:
        keys = list(states)
        for start in range(0, len(keys), 500):
            memory.remember({key: states[key] for key in keys[start : start + 500]})
        asked = [*keys[::997], (hall, "none")]

        assert memory.recall(asked) == {key: states[key] for key in keys[::997]}


def test_conversations_are_told_by_their_own_title(archive: Archive) -> None:
    told = {"Room": Conversation("Room", "Plans ⛵", "group")}
    comparer = ReadModelComparer(
        archive.ledger.pool,
        AtOnce(),
        archive.ledger.pseudonyms,
    )
    with comparer.comparing(archive.ledger.workspace_id, "list") as comparing:
        comparing.add([message(1)], told)
        comparing.add([message(2)], {})
        [one] = comparing.result().conversations

    assert (one.id, one.title, one.fresh) == ("Room", "Plans ⛵", 2)
