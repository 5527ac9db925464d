"""Messages become transcripts: batched the same way every time, split by person, storable."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.storable import MAX_KEY_CHARACTERS, clean, microseconds
from application.transcription import MAX_BATCH_CHARACTERS, Transcriber, batches
from domain.message import Attachment, Author, Conversation, Edit, Message, Reaction
from domain.transcript import BATCH_SIZE, Transcript
from infrastructure.keys.pseudonyms import HmacPseudonyms
from tests.support.archive import MASTER
from tests.support.chats import message, room

PSEUDONYMS = HmacPseudonyms(MASTER)
WORKSPACE, UPLOAD = UUID(int=7), UUID(int=8)
ROOM = str(PSEUDONYMS.conversation(WORKSPACE, "list", "Room"))
ADA = str(PSEUDONYMS.author(WORKSPACE, "list", "Ada"))
BOB = str(PSEUDONYMS.author(WORKSPACE, "list", "Bob"))


def transcribe(*messages: Message, known: dict[str, Conversation] | None = None) -> Any:
    """The fact, as it would be recorded."""
    transcriber = Transcriber(PSEUDONYMS, workspace_id=WORKSPACE, format="list")
    transcript: Transcript = transcriber.transcribe(
        UPLOAD, 0, list(messages), {"Room": room("Team room")} if known is None else known
    )
    [event] = transcript.collect_events()
    return event


def fields_of(spoken: Message) -> Any:
    [[ordinal, fields]] = transcribe(spoken).blocks[ADA]["messages"]
    assert ordinal == 0
    return fields


def sizes(messages: list[Message]) -> list[int]:
    return [len(batch) for batch, _ in batches(messages)]


def test_batches_are_full_in_file_order_and_the_last_holds_the_rest() -> None:
    messages = [message(n, str(n)) for n in range(2 * BATCH_SIZE + 3)]
    made = list(batches(messages))

    assert [len(batch) for batch, _ in made] == [BATCH_SIZE, BATCH_SIZE, 3]
    assert [m for batch, _ in made for m in batch] == messages


def test_the_same_items_make_the_same_batches() -> None:
    """Also where conversations come between and huge messages close batches early."""
    items = [room(), *(message(n, "x" * (n % 7) * 100_000) for n in range(30)), room("New", "New")]

    assert list(batches(items)) == list(batches(iter(items)))


def test_nothing_makes_no_batch() -> None:
    assert list(batches([])) == []
    assert list(batches([room()])) == []


@pytest.mark.parametrize(
    "large",
    [
        {"text": "x" * MAX_BATCH_CHARACTERS},
        {"edits": (Edit("x" * MAX_BATCH_CHARACTERS, None),)},
        {"extra": {"blob": "x" * MAX_BATCH_CHARACTERS}},
        {"reactions": (Reaction("👍", ("U123",) * 30_000, 30_000),)},
    ],
    ids=["text", "edits", "extra", "reactions"],
)
def test_a_huge_message_closes_its_batch(large: dict[str, Any]) -> None:
    """Whatever of it is huge: a fact must fit into memory."""
    messages = [message(0), message(1)._replace(**large), message(2)]

    assert sizes(messages) == [2, 1]


def test_a_batch_stays_open_below_the_cap_and_closes_on_it() -> None:
    half = "x" * (MAX_BATCH_CHARACTERS // 2)

    assert sizes([message(0, half[1:]), message(1, half), message(2)]) == [3]
    assert sizes([message(0, half), message(1, half), message(2)]) == [2, 1]


def test_what_people_say_is_in_their_own_blocks() -> None:
    fact = transcribe(message(0, "I"), message(1, "you", author="Bob"), message(2, "we"))
    said = {
        subject: [(ordinal, fields["text"]) for ordinal, fields in block["messages"]]
        for subject, block in fact.blocks.items()
    }

    assert said == {ROOM: [], ADA: [(0, "I"), (2, "we")], BOB: [(1, "you")]}
    assert [fact.blocks[subject]["name"] for subject in (ADA, BOB)] == ["Ada", "Bob"]
    assert (fact.authors, fact.conversations) == ([ADA, BOB], [ROOM])
    assert [slot[:2] for slot in fact.slots] == [[0, 0], [0, 1], [0, 0]]


def test_system_notices_are_in_the_block_of_their_conversation() -> None:
    fact = transcribe(message(0, "Ada joined", author=None, kind="system"), message(1))

    assert fact.blocks[ROOM] == {
        "source": "Room",
        "title": "Team room",
        "kind": "group",
        "messages": [
            [0, {"key": "k0", "text": "Ada joined", "precision": "minute", "zone": "assumed"}]
        ],
    }
    assert fact.slots[0][1] == -1
    assert fact.texts == 1  # a notice is not embedded


def test_a_conversation_that_was_never_announced_is_named_by_its_id() -> None:
    block = transcribe(message(0), known={}).blocks[ROOM]

    assert (block["source"], block["title"], block["kind"]) == ("Room", "Room", "unknown")


def test_outside_the_blocks_there_are_only_pseudonyms() -> None:
    """The frame stays readable after an erasure: it names nobody and quotes nothing."""
    fact = transcribe(
        message(0, "Secret plan"),
        message(1, "Ada has left", author=None, kind="system"),
        message(2, "yes", reply_to="k0", thread="k0", extra={"phone": "555-0199"}),
    )
    frame = {k: v for k, v in vars(fact).items() if k not in {"blocks", "timestamp"}}
    text = json.dumps(frame, default=str)

    for personal in ("Ada", "Secret", "left", "Room", "room", "k0", "k1", "555"):
        assert personal not in text
    assert set(fact.blocks) == {*fact.authors, *fact.conversations}


def test_reactions_name_their_people_by_pseudonym() -> None:
    fields = fields_of(message(0, reactions=(Reaction("👍", ("Bob", "Ada"), 5),)))

    assert fields["reactions"] == [["👍", [BOB, ADA], 5]]


def test_only_what_somebody_said_in_words_gets_a_text_key() -> None:
    kinds = {"message": True, "action": True, "system": False, "deleted": False}
    keyed = {kind: "text_key" in fields_of(message(0, kind=kind)) for kind in kinds}

    assert keyed == kinds
    assert "text_key" not in fields_of(message(0, " \n\t"))
    assert transcribe(message(0, "a"), message(1, ""), message(2, "b", kind="action")).texts == 2


def test_the_same_text_has_one_key_in_a_workspace_whoever_says_it() -> None:
    fact = transcribe(message(0, "ok"), message(1, "ok", author="Bob"), message(2, "no"))
    keys = [fact.blocks[s]["messages"][0][1]["text_key"] for s in (ADA, BOB)]

    assert keys == [str(PSEUDONYMS.text(WORKSPACE, "ok"))] * 2


def test_everything_an_export_carries_is_kept() -> None:
    fields = fields_of(
        message(
            0,
            reply_to="k9",
            thread="k8",
            edited_at=datetime(2024, 5, 2, tzinfo=UTC),
            edits=(Edit("first", None), Edit("second", datetime(2024, 5, 1, 13, tzinfo=UTC))),
            attachments=(Attachment("a.jpg", "image/jpeg", 10), Attachment("b", None, None)),
            extra={"pinned": True, "scores": (1, 2.5, None)},
        )
    )
    del fields["text_key"]

    assert fields == {
        "key": "k0",
        "text": "Hello",
        "precision": "minute",
        "zone": "assumed",
        "reply_to": "k9",
        "thread": "k8",
        "edited_at": "2024-05-02T00:00:00+00:00",
        "edits": [["first", None], ["second", "2024-05-01T13:00:00+00:00"]],
        "attachments": [["a.jpg", "image/jpeg", 10], ["b", None, None]],
        "extra": {"pinned": True, "scores": [1, 2.5, None]},
    }


def test_a_long_key_is_replaced_by_its_hash_wherever_it_is_named() -> None:
    """PostgreSQL cannot index it. Two of them stay two, and replies find their message."""
    long = "é" * (MAX_KEY_CHARACTERS + 1)
    spoken = fields_of(message(0, key=long))
    answer = fields_of(message(1, reply_to=long, thread=long))
    other = fields_of(message(0, key=long + "!"))

    assert len(spoken["key"]) == len("sha256:") + 64
    assert answer["reply_to"] == answer["thread"] == spoken["key"] != other["key"]
    assert fields_of(message(0, key=long[1:]))["key"] == long[1:]


def test_every_string_of_a_fact_can_be_stored() -> None:
    """NUL and half characters are in ids, names, titles and keys of unknown things, too."""
    bad = "a\x00b\ud800c"
    event = transcribe(
        message(
            0,
            bad,
            key=bad,
            author=Author(bad, bad),
            reply_to=bad,
            thread=bad,
            edits=(Edit(bad, None),),
            reactions=(Reaction(bad, (bad,), 1),),
            attachments=(Attachment(bad, bad, 1),),
            extra={bad: [bad, {bad: bad}]},
        ),
        known={"Room": Conversation(bad, bad, "group")},
    )
    stored = orjson.dumps(event.blocks).decode()  # raises on half characters

    assert "\\u0000" not in stored
    assert stored.count("ab?c") == 16


@given(st.text(st.characters()))
def test_clean_text_differs_only_where_it_could_not_be_stored(text: str) -> None:
    cleaned = clean(text)

    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned
    if "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        assert cleaned == text


def test_clean_leaves_what_is_no_text_alone() -> None:
    value = {"a": [1, 2.5, None, True, {"b": "é"}], "c": {}}

    assert clean(value) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(at: datetime) -> None:
    """A float of seconds is off by one from the year 2242 on, and in some years before."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    assert epoch + timedelta(microseconds=microseconds(at)) == at


def test_microseconds_do_not_depend_on_the_zone() -> None:
    at = datetime(2024, 5, 1, 14, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))

    assert microseconds(at) == 1_714_564_800_000_001
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
