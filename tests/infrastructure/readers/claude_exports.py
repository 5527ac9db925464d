"""Exports of claude.ai, and what a test asks of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
)
from domain.message import Message
from infrastructure.readers.claude.reader import ClaudeReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import (
    Read,
    json_file,
    read,
)

NOON = datetime(2025, 3, 4, 12, 0, 0, tzinfo=UTC)
ROOT = "00000000-0000-4000-8000-000000000000"


def found_in(source: Path | ExportFile, options: ReadOptions | None = None) -> Read:
    return read(source, options, reader=GuardedReader(ClaudeReader()))


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def said(number: int, text: Any = "hi", **more: Any) -> dict[str, Any]:
    """A message `number` seconds after noon; odd ones are the human's."""
    at = stamp(NOON + timedelta(seconds=number))
    raw = {
        "uuid": f"m{number}",
        "text": text,
        "content": [{"type": "text", "text": text, "citations": []}],
        "sender": "human" if number % 2 else "assistant",
        "created_at": at,
        "updated_at": at,
        "attachments": [],
        "files": [],
        **more,
    }
    return {key: value for key, value in raw.items() if value != "(absent)"}


def conversation(*messages: Any, **more: Any) -> dict[str, Any]:
    return {
        "uuid": "c1",
        "name": "Rome",
        "summary": "",
        "created_at": stamp(NOON),
        "updated_at": stamp(NOON),
        "account": {"uuid": "a1"},
        "chat_messages": list(messages),
        **more,
    }


def alone(*messages: Any, **more: Any) -> Read:
    return found_in(json_file([conversation(*messages, **more)], "conversations.json"))


def one(raw: dict[str, Any]) -> Message:
    (message,) = alone(raw).messages
    return message


def blocks(*content: Any, text: str = "", **more: Any) -> dict[str, Any]:
    return said(2, text, content=list(content), **more)


def tree(parents: dict[int, int | None]) -> list[dict[str, Any]]:
    """Messages by number, each with the number of its parent."""
    return [
        said(n, str(n), parent_message_uuid=ROOT if above is None else f"m{above}")
        for n, above in parents.items()
    ]


def places(found: Read) -> list[tuple[str, str | None, str | None]]:
    """Key, message answered and branch of every message."""
    return [(m.key, m.reply_to, (m.extra or {}).get("branch")) for m in found.messages]


def claim_of(source: ExportFile) -> float | None:
    with Readers().open(source) as export:
        claim = ClaudeReader().recognise(export)
    return None if claim is None else claim.confidence
