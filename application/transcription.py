"""Messages as they are read become transcripts as they are stored: batched, split by person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from application.matching.book import MatchBook
from application.matching.match import Match
from application.ports.chat_reader import ReadItem
from application.ports.keys import Pseudonyms
from application.storable import clean, key, microseconds
from domain.message import Author, Conversation, Message
from domain.transcript import BATCH_SIZE, Transcript

MAX_BATCH_CHARACTERS = 1_000_000  # a few huge messages close a batch early
EMBEDDABLE = frozenset({"message", "action"})
AUTHORS_KEPT = 65_536


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

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        *,
        workspace_id: UUID,
        format: str,
        book: MatchBook | None = None,
        apart: UUID | None = None,
    ) -> None:
        """
        Args:
            book: which conversations, and people, of the archive the export's are.
            apart: an upload whose conversations are nobody else's.
        """
        self._pseudonyms = pseudonyms
        self._workspace_id = workspace_id
        self._format = format
        self._book = book
        self._apart = "" if apart is None else f"{apart}/"
        self._own: dict[str, tuple[UUID, str]] = {}  # pseudonyms of authors, as they are written

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
            match = self._book.get(message.conversation) if self._book else None
            room = self._conversation(message.conversation, match)
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
                if match is not None and match.is_foreign:
                    blocks[room]["is_alias"] = True
            subject, author_index = room, -1
            if message.author is not None:
                own = self._author(message.author.id)
                subject = self._author(message.author.id, match)
                author_index = authors.setdefault(subject, len(authors))
                block = blocks.setdefault(
                    subject, {"source": clean(message.author.id), "messages": []}
                )
                name_author(block, message.author, is_alias=own != subject)
            fields = self._fields(message, match)
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

    def _conversation(self, source_id: str, match: Match | None) -> str:
        if match is not None:
            return str(match.into)
        source_id = f"{self._apart}{source_id}"
        return str(self._pseudonyms.conversation(self._workspace_id, self._format, source_id))

    def _author(self, source_id: str, match: Match | None = None) -> str:
        found = self._own.get(source_id)
        if found is None:
            if len(self._own) >= AUTHORS_KEPT:
                self._own.clear()
            own = self._pseudonyms.author(self._workspace_id, self._format, source_id)
            found = self._own[source_id] = own, str(own)
        own, written = found
        return written if match is None else str(match.authors.get(own, own))

    def _fields(self, message: Message, match: Match | None) -> dict[str, Any]:
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
                [
                    clean(reaction.value),
                    [self._author(a, match) for a in reaction.authors],
                    reaction.total,
                ]
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


def name_author(block: dict[str, Any], author: Author, *, is_alias: bool) -> None:
    """What another phone calls somebody stands beside the name, not in its place."""
    if is_alias and "name" in block and "is_alias" not in block:
        return
    block["name"] = clean(author.name)
    if is_alias:
        block["is_alias"] = True
    elif block.pop("is_alias", False):
        block["source"] = clean(author.id)
