"""Exports of Signal made by hand."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
    Recognition,
)
from domain.message import Message
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.signal.reader import SignalReader
from tests.infrastructure.readers.support import MemoryFile, Read, read, zip_file

ADA, BOB, ME = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "123")
START = 1_699_000_000_000
INFO = {"version": "1", "backupTimeMs": str(START), "mediaRootBackupKey": "AA=="}


def aci(uuid: str) -> str:
    return b64encode(UUID(uuid).bytes).decode()


def contact(number: str, uuid: str, **names: Any) -> dict[str, Any]:
    return {"recipient": {"id": number, "contact": {"aci": aci(uuid), **names}}}


PEOPLE: list[dict[str, Any]] = [
    INFO,
    {"account": {"givenName": "Maria", "familyName": "Me", "profileKey": "AA=="}},
    {"recipient": {"id": "1", "self": {}}},
    contact("2", ADA, systemGivenName="Ada", systemFamilyName="Lovelace", e164="15550001111"),
    contact("3", BOB, profileGivenName="Bob"),
    {
        "recipient": {
            "id": "4",
            "group": {
                "masterKey": "c2VjcmV0",
                "snapshot": {
                    "title": {"title": "Rome"},
                    "members": [{"userId": aci(uuid)} for uuid in (ADA, BOB, ME)],
                },
            },
        }
    },
    {"recipient": {"id": "5", "releaseNotes": {}}},
    {"chat": {"id": "10", "recipientId": "2"}},
    {"chat": {"id": "11", "recipientId": "4"}},
    {"chat": {"id": "12", "recipientId": "1"}},
    {"chat": {"id": "13", "recipientId": "5"}},
]


def item(after: int = 0, author: str = "2", chat: str = "10", **content: Any) -> dict[str, Any]:
    direction = {"outgoing": {}} if author == "1" else {"incoming": {"read": True}}
    head = {"chatId": chat, "authorId": author, "dateSent": str(START + after), **direction}
    return {"chatItem": {**head, **content}}


def said(text: str, after: int = 0, author: str = "2", **more: Any) -> dict[str, Any]:
    chat = more.pop("chat", "10")
    return item(after, author, chat, standardMessage={"text": {"body": text}, **more})


def backup(*frames: Any, name: str = "main.jsonl") -> MemoryFile:
    lines = [json.dumps(frame, ensure_ascii=False) for frame in (*PEOPLE, *frames)]
    return MemoryFile("".join(f"{line}\n" for line in lines).encode(), name)


def signal(file: ExportFile | Path, options: ReadOptions | None = None) -> Read:
    return read(file, options, reader=GuardedReader(SignalReader()))


def one(*frames: Any) -> Message:
    (message,) = signal(backup(*frames)).messages
    return message


def claim(file: ExportFile) -> Recognition | None:
    with Readers().open(file) as export:
        return SignalReader().recognise(export)


def revised(*texts: str) -> dict[str, Any]:
    """The newest version last, one second apart."""
    versions = [said(text, 1000 * n)["chatItem"] for n, text in enumerate(texts)]
    return {"chatItem": {**versions[-1], "revisions": versions[:-1]}}


def row(**more: Any) -> dict[str, Any]:
    plain = {"date": "2024-01-15T10:30:00", "sender": "Ann", "body": "hi  ", "quote": ""}
    rest: dict[str, Any] = {"sticker": None, "reactions": [], "attachments": []}
    return {**plain, **rest, "deleted": False, "call": False, "missed": False, **more}


def rows(*found: dict[str, Any], folder: str = "Ann") -> MemoryFile:
    return zip_file({f"{folder}/data.json": "".join(json.dumps(r) + "\n" for r in found)})


def lines(text: str, folder: str = "Ann") -> MemoryFile:
    return zip_file({f"{folder}/chat.md": text})


MARKDOWN = """[2024-01-15 10:30:00] Ann: hi  \n
[2024-01-15 10:30:01] Me: ho  \n
[2024-01-15 10:31:00] Ann: \n\n> ho\n> there\n\nyes
really  \n(- Me: 👍, Bob, Jr.: 👍, Cem: ❤️ -)![a (1).jpg](./media/a (1).jpg)\n
[2024-01-15 10:32:00] Ann: (This message was deleted)

[2024-01-15 10:33:00] Me: look [here](https://a.b)  ![x.jpg](./media/x.jpg)  [y](./media/y)  \n
[2024-01-15 10:34:00] Ann:   \n(( 🐱 ))

[2024-01-15 10:35:00] No-Sender:   \n
"""
