"""
Compares an export with the messages that are known, by the very rules of their read model.

What `projections.messages.fold` decides about a page is counted here and thrown away; what a page
leaves behind for the next one is in `Memory` instead of the table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.comparison import ComparedConversation, Comparison
from application.matching.rule import KEPT_APART
from application.ports.comparing import Decided, DecidedBook
from application.ports.keys import Pseudonyms
from application.storable import clean, key, microseconds
from domain.clock import MINUTE, UNITS
from domain.message import Conversation, Message
from domain.text_form import comparable
from domain.transcript import ERASED_KEY
from infrastructure.comparing.memory import Matched, Memory, Remembered
from infrastructure.matching.known_messages import last_told
from projections.messages.fold import fold
from projections.messages.projection import select_known
from projections.messages.records import Changes, Key, Known, Row
from projections.messages.sightings import Origin
from projections.messages.totals import Outcome, Span
from projections.messages.vanishing import LEAVES_OPEN

CATCH_UP_SECONDS = 30.0  # for what was uploaded just before
READ = "read"  # the schema of the views
KNOWN_BY_KEY = "the same conversation by what the source calls it"
UNKNOWN = "no conversation of the archive is called so by the source"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HAS_MESSAGES = "SELECT EXISTS (SELECT FROM read.message WHERE conversation_id = %s)"
STANDING = """
SELECT message_id, attachments IS NOT NULL FROM read.message
WHERE workspace_id = %s AND message_id = ANY(%s) AND vanished_in IS NULL
"""
EXPECTED = f"""
SELECT count(*) FROM read.message AS m
WHERE m.conversation_id = %s AND m.sent_at >= %s AND m.sent_at + {LEAVES_OPEN} <= %s
AND NOT (%s AND (m.kind = 'system' AND NOT %s OR m.attachments IS NOT NULL AND NOT %s))
AND m.vanished_in IS NULL AND NOT starts_with(m.message_key, %s)
"""


class Waiting(Protocol):
    def wait(self, names: Collection[str], position: int, timeout_seconds: float) -> bool:
        """Whether these read models have reached the position in time."""
        ...


class ReadModelComparer:
    """The ArchiveComparer."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        positions: Waiting,
        pseudonyms: Pseudonyms,
        *,
        catch_up_seconds: float = CATCH_UP_SECONDS,
    ) -> None:
        self._pool = pool
        self._positions = positions
        self._pseudonyms = pseudonyms
        self._catch_up_seconds = catch_up_seconds

    @contextmanager
    def comparing(
        self,
        workspace_id: UUID,
        format: str,
        *,
        book: DecidedBook | None = None,
        is_apart: bool = False,
    ) -> Iterator[ReadModelComparing]:
        """Waits for what was uploaded before, but not for ever."""
        # Not for the log's end, which may be anybody's search: without a worker that is never read.
        position = last_told(self._pool, workspace_id)
        is_current = self._positions.wait(["messages"], position, self._catch_up_seconds)
        with Memory() as memory:
            yield ReadModelComparing(
                self._pool,
                memory,
                Naming(self._pseudonyms, workspace_id, format, book, is_apart),
                is_current=is_current,
            )


@dataclass(slots=True)
class Naming:
    """What the archive calls the conversations of a format."""

    pseudonyms: Pseudonyms
    workspace_id: UUID
    format: str
    book: DecidedBook | None = None
    is_apart: bool = False

    def match(self, source: str) -> Decided | None:
        return None if self.book is None else self.book.get(source)

    def rule(self, source: str, *, is_known: bool) -> str:
        match = self.match(source)
        if match is not None:
            return match.rule
        if self.is_apart:
            return KEPT_APART
        return KNOWN_BY_KEY if is_known else UNKNOWN

    def conversation(self, source: str) -> UUID:
        match = self.match(source)
        if match is not None:
            return match.into
        if self.is_apart:
            source = f"{uuid4()}/{source}"
        return self.pseudonyms.conversation(self.workspace_id, self.format, source)


@dataclass(slots=True)
class Compared:
    """A conversation of the export so far."""

    source: str
    title: str
    is_known: bool  # the archive has messages of it
    span: Span | None
    outcome: Outcome


