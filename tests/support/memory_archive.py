"""An archive in memory: exports are read into it as they are into the real one, only faster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from application.merging import Merging
from application.ports.chat_reader import ReadFacts, ReadItem, ReadOptions
from application.ports.known_messages import (
    KnownAlias,
    KnownConversation,
    KnownMessage,
    Occurrence,
    Span,
)
from application.storable import has_own_key, microseconds
from application.transcription import Transcriber, batches
from domain.upload import Upload
from infrastructure.keys.pseudonyms import HmacPseudonyms
from infrastructure.readers.registry import Readers
from projections.contract import RecordedEvent
from projections.messages.fold import fold, rows
from projections.messages.records import Key, Known, Row
from tests.infrastructure.readers.support import MemoryFile
from tests.support.archive import MASTER

WORKSPACE = UUID(int=7)
PSEUDONYMS = HmacPseudonyms(MASTER)
READERS = Readers()


def never() -> bool:
    return False


@dataclass
class Entry:
    row: Row
    versions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Read:
    """What an upload brought."""

    id: UUID
    fresh: int
    known: int
    edited: int
    rules: list[str]


class MemoryArchive:
    """Implements the port KnownMessages, too."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self._titles: dict[UUID, tuple[str, str]] = {}  # title, format
        self._aliases: dict[UUID, Mapping[str, Any]] = {}
        self._sources: dict[UUID, Callable[[], Read]] = {}  # by upload: how to read it again
        self._joins: set[UUID] = set()  # conversations that turned out to be others
        self._position = 0

    def add(self, name: str, content: bytes, **options: Any) -> Read:
        """Read an export, by whatever reader recognises it."""
        with READERS.open(MemoryFile(content, name)) as export:
            reader, _ = READERS.recognise(export)

            def read() -> Iterator[ReadItem]:
                given = {key: value for key, value in options.items() if key != "merge"}
                return reader.read(export, ReadOptions(**given), ReadFacts())

            found = self.add_items(read, format=reader.format, **options)
        self._sources[found.id] = partial(self.add, name, content, **options)
        self._join()
        return found

    def add_items(
        self, read: Callable[[], Iterable[ReadItem]], *, format: str, **options: Any
    ) -> Read:
        upload = received(options)
        merging = Merging(
            PSEUDONYMS, self, workspace_id=WORKSPACE, upload_id=upload.id, options=options
        )
        if merging.is_possible(never):
            for _ in merging.watch(read(), format):
                pass
        book = merging.book(format)
        transcriber = Transcriber(
            PSEUDONYMS,
            workspace_id=WORKSPACE,
            format=format,
            book=book,
            apart=upload.id if merging.is_apart else None,
        )
        fresh = known = edited = 0
        for number, (batch, told) in enumerate(batches(merging.place(read(), book))):
            [event] = transcriber.transcribe(upload.id, number, batch, told).collect_events()
            outcome = self._fold(event, upload.id)
            fresh, known, edited = (
                fresh + outcome.fresh,
                known + outcome.known,
                edited + outcome.edited,
            )
        for fact in merging.facts:
            if fact["own"] != fact["into"]:
                self._aliases[UUID(fact["own"])] = fact
        rules = [fact["rule"] for fact in merging.facts]
        self._joins |= {UUID(id) for fact in merging.facts for id in fact["joins"]}
        return Read(upload.id, fresh, known, edited, rules)

    def _join(self) -> None:
        """As the command JoinConversations."""
        joins, self._joins = self._joins, set()
        for id in self.uploads(WORKSPACE, joins):
            for key, entry in list(self.entries.items()):
                if entry.row.upload_ids == [id]:
                    del self.entries[key]
                elif id in entry.row.upload_ids:
                    entry.row.upload_ids.remove(id)
            self._sources.pop(id)()

    def said(self) -> list[tuple[int, str]]:
        """When, and what, of everything that people said."""
        found = [e.row for e in self.entries.values() if e.row.kind != "system"]
        return sorted((microseconds(row.sent_at), row.text) for row in found)

    @property
    def rooms(self) -> set[UUID]:
        """Its conversations."""
        return {conversation for conversation, _ in self.entries}

    def _fold(self, event: Any, upload_id: UUID) -> Any:
        self._position += 1
        recorded = RecordedEvent(
            position=self._position,
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
            topic=event.TOPIC,
            event=event,
            workspace_id=WORKSPACE,
            actor_id=UUID(int=0),
            correlation_id=UUID(int=0),
            causation_position=None,
            command_id=None,
            origin=None,
        )
        for text in event.conversations:
            block = event.blocks[text]
            if not block.get("is_alias"):
                self._titles[UUID(text)] = (block["title"], event.format)
        page = list(rows(recorded))
        keys = {(row.conversation_id, row.message_key) for row in page}
        changes = fold(page, {k: known_of(self.entries[k]) for k in keys if k in self.entries})
        for key, row in changes.fresh.items():
            self.entries[key] = Entry(row)
        for key, row in changes.edited.items():
            self.entries[key].row = row
        for key, seen in changes.seen.items():
            entry = self.entries[key]
            fields = {**entry.row.fields, "precision": seen.precision}
            entry.row = replace(
                entry.row, upload_ids=seen.upload_ids, sent_at=seen.sent_at, fields=fields
            )
        by_id = {entry.row.message_id: entry for entry in self.entries.values()}
        for version in changes.versions:
            by_id[version.message_id].versions.append(version.text)
        return changes.outcomes[upload_id]

    @contextmanager
    def alone(self, workspace_id: UUID, *, should_stop: Callable[[], bool]) -> Iterator[None]:
        yield

    def catch_up(self, workspace_id: UUID, *, should_stop: Callable[[], bool]) -> bool:
        return bool(self.entries)

    def conversations(
        self, workspace_id: UUID, ids: Collection[UUID]
    ) -> Mapping[UUID, KnownConversation]:
        found = {}
        for id in ids:
            keys = [key for conversation, key in self.entries if conversation == id]
            if keys:
                title, format = self._titles[id]
                with_ids = sum(map(has_own_key, keys))
                is_foreign = any(fact["into"] == str(id) for fact in self._aliases.values())
                found[id] = KnownConversation(
                    id=id,
                    title=title,
                    format=format,
                    has_ids=2 * with_ids > len(keys),
                    is_mixed=0 < with_ids < len(keys) or is_foreign,
                )
        return found

    def aliases(self, workspace_id: UUID, ids: Collection[UUID]) -> Mapping[UUID, KnownAlias]:
        return {
            id: KnownAlias(conversation_id=id, match=self._aliases[id])
            for id in ids
            if id in self._aliases
        }

    def occurrences(
        self, workspace_id: UUID, text_keys: Collection[UUID], *, at_most: int
    ) -> Sequence[Occurrence]:
        wanted = {str(key): 0 for key in text_keys}
        found = []
        for row in (entry.row for entry in self.entries.values()):
            text_key = row.fields.get("text_key")
            if text_key in wanted and wanted[text_key] < at_most:
                wanted[text_key] += 1
                at = microseconds(row.sent_at)
                place = (row.conversation_id, row.author_id, at, row.precision, row.message_key)
                found.append(Occurrence(UUID(text_key), *place))
        return found

    def within(
        self, workspace_id: UUID, spans: Iterable[Span], *, without: UUID
    ) -> Sequence[KnownMessage]:
        spans = list(spans)
        found = [
            known_message(entry)
            for entry in self.entries.values()
            if without not in entry.row.upload_ids and is_within(entry.row, spans)
        ]
        return sorted(found, key=lambda one: (one.conversation_id, one.sent_at))

    def uploads(self, workspace_id: UUID, conversations: Collection[UUID]) -> Sequence[UUID]:
        found = [e.row for e in self.entries.values() if e.row.conversation_id in conversations]
        brought = {id for row in found for id in row.upload_ids}
        return [id for id in self._sources if id in brought]

    def count(self, workspace_id: UUID, span: Span) -> int:
        return sum(is_within(entry.row, [span]) for entry in self.entries.values())


def received(options: dict[str, Any]) -> Upload:
    return Upload.receive(
        workspace_id=WORKSPACE,
        blob=uuid4().hex * 2,
        size=1,
        sha256="0" * 64,
        filename="chat",
        options=options,
    )


def known_of(entry: Entry) -> Known:
    row = entry.row
    return Known(
        workspace_id=row.workspace_id,
        message_id=row.message_id,
        author_id=row.author_id,
        sent_at=row.sent_at,
        text=row.text,
        version=row.version,
        upload_ids=list(row.upload_ids),
        has_text=row.has_text,
        kind=row.kind,
        precision=row.precision,
        edited_at=row.edited_at,
        origin=row.origin,
        superseded=set(entry.versions),
    )


def known_message(entry: Entry) -> KnownMessage:
    row = entry.row
    return KnownMessage(
        row.conversation_id,
        row.message_key,
        row.author_id,
        microseconds(row.sent_at),
        row.precision,
        row.kind,
        row.text,
    )


def is_within(row: Row, spans: Sequence[Span]) -> bool:
    at = microseconds(row.sent_at)
    return any(
        row.conversation_id == span.conversation_id and span.first <= at <= span.last
        for span in spans
    )
