"""Reading an export in one go, and comparing it with what is known of it."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from application.ports.chat_reader import (
    ChatReader,
    ExportFile,
    ReadFacts,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation, Message
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.promises import Promises, check_facts
from infrastructure.readers.registry import Readers


@dataclass(frozen=True)
class MemoryFile:
    """An ExportFile made by a test."""

    data: bytes
    name: str = "export.bin"

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass
class Read:
    """All that a reader yielded, by kind."""

    format: str
    conversations: list[Conversation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    warnings: list[ReadWarning] = field(default_factory=list)
    facts: ReadFacts = field(default_factory=ReadFacts)

    @property
    def spoken(self) -> list[Message]:
        """Without system notices."""
        return [message for message in self.messages if message.kind != "system"]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.spoken]

    @property
    def reasons(self) -> list[str]:
        return [warning.reason for warning in self.warnings]

    def per_title(self) -> dict[str, int]:
        titles = {conversation.id: conversation.title for conversation in self.conversations}
        counts = dict.fromkeys(titles.values(), 0)
        for message in self.spoken:
            counts[titles[message.conversation]] += 1
        return counts

    def digest(self, stamp: Callable[[Message], str]) -> str:
        return digest(self.spoken, stamp)


def read(
    source: Path | ExportFile,
    options: ReadOptions | None = None,
    *,
    reader: ChatReader | None = None,
) -> Read:
    """Whatever a test is about: each item has to be what the port promises."""
    readers = Readers()
    with readers.open(LocalFile(source) if isinstance(source, Path) else source) as export:
        if reader is None:
            reader, _ = readers.recognise(export)
        result = Read(reader.format)
        promises = Promises()
        for item in reader.read(export, options or ReadOptions(), result.facts):
            promises.check(item)
            match item:
                case Conversation():
                    result.conversations.append(item)
                case Message():
                    result.messages.append(item)
                case ReadWarning():
                    result.warnings.append(item)
        check_facts(result.facts)
    return result


def recognised(file: ExportFile) -> tuple[ChatReader, Recognition]:
    readers = Readers()
    with readers.open(file) as export:
        return readers.recognise(export)


def text_file(text: str, name: str = "chat.txt") -> MemoryFile:
    return MemoryFile(text.encode(), name)


def json_file(value: Any, name: str = "result.json") -> MemoryFile:
    return MemoryFile(json.dumps(value).encode(), name)


def zip_file(members: Mapping[str, bytes | str], name: str = "export.zip") -> MemoryFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    return MemoryFile(target.getvalue(), name)


def damaged(data: bytes, chance: random.Random, most: int = 9) -> bytes:
    """With up to so many bytes replaced by any others."""
    found = bytearray(data)
    for _ in range(chance.randint(1, most)):
        found[chance.randrange(len(found))] = chance.randrange(256)
    return bytes(found)


def utc_stamp(message: Message) -> str:
    return message.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def local_stamp(message: Message) -> str:
    return message.sent_at.strftime("%Y-%m-%dT%H:%M:%S")


def digest(messages: Iterable[Message], stamp: Callable[[Message], str]) -> str:
    """Of time, author and text, whatever the order of the messages."""
    rows = sorted((stamp(m), m.author.name if m.author else "", m.text) for m in messages)
    lines = ("\t".join(map(_escaped, row)) + "\n" for row in rows)
    return sha256("".join(lines).encode()).hexdigest()


def expectation(path: Path) -> Any:
    return json.loads(path.read_text())


def _escaped(text: str) -> str:
    for raw, shown in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(raw, shown)
    return text
