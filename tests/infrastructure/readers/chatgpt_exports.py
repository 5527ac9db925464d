"""Exports of ChatGPT, and what a test asks of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
)
from domain.message import Message
from infrastructure.readers.chatgpt.reader import ChatGptReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import (
    Read,
    json_file,
    read,
)

NOON = datetime(2025, 3, 4, 12, 0, 0, tzinfo=UTC)
ROLES = ("user", "assistant")


def found_in(source: Path | ExportFile, options: ReadOptions | None = None) -> Read:
    return read(source, options, reader=GuardedReader(ChatGptReader()))


def said(number: int, text: Any = "hi", *, role: str = "user", **more: Any) -> dict[str, Any]:
    """A message `number` seconds after noon."""
    return {
        "id": f"n{number}",
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": NOON.timestamp() + number,
        "update_time": None,
        "content": {"content_type": "text", "parts": [text]},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": None,
        **more,
    }


def node(key: str, parent: str | None, message: Any, *children: str) -> dict[str, Any]:
    return {"id": key, "message": message, "parent": parent, "children": list(children)}


def tree(edges: dict[str, str | None], **messages: Any) -> dict[str, Any]:
    """A mapping from each node's parent; n1 says "1" unless another message is given."""
    children: dict[str, list[str]] = {key: [] for key in edges}
    for key, parent in edges.items():
        if parent in children:
            children[parent].append(key)
    return {
        key: node(
            key,
            parent,
            messages.get(key, said(int(key[1:]), key[1:], role=ROLES[int(key[1:]) % 2 - 1])),
            *children[key],
        )
        for key, parent in edges.items()
    }


def conversation(mapping: Any, current: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "title": "Rome",
        "create_time": NOON.timestamp() - 60,
        "update_time": NOON.timestamp() + 60,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": current,
        "conversation_id": "c1",
        "id": "c1",
        **more,
    }


def line_of(*messages: Any, **more: Any) -> dict[str, Any]:
    """A conversation without branches."""
    keys = ["root", *(one["id"] for one in messages)]
    mapping = {"root": node("root", None, None, *keys[1:2])}
    for number, one in enumerate(messages, start=1):
        mapping[keys[number]] = node(
            keys[number], keys[number - 1], one, *keys[number + 1 : number + 2]
        )
    return conversation(mapping, keys[-1], **more)


def alone(*messages: Any, **more: Any) -> Read:
    return found_in(json_file([line_of(*messages, **more)], "conversations.json"))


def one(raw: dict[str, Any]) -> Message:
    (message,) = alone(raw).messages
    return message


def content(kind: str, role: str = "assistant", **fields: Any) -> dict[str, Any]:
    return said(1, role=role, content={"content_type": kind, **fields})


def places(found: Read) -> list[tuple[str, str | None, str | None]]:
    """Key, message answered and branch of every message."""
    return [(m.key, m.reply_to, (m.extra or {}).get("branch")) for m in found.messages]


def claim_of(source: ExportFile) -> float | None:
    with Readers().open(source) as export:
        claim = ChatGptReader().recognise(export)
    return None if claim is None else claim.confidence
