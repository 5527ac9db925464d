"""Exports of Discord, made by a test: of DiscordChatExporter, and the beginning of a package."""

from __future__ import annotations

import json
from typing import Any

from application.ports.chat_reader import ChatReader, ExportFile, ReadOptions
from infrastructure.readers.discord.package_reader import DiscordPackageReader
from infrastructure.readers.discord.reader import DiscordReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import Read, json_file, read, text_file, zip_file

CHANNEL = {
    "id": "987654321000000000",
    "type": "GuildTextChat",
    "categoryId": "55",
    "category": "Talk",
    "name": "general",
    "topic": None,
}
ANN: dict[str, Any] = {
    "id": "111",
    "name": "ann",
    "discriminator": "0000",
    "nickname": "Ann",
    "color": None,
    "isBot": False,
    "roles": [],
    "avatarUrl": "https://cdn.example/0.png",
}
BOB = {"id": "222", "name": "bob", "nickname": None}
NOON = "2024-01-15T12:00:00+00:00"
SNOWFLAKE = 897870239797215243  # of 2021-10-13 15:35:46.790 UTC


def said(number: Any, text: Any = "hi", **more: Any) -> dict[str, Any]:
    return {
        "id": None if number is None else str(number),
        "type": "Default",
        "timestamp": NOON,
        "timestampEdited": None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": text,
        "author": ANN,
        "attachments": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
        "inlineEmojis": [],
        **more,
    }


def chat(*messages: Any, **channel: Any) -> dict[str, Any]:
    return {
        "guild": {"id": "1", "name": "Rome", "iconUrl": ""},
        "channel": {**CHANNEL, **channel},
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2024-02-01T00:00:00+00:00",
        "messages": list(messages),
        "messageCount": len(messages),
    }


def discord(source: Any, options: ReadOptions | None = None) -> Read:
    file = json_file(source, "general.json") if isinstance(source, dict) else source
    return read(file, options, reader=GuardedReader(DiscordReader()))


def archive(files: dict[str, Any]) -> ExportFile:
    texts = {n: v if isinstance(v, str) else json.dumps(v, indent=2) for n, v in files.items()}
    return zip_file(texts)


# Tables and plain texts

HEADER = "AuthorID,Author,Date,Content,Attachments,Reactions\n"
BANNER = "=" * 62
TOP = f"{BANNER}\nGuild: Rome\nChannel: Talk / general\n{BANNER}\n\n"


def row(text: str = "hi", **more: str) -> str:
    cells = {
        "AuthorID": "111",
        "Author": "ann",
        "Date": "2024-01-15T12:00:00.0000000+01:00",
        "Content": text,
        "Attachments": "",
        "Reactions": "",
        **more,
    }
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells.values()) + "\n"


def table(*rows: str) -> Any:
    return text_file(HEADER + "".join(rows), "general.csv")


def below(*messages: str, top: str = TOP, count: int | None = None) -> Any:
    end = f"{BANNER}\nExported {len(messages) if count is None else count} message(s)\n{BANNER}\n"
    return text_file(top + "".join(messages) + end, "general.txt")


def text_said(text: str = "hi", at: str = "1/15/2024 10:30 AM", name: str = "ann") -> str:
    return f"[{at}] {name}\n{text}\n\n\n"


# Both readers

READERS = (DiscordReader(), DiscordPackageReader())
PACKAGED = '[{"ID": 897870239797215243, "Timestamp": "2021-10-13 15:35:46", "Contents": "hi"}]'
ROWS = "ID,Timestamp,Contents,Attachments\n897870239797215243,2021-10-13 15:35:46,hi,\n"


def claim(file: ExportFile, reader: ChatReader = READERS[0]) -> float | None:
    with Readers().open(file) as export:
        found = reader.recognise(export)
    return None if found is None else found.confidence