@dataclass(slots=True)
class ReadModelComparing:
    """One pass. Takes a connection for a batch at a time, and none in between."""

    _pool: ConnectionPool[Any]
    _memory: Memory
    _naming: Naming
    is_current: bool
    _compared: dict[UUID, Compared] = field(default_factory=dict)
    _ids: dict[str, UUID] = field(default_factory=dict)
    _places: int = 0

    def add(self, messages: Sequence[Message], conversations: Mapping[str, Conversation]) -> None:
        page = [self._row(message) for message in messages]
        keys = {(row.conversation_id, row.message_key) for row in page}
        with self._pool.connection() as connection:
            self._look_up(connection, messages, conversations)
            again = self._memory.recall(keys)
            asked = {k for k in keys - again.keys() if self._compared[k[0]].is_known}
            stored = select_known(connection, READ, asked) if asked else {}
            self._match(connection, stored)
        known = {key: _digested(one) for key, one in stored.items()}
        known |= {key: self._recalled(key, state) for key, state in again.items()}
        changes = fold(page, known)
        self._count(changes)
        self._memory.remember({key: _state(changes, known, key) for key in keys})

    def result(self) -> Comparison:
        self._memory.matched()
        with self._pool.connection() as connection:
            return Comparison(
                conversations=tuple(
                    self._told(connection, id, one) for id, one in self._compared.items()
                ),
                is_current=self.is_current,
            )

    def _told(self, connection: Connection[Any], id: UUID, one: Compared) -> ComparedConversation:
        return ComparedConversation(
            id=one.source,
            title=one.title,
            rule=self._naming.rule(one.source, is_known=one.is_known),
            merges_into=id if one.is_known else None,
            fresh=one.outcome.fresh,
            edited=one.outcome.edited,
            vanished=self._vanished(connection, id, one.span),
            known=one.outcome.known,
        )

    def _vanished(self, connection: Connection[Any], id: UUID, span: Span | None) -> int:
        """As `projections.messages.vanishing` marks them."""
        if span is None or not span.known:
            return 0
        first, last = span.first_at, span.last_at
        kinds = (span.is_foreign, span.has_notices, span.has_attachments)
        row = connection.execute(EXPECTED, (id, first, last, *kinds, ERASED_KEY)).fetchone()
        found = self._memory.matched_between(
            id,
            microseconds(first),
            microseconds(last),
            with_notices=span.has_notices or not span.is_foreign,
            with_attachments=span.has_attachments or not span.is_foreign,
        )
        return max(0, (0 if row is None else int(row[0])) - found)

    def _id(self, source: str) -> UUID:
        id = self._ids.get(source)
        if id is None:
            id = self._ids[source] = self._naming.conversation(source)
        return id

    def _row(self, message: Message) -> Row:
        """As its transcript would give it; of its texts digests, of the rest what counts."""
        self._places += 1
        id = self._id(message.conversation)
        edited_at = message.edited_at
        fields = {
            "edits": [
                [_text(clean(edit.text)), None if edit.at is None else edit.at.isoformat()]
                for edit in message.edits
            ],
            "edited_at": None if edited_at is None else edited_at.isoformat(),
            "precision": message.precision,
            "attachments": bool(message.attachments),
        }
        match = self._naming.match(message.conversation)
        return Row(
            workspace_id=self._naming.workspace_id,
            message_id=self._places,
            conversation_id=id,
            author_id=None,
            message_key=key(message.key),
            sent_at=EPOCH + timedelta(microseconds=microseconds(message.sent_at)),
            kind=message.kind,
            fields=fields,
            text=_text(clean(message.text)),
            version=1,
            upload_ids=[_own(id)],
            position=0,
            origin=Origin(0, self._places),
            is_foreign=match is not None and match.is_foreign,
        )

    def _look_up(
        self,
        connection: Connection[Any],
        messages: Sequence[Message],
        conversations: Mapping[str, Conversation],
    ) -> None:
        for message in messages:
            source = message.conversation
            id = self._id(source)
            if id in self._compared:
                continue
            row = connection.execute(HAS_MESSAGES, (id,)).fetchone()
            named = conversations.get(source)
            self._compared[id] = Compared(
                source=source,
                title=source if named is None else named.title,
                is_known=bool(row and row[0]),
                span=None,
                outcome=Outcome(self._naming.workspace_id),
            )

    def _match(self, connection: Connection[Any], stored: Mapping[Key, Known]) -> None:
        """Those that vanished before are not expected, so they do not count as found."""
        ids = [one.message_id for one in stored.values()]
        if not ids:
            return
        rows = connection.execute(STANDING, (self._naming.workspace_id, ids)).fetchall()
        standing = dict(rows)
        self._memory.match(
            Matched(
                conversation,
                microseconds(one.sent_at),
                end_of(one),
                is_notice=one.kind == "system",
                has_attachments=standing[one.message_id],
            )
            for (conversation, _), one in stored.items()
            if one.message_id in standing
        )

    def _count(self, changes: Changes) -> None:
        for own, outcome in changes.outcomes.items():
            total = self._compared[_own(own)].outcome
            total.fresh += outcome.fresh
            total.known += outcome.known
            total.edited += outcome.edited
        for (own, _), span in changes.spans.items():
            compared = self._compared[_own(own)]
            if compared.span is None:
                compared.span = span
            else:
                compared.span.join(span)

    def _recalled(self, key: Key, state: Remembered) -> Known:
        own = _own(key[0])
        return Known(
            workspace_id=self._naming.workspace_id,
            message_id=0,
            author_id=None,
            sent_at=EPOCH,
            text=state.text,
            version=1,
            upload_ids=[own] if state.is_own else [ANOTHER, own],
            has_text=False,
            kind=state.kind,
            precision=state.precision,
            edited_at=state.edited_at,
            origin=Origin(0, 0),
            superseded=set(state.superseded),
        )


ANOTHER = UUID(int=0)  # an upload of before


def _own(conversation: UUID) -> UUID:
    """
    Stands for the upload that is looked at: another one for each conversation, so that outcomes
    are counted apart. Of such an id it makes the conversation's again.
    """
    return UUID(int=conversation.int ^ 1)


def _text(text: str) -> str:
    return blake2b(comparable(text).encode(), digest_size=16).hexdigest()


def end_of(known: Known) -> int:
    """The last moment at which it can have been said, as `LEAVES_OPEN` has it."""
    unit = UNITS[known.precision]
    return microseconds(known.sent_at) + (unit - 1 if unit >= MINUTE else 0)


def _digested(known: Known) -> Known:
    superseded = {_text(text) for text in known.superseded}
    return replace(known, text=_text(known.text), superseded=superseded)


def _state(changes: Changes, known: Mapping[Key, Known], key: Key) -> Remembered:
    """How the page leaves a message behind."""
    one = changes.fresh.get(key) or changes.edited.get(key) or known[key]
    return Remembered(
        text=one.text,
        is_own=one.upload_ids[0] == _own(key[0]),
        kind=one.kind,
        precision=one.precision,
        edited_at=one.edited_at,
        superseded=frozenset(one.superseded),
    )
