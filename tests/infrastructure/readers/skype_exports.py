"""Personal exports of Skype, made by a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.chat_reader import ExportFile, ReadOptions, Recognition
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.skype.reader import SkypeReader
from tests.infrastructure.readers.support import Read, json_file, read

NOON = datetime(2020, 7, 11, 12, 0, tzinfo=UTC)
GROUP = "19:abc@thread.skype"
ANN, BOB = "8:live:ann", "8:bob"


def said(at: int, content: Any = "hi", **more: Any) -> dict[str, Any]:
    """Seconds after noon."""
    moment = NOON + timedelta(seconds=at)
    written = {
        "id": str(int(moment.timestamp() * 1000)),
        "displayName": "Ann",
        "originalarrivaltime": moment.strftime("%Y-%m-%dT%H:%M:%S.") + "123Z",
        "messagetype": "RichText",
        "version": 1594468800000,
        "content": content,
        "conversationid": GROUP,
        "from": ANN,
        "properties": None,
        "amsreferences": None,
    }
    return written | more


def key(at: int) -> str:
    return str(said(at)["id"])


def chat(*messages: Any, **header: Any) -> dict[str, Any]:
    """Messages are given oldest first, and written newest first."""
    written = {
        "id": GROUP,
        "displayName": "Rome",
        "version": 1.0,
        "properties": {},
        "threadProperties": {"membercount": 2, "topic": "Rome"},
        "MessageList": list(messages)[::-1],
    }
    return {key: value for key, value in (written | header).items() if value != "absent"}


def account(*conversations: Any) -> dict[str, Any]:
    head = {"userId": "8:live:me", "exportDate": "2020-08-01T10:00"}
    return head | {"conversations": list(conversations)}


def found_in(source: ExportFile, options: ReadOptions | None = None) -> Read:
    return read(source, options, reader=GuardedReader(SkypeReader()))


def group(*messages: Any, **header: Any) -> Read:
    return found_in(json_file(account(chat(*messages, **header)), "messages.json"))


def one(content: Any = "hi", **more: Any) -> Any:
    (message,) = group(said(0, content, **more)).messages
    return message


def claim_of(source: ExportFile) -> Recognition | None:
    with Readers().open(source) as export:
        return SkypeReader().recognise(export)
