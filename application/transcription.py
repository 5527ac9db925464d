"""Messages as they are read become transcripts as they are stored: batched, split by person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from application.ports.chat_reader import ReadItem
from application.ports.keys import Pseudonyms
from domain.message import Conversation, Message
from domain.transcript import BATCH_SIZE, Transcript

MAX_BATCH_CHARACTERS = 1_000_000  # a few huge messages close a batch early
# PostgreSQL indexes keys, and refuses a row whose indexed part is longer than 2,704 bytes.
MAX_KEY_CHARACTERS = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EMBEDDABLE = frozenset({"message", "action"})


def batches(items: Iterable[ReadItem]) -> Iterator[tuple[list[Message], dict[str, Conversation]]]:
    """
    Group messages in file order, with the conversations announced so far.

    Deterministic: batch n holds the same messages every time the same file is read.
    """
    conversations: dict[str, Conversation] = {}
    batch: list[Message] = []
    characters = 0
    for item in items:
        if isinstance(item, Message):
            batch.append(item)
            characters += weight(item)
            if len(batch) == BATCH_SIZE or characters >= MAX_BATCH_CHARACTERS:
                yield batch, conversations
                batch, characters = [], 0
        elif isinstance(item, Conversation):
            conversations[item.id] = item
    if batch:
        yield batch, conversations


def weight(message: Message) -> int:
    """Characters that count towards a batch: whatever may be large in a message, about."""
    size = len(message.text) + sum(len(edit.text) for edit in message.edits)
    if message.extra:
        size += len(repr(message.extra))
    if message.reactions:
        size += sum(36 * len(reaction.authors) for reaction in message.reactions)
    return size


class Transcriber:
    """Turns a batch into the fields of Transcript.Recorded."""

    def __init__(self, pseudonyms: Pseudonyms, *, workspace_id: UUID, format: str) -> None:
        self._pseudonyms = pseudonyms
        self._workspace_id = workspace_id
        self._format = format

    def transcribe(
        self,
        upload_id: UUID,
        batch: int,
        messages: list[Message],
        known: dict[str, Conversation],
    ) -> Transcript:
        conversations: dict[str, int] = {}  # pseudonym -> index
        authors: dict[str, int] = {}
        blocks: dict[str, Any] = {}
        slots = []
        texts = 0
        for ordinal, message in enumerate(messages):
            room = self._conversation(message.conversation)
            if room not in conversations:
                conversations[room] = len(conversations)
                source = known.get(message.conversation) or Conversation(
                    message.conversation, message.conversation, "unknown"
                )
                blocks[room] = {
                    "source": clean(source.id),
                    "title": clean(source.title),
                    "kind": source.kind,
                    "messages": [],
                }
            subject, author_index = room, -1
            if message.author is not None:
                subject = self._author(message.author.id)
                author_index = authors.setdefault(subject, len(authors))
                block = blocks.setdefault(
                    subject, {"source": clean(message.author.id), "messages": []}
                )
                block["name"] = clean(message.author.name)
            fields = self._fields(message)
            texts += "text_key" in fields
            blocks[subject]["messages"].append([ordinal, fields])
            slots.append(
                [conversations[room], author_index, microseconds(message.sent_at), message.kind]
            )
        return Transcript.record(
            upload_id=upload_id,
            batch=batch,
            format=self._format,
            texts=texts,
            conversations=list(conversations),
            authors=list(authors),
            slots=slots,
            blocks=blocks,
        )

    def _conversation(self, source_id: str) -> str:
        return str(self._pseudonyms.conversation(self._workspace_id, self._format, source_id))

    def _author(self, source_id: str) -> str:
        return str(self._pseudonyms.author(self._workspace_id, self._format, source_id))

    def _fields(self, message: Message) -> dict[str, Any]:
        """What is personal about a message. Absent means: none."""
        text = clean(message.text)
        fields: dict[str, Any] = {
            "key": key(message.key),
            "text": text,
            "precision": message.precision,
            "zone": message.zone,
        }
        if message.kind in EMBEDDABLE and text.strip():
            fields["text_key"] = str(self._pseudonyms.text(self._workspace_id, text))
        if message.reply_to is not None:
            fields["reply_to"] = key(message.reply_to)
        if message.thread is not None:
            fields["thread"] = key(message.thread)
        if message.edited_at is not None:
            fields["edited_at"] = message.edited_at.isoformat()
        if message.edits:
            fields["edits"] = [
                [clean(edit.text), None if edit.at is None else edit.at.isoformat()]
                for edit in message.edits
            ]
        if message.reactions:
            fields["reactions"] = [
                [clean(reaction.value), [self._author(a) for a in reaction.authors], reaction.total]
                for reaction in message.reactions
            ]
        if message.attachments:
            fields["attachments"] = [
                [clean(a.name), a.media_type and clean(a.media_type), a.size]
                for a in message.attachments
            ]
        if message.extra:
            fields["extra"] = clean(message.extra)
        return fields


def microseconds(at: datetime) -> int:
    """Since 1970, exact: a float of seconds would not be."""
    return (at - EPOCH) // MICROSECOND


def key(source_key: str) -> str:
    """A message's key as it is stored: the source's own, unless that is too long to be indexed."""
    cleaned: str = clean(source_key)
    if len(cleaned) <= MAX_KEY_CHARACTERS:
        return cleaned
    return f"sha256:{sha256(cleaned.encode()).hexdigest()}"


def clean(value: Any) -> Any:
    """
    Make a value storable as PostgreSQL text and as JSON, whatever a reader let through.

    U+0000 cannot be in text there, and a lone surrogate cannot be in UTF-8.
    """
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict) or hasattr(value, "items"):
        return {clean(str(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    return value
