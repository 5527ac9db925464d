"""Chats made by hand: messages, a reader that yields them, and uploads of them in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from application.ports.blobs import BlobStore
from application.ports.chat_reader import (
    ChatReader,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    Recognition,
    UnreadableExportError,
)
from application.transcription import Transcriber
from domain.message import Author, Conversation, Message
from domain.transcript import Transcript
from domain.upload import Upload
from infrastructure.readers.containers.unpacking import Unpacked
from tests.support.archive import Ledger

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def message(minute: int, text: str = "Hello", **changes: Any) -> Message:
    """Said by Ada in the room `Room`; its key is the minute unless another is given."""
    author = changes.pop("author", "Ada")
    facts: dict[str, Any] = {
        "conversation": "Room",
        "key": f"k{minute}",
        "author": Author(author, author) if isinstance(author, str) else author,
        "sent_at": NOON + timedelta(minutes=minute),
        "precision": "minute",
        "zone": "assumed",
        "kind": "message",
        "text": text,
    }
    return Message(**(facts | changes))


def room(title: str = "Room", id: str = "Room") -> Conversation:
    return Conversation(id, title, "group")


@dataclass(slots=True)
class ListReader:
    """Yields what it was given; an exception among it is raised in its place."""

    items: Sequence[ReadItem | Exception]
    format: str = "list"
    version: int = 1
    passes: int = 0  # how often it was read
    on_item: Callable[[int], None] = lambda number: None

    def recognise(self, export: Export) -> Recognition:
        return Recognition(self.format, 1.0, "the test says so")

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        self.passes += 1
        for number, item in enumerate(self.items):
            self.on_item(number)
            if isinstance(item, Exception):
                raise item
            yield item


@dataclass(slots=True)
class OneReader:
    """A registry that knows one reader, or none that fits."""

    reader: ChatReader
    refusal: UnreadableExportError | None = None

    def open(self, file: ExportFile) -> Unpacked:
        return Unpacked(file)

    def recognise(self, export: Export) -> tuple[ChatReader, Recognition]:
        if self.refusal is not None:
            raise self.refusal
        return self.reader, Recognition(self.reader.format, 1.0, "the test says so")

    def by_format(self, format: str) -> ChatReader:
        return {self.reader.format: self.reader}[format]


def receive(
    ledger: Ledger,
    blobs: BlobStore,
    content: bytes = b"chat",
    *,
    is_confirmed: bool = True,
    **options: Any,
) -> Upload:
    """An upload whose bytes are stored, as it is before anybody reads it."""
    with blobs.writing(workspace_id=ledger.workspace_id, max_bytes=1_000_000) as writer:
        writer.write(content)
        stored = writer.commit()
    upload = Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=stored.address,
        size=stored.size,
        sha256=stored.sha256,
        filename="chat.txt",
        options=options,
        is_confirmed=is_confirmed,
    )
    ledger.record(upload)
    return upload


@dataclass(slots=True)
class History:
    """Records uploads in a ledger's workspace without files and jobs."""

    ledger: Ledger
    uploads: list[UUID] = field(default_factory=list)

    def upload(self, *items: ReadItem, parts: int = 1) -> UUID:
        """Its messages in so many transcripts, and that it was read to its end."""
        upload = Upload.receive(
            workspace_id=self.ledger.workspace_id,
            blob=uuid4().hex * 2,
            size=1,
            sha256="0" * 64,
            filename="chat.txt",
            options={},
        )
        self.ledger.record(upload)
        found = split(self.ledger, upload.id, items, parts)
        upload.record_read(batches=len(found), messages=len(items))
        self.ledger.record(*found, upload)
        self.uploads.append(upload.id)
        return upload.id

    def conversation(self, source: str = "Room") -> UUID:
        return self.ledger.pseudonyms.conversation(self.ledger.workspace_id, "list", source)

    def author(self, source: str) -> UUID:
        return self.ledger.pseudonyms.author(self.ledger.workspace_id, "list", source)


def split(
    ledger: Ledger, upload_id: UUID, items: Sequence[ReadItem], parts: int
) -> list[Transcript]:
    """As if a batch had room for one part only."""
    transcriber = Transcriber(ledger.pseudonyms, workspace_id=ledger.workspace_id, format="list")
    known = {item.id: item for item in items if isinstance(item, Conversation)}
    messages = [item for item in items if isinstance(item, Message)]
    size = max(1, -(-len(messages) // parts))
    return [
        transcriber.transcribe(upload_id, number, messages[start : start + size], known)
        for number, start in enumerate(range(0, len(messages), size))
    ]
