"""What claude.ai's export holds: who said what when, and what is kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    ReadOptions,
    UnreadableExportError,
)
from tests.infrastructure.readers.claude_exports import (
    NOON,
    alone,
    blocks,
    conversation,
    found_in,
    one,
    said,
    stamp,
    tree,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    zip_file,
)
from tests.support.data import data_path

# The samples


def test_the_samples_keep_an_earlier_text_beside_what_the_blocks_say() -> None:
    folder = data_path("fixtures", "claude-chat-viewer")
    stale = [m for m in found_in(folder / "history.json").messages if "text" in (m.extra or {})]
    assert [m.key for m in stale] == ["msg-4"]
    assert "thinking" not in stale[0].text[:100]
    assert "thinking" in (stale[0].extra or {})["text"][:100]


# Times


@pytest.mark.parametrize(
    ("written", "at", "precision"),
    [
        ("2025-03-04T12:00:00.123456Z", NOON.replace(microsecond=123456), "microsecond"),
        ("2025-03-04T12:00:00.123456+00:00", NOON.replace(microsecond=123456), "microsecond"),
        ("2025-03-04T13:00:00.500+01:00", NOON.replace(microsecond=500000), "millisecond"),
        ("2025-03-04T12:00:00Z", NOON, "second"),
    ],
)
def test_times_are_utc(written: str, at: datetime, precision: str) -> None:
    found = alone(said(1, created_at=written), said(2))
    message = found.messages[0]
    assert (message.sent_at, message.precision, message.zone) == (at, precision, "stated")
    assert found.facts.timezone == "UTC"


def test_a_time_without_an_offset_is_local() -> None:
    raw = [conversation(said(1, created_at="2025-03-04T12:00:00"))]
    (message,) = found_in(json_file(raw), ReadOptions(timezone="Europe/Berlin")).messages
    assert message.sent_at == NOON - timedelta(hours=1)
    (message,) = found_in(json_file(raw)).messages
    assert (message.sent_at, message.zone) == (NOON, "assumed")


def test_a_message_without_a_time_has_that_of_the_one_before_or_of_the_conversation() -> None:
    missing: dict[str, Any] = {"created_at": None, "updated_at": None}
    found = alone(said(1, **missing), said(5), said(2, created_at="(absent)", updated_at=None))
    assert [(m.sent_at - NOON, m.zone) for m in found.messages] == [
        (timedelta(0), "derived"),
        (timedelta(seconds=5), "stated"),
        (timedelta(seconds=5), "derived"),
    ]
    found = alone(said(1, **missing), said(5), created_at=None)
    assert [m.sent_at - NOON for m in found.messages] == [timedelta(seconds=5)] * 2


def test_a_later_update_is_kept_and_is_no_edit() -> None:
    later = stamp(NOON + timedelta(hours=1))
    message = one(said(1, updated_at=later))
    assert (message.extra, message.edited_at) == ({"updated_at": later}, None)


# People and titles


def test_the_human_is_known_by_the_account_and_named_by_users_json() -> None:
    raw = json.dumps([conversation(said(1), said(2)), conversation(said(3), account=None)])
    users = [
        {"uuid": "a1", "full_name": " Ann Other ", "email_address": "ann@example.org"},
        *(7, {"uuid": 7, "full_name": "x"}, {"uuid": "a9"}),
    ]
    beside = {"projects.json": "[]", "memories.json": "[{}]", "design_chats/x.json": '{"a": 1}'}
    found = found_in(
        zip_file({"conversations.json": raw, "users.json": json.dumps(users), **beside})
    )
    assert [m.author for m in found.messages] == [
        ("a1", "Ann Other"),
        ("assistant", "Claude"),
        ("human", "Human"),
    ]
    assert found.warnings == []
    assert found_in(MemoryFile(raw.encode())).messages[0].author == ("a1", "Human")


def test_a_nameless_account_is_named_by_its_address() -> None:
    users = json.dumps([{"uuid": "a1", "full_name": " ", "email_address": "ann@example.org"}])
    raw = json.dumps([conversation(said(1))])
    found = found_in(zip_file({"x/users.json": users, "x/conversations.json": raw}))
    assert [m.author for m in found.messages] == [("a1", "ann@example.org")]
    assert found.facts.owner == "ann@example.org"


def test_a_conversation_without_an_account_is_that_of_the_only_one_listed() -> None:
    def files(folder: str, *users: str) -> dict[str, str]:
        raw = conversation(said(1), uuid=folder, account=None)
        listed = [{"uuid": user, "full_name": user.title()} for user in users]
        return {
            f"{folder}/conversations.json": json.dumps([raw]),
            f"{folder}/users.json": json.dumps(listed),
        }

    found = found_in(zip_file(files("one", "ann") | files("two", "bob") | files("team", "x", "y")))
    assert found.facts.owner is None
    assert [m.author for m in found.messages] == [
        ("ann", "Ann"),
        ("bob", "Bob"),
        ("human", "Human"),
    ]
    assert found.warnings == []


def test_a_broken_list_of_users_costs_only_names() -> None:
    raw = json.dumps([conversation(said(1))])
    found = found_in(zip_file({"conversations.json": raw, "users.json": '[{"uuid": "a1'}))
    assert [m.author for m in found.messages] == [("a1", "Human")]
    assert [(w.file, w.is_fatal) for w in found.warnings] == [("users.json", False)]


def test_other_senders_are_named_by_their_role() -> None:
    found = alone(said(1, sender="system"), said(2, sender="guest"))
    assert [(m.author, m.kind) for m in found.messages] == [
        (("system", "System"), "system"),
        (("guest", "Guest"), "message"),
    ]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ({"name": ""}, ("c1", "Untitled")),
        ({"uuid": None}, ("Rome", "Rome")),
        ({"uuid": 7, "name": None}, ("Conversation 1", "Untitled")),
    ],
)
def test_a_conversation_is_named(header: dict[str, Any], known: tuple[str, str]) -> None:
    assert alone(said(1), **header).conversations == [(*known, "ai")]


def test_unknown_keys_are_kept_and_counted() -> None:
    found = alone(
        said(1, mood=4),
        said(2, mood=5, stop_reason="max_tokens", truncated=True, index=3, sync_sources=[]),
        blocks({"type": "text", "text": "a", "aura": 1}, uuid="m9"),
        shape="round",
    )
    assert found.facts.unknown_keys == {
        "conversations.shape": 1,
        "messages.mood": 2,
        "content.aura": 1,
    }
    assert [m.extra for m in found.messages] == [
        {"mood": 4},
        {"mood": 5, "stop_reason": "max_tokens", "truncated": True},
        {"content": [{"type": "text", "text": "a", "aura": 1}]},
    ]


# What is written is read back


Said = tuple[datetime, str, str]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
rows_said = st.lists(
    st.tuples(
        st.datetimes(datetime(2023, 3, 1), datetime(2029, 12, 31)),  # noqa: DTZ001
        st.sampled_from(["human", "assistant"]),
        texts,
    ),
    min_size=1,
    max_size=6,
).map(lambda rows: [(at.replace(tzinfo=UTC), sender, text) for at, sender, text in rows])


def written(rows: Sequence[Said]) -> bytes:
    """A conversation for each two messages."""
    messages = [
        said(n, text, sender=sender, created_at=stamp(moment))
        for n, (moment, sender, text) in enumerate(rows)
    ]
    pairs = [messages[n : n + 2] for n in range(0, len(messages), 2)]
    raws = [conversation(*pair, uuid=f"c{n}", account=None) for n, pair in enumerate(pairs)]
    return json.dumps(raws).encode()


def rows_of(found: Read) -> list[Said]:
    return [(m.sent_at, m.author.id if m.author else "", m.text) for m in found.messages]


@settings(max_examples=60, deadline=None)
@given(rows=rows_said)
def test_what_is_written_is_read_back(rows: list[Said]) -> None:
    found = found_in(MemoryFile(written(rows), "conversations.json"))
    assert rows_of(found) == rows
    assert found.warnings == []


@settings(max_examples=100, deadline=None)
@given(rows=rows_said, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = written(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    complete = len(re.findall(rb'"attachments": \[\], "files": \[\]\}', cut))
    try:
        found = found_in(MemoryFile(cut, "conversations.json"))
    except UnreadableExportError:
        assert complete == 0
        return
    assert rows_of(found) == rows[:complete]
    assert [warning.is_fatal for warning in found.warnings] == [True]


def test_reading_twice_gives_the_same() -> None:
    raw = said(1, uuid=None)
    file = json_file([conversation(raw, raw, *tree({2: None, 3: 2, 4: 2}))])
    assert found_in(file).messages == found_in(file).messages
