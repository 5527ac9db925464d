"""Exports of Messenger and Instagram, made by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from application.ports.chat_reader import ExportFile
from infrastructure.readers.messenger.reader import InstagramReader, MessengerReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import (
    Read,
    json_file,
    read,
)

NOON = 1_705_320_000_000  # 2024-01-15T12:00:00Z
INBOX = "your_facebook_activity/messages/inbox"


def broken(text: str) -> str:
    """As Meta writes it: each byte of UTF-8 as a character."""
    return text.encode().decode("latin-1")


def said(at: int, text: str | None = "hi", name: str = "Ann Other", **more: Any) -> dict[str, Any]:
    content = {} if text is None else {"content": broken(text)}
    return {"sender_name": broken(name), "timestamp_ms": NOON + at, **content, **more}


def thread(*messages: Any, **header: Any) -> dict[str, Any]:
    """Messages are given oldest first, and written newest first."""
    people = header.pop("people", ["Ann Other", "Bob"])
    written: dict[str, Any] = {
        "participants": [{"name": broken(name)} for name in people],
        "messages": list(messages)[::-1],
        "title": "Ann Other",
        "is_still_participant": True,
        "thread_path": "inbox/ann_1",
        "magic_words": [],
        **header,
    }
    return {key: value for key, value in written.items() if value is not None}


def encrypted(*messages: dict[str, Any], **header: Any) -> dict[str, Any]:
    people = ["Ann Öther", "Bob"]
    return {
        "participants": people,
        "threadName": "Ann Öther_40",
        "messages": list(messages),
        **header,
    }


def whispered(at: int, text: str = "hi", name: str = "Bob", **more: Any) -> dict[str, Any]:
    rest = {"type": "text", "isUnsent": False, "media": [], "reactions": []}
    return {"senderName": name, "text": text, "timestamp": NOON + at, **rest, **more}


def found_in(source: Path | ExportFile) -> Read:
    return read(source, reader=GuardedReader(MessengerReader()))


def one(raw: dict[str, Any]) -> Any:
    (message,) = found_in(json_file(thread(raw))).messages
    return message


def claims(source: ExportFile) -> list[tuple[str, float]]:
    with Readers().open(source) as export:
        found = [reader.recognise(export) for reader in (MessengerReader(), InstagramReader())]
    return [(claim.format, claim.confidence) for claim in found if claim is not None]
