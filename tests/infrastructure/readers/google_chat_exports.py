"""Exports of Google Chat, made by a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
)
from infrastructure.readers.google_chat.reader import GoogleChatReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    read,
    zip_file,
)

NOON = datetime(2025, 3, 4, 12, 0, 0, tzinfo=UTC)
ANN = {"name": "Ann Other", "email": "ann@example.org", "user_type": "Human"}
BOB = {"name": "Bob", "email": "bob@example.org", "user_type": "Human"}
GONE = {"name": "Deleted User", "user_type": "Human"}
ROOT = "Takeout/Google Chat"


def in_words(moment: datetime) -> str:
    clock = f"{moment.hour % 12 or 12}:{moment:%M:%S}\u202f{'AM' if moment.hour < 12 else 'PM'}"
    return f"{moment:%A, %B} {moment.day}, {moment.year} at {clock} UTC"


def at(seconds: int) -> str:
    return in_words(NOON + timedelta(seconds=seconds))


def said(number: int, text: Any = "hi", **more: Any) -> dict[str, Any]:
    """A message of its own topic, `number` seconds after noon."""
    raw = {
        "creator": ANN,
        "created_date": at(number),
        "topic_id": f"t{number}",
        "message_id": f"AAAA/t{number}/t{number}",
        **({} if text is None else {"text": text}),
        **more,
    }
    return {key: value for key, value in raw.items() if value is not None}


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def found_in(source: Path | ExportFile, options: ReadOptions | None = None) -> Read:
    return read(source, options, reader=GuardedReader(GoogleChatReader()))


def alone(*messages: Any) -> Read:
    return found_in(json_file(chat(*messages), "messages.json"))


def one(raw: dict[str, Any]) -> Any:
    (message,) = alone(raw).messages
    return message


def takeout(files: dict[str, Any]) -> MemoryFile:
    return zip_file({f"{ROOT}/{name}": json.dumps(value) for name, value in files.items()})
