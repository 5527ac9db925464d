"""An inspection counts what a reader yields, within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from application import inspection
from application.inspection import Inspection, Inspector
from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message, MessageKind

START = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
ROME = Conversation("C1", "Rome", "group")


def said(minute: int, kind: MessageKind = "message", author: str | None = "ann") -> Message:
    person = None if author is None else Author(author, author.title())
    at = START + timedelta(minutes=minute)
    return Message("C1", str(minute), person, at, "second", "stated", kind, "hi")


def inspect_items(
    items: Iterable[ReadItem],
    *,
    facts: ReadFacts | None = None,
    warnings_kept: int = inspection.WARNINGS_KEPT,
) -> Inspection:
    inspector = Inspector(warnings_kept=warnings_kept)
    for item in items:
        inspector.add(item)
    return inspector.result(format="slack", file="x.zip", facts=facts or ReadFacts())


def test_notices_count_apart_and_do_not_widen_the_span() -> None:
    items: list[ReadItem] = [
        ROME,
        said(0, "system"),
        said(2),
        said(1, author="bob"),
        said(3, "deleted"),
        said(4, "action", author=None),
        said(9, "system"),
    ]
    facts = ReadFacts(
        timezone="UTC",
        date_order="dmy",
        unknown_keys={"a": 1, "b": 2},
        owner="Ann",
        columns={"text": "Nachricht"},
    )
    found = inspect_items(items, facts=facts)
    assert asdict(found) == {
        "format": "slack",
        "conversations": ({"id": "C1", "title": "Rome", "kind": "group", "messages": 4},),
        "messages": 4,
        "system": 2,
        "authors": 2,
        "first": "2024-01-15T10:31:00+00:00",
        "last": "2024-01-15T10:34:00+00:00",
        "timezone": "UTC",
        "zones": {"stated": 6},
        "date_order": "dmy",
        "owner": "Ann",
        "attachments": 0,
        "columns": {"text": "Nachricht"},
        "warnings": (),
        "unknown_keys": {"b": 2, "a": 1},
    }


def test_an_export_without_messages_has_no_span() -> None:
    found = inspect_items([ROME])
    assert (found.messages, found.first, found.last) == (0, None, None)


def test_only_so_many_warnings_are_kept_and_the_rest_is_counted() -> None:
    items = [ReadWarning("x", n, "odd") for n in range(10)]
    end = ReadWarning("x", 10, "broken", is_fatal=True)
    found = inspect_items([*items, end], warnings_kept=3)
    assert [w.line for w in found.warnings] == [0, 1, 2, 10, None]
    assert found.warnings[3].reason == "broken (reading ended here)"
    assert found.warnings[4].reason == "7 more warnings are not listed"


def test_only_so_many_conversations_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "CONVERSATIONS_KEPT", 1)
    other = Conversation("C2", "Pisa", "group")
    items: list[ReadItem] = [ROME, said(1), other, said(2)._replace(conversation="C2")]
    found = inspect_items(items)
    assert [c.id for c in found.conversations] == ["C1"]
    assert found.messages == 2
    assert "1 messages are in conversations beyond" in found.warnings[0].reason
