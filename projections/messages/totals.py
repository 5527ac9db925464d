"""What a page of transcripts adds to the counts, so that nobody has to count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from psycopg import Connection

Place = tuple[UUID, ...]


class Said(Protocol):
    """What a message counts by, wherever it was said."""

    @property
    def author_id(self) -> UUID | None: ...
    @property
    def sent_at(self) -> datetime: ...
    @property
    def has_text(self) -> bool: ...


class Counted(Said, Protocol):
    """A message."""

    @property
    def workspace_id(self) -> UUID: ...
    @property
    def conversation_id(self) -> UUID: ...


@dataclass(slots=True)
class Outcome:
    """What an upload brought."""

    workspace_id: UUID
    fresh: int = 0
    known: int = 0
    edited: int = 0


@dataclass(slots=True)
class Span:
    """The time that an upload covers in a conversation."""

    first_at: datetime  # from then on nothing is missing
    last_at: datetime
    known: int = 0
    has_notices: bool = False
    has_attachments: bool = False
    is_foreign: bool = False

    def stretch(self, at: datetime, leaves_open: timedelta) -> None:
        """`leaves_open`: the message can have been said so much later."""
        self.first_at = min(self.first_at, at + leaves_open)
        self.last_at = max(self.last_at, at)

    def join(self, later: Span) -> None:
        """What the same upload says further on."""
        self.first_at = min(self.first_at, later.first_at)
        self.last_at = max(self.last_at, later.last_at)
        self.known += later.known
        self.has_notices |= later.has_notices
        self.has_attachments |= later.has_attachments

    @property
    def values(self) -> tuple[datetime, datetime, int, bool, bool, bool]:
        """Of the table's columns."""
        has = (self.has_notices, self.has_attachments, self.is_foreign)
        return (self.first_at, self.last_at, self.known, *has)


@dataclass(slots=True)
class Tally:
    """Messages of one place, and when the first and the last of them were sent."""

    first_at: datetime
    last_at: datetime
    messages: int = 0


@dataclass(slots=True)
class Totals:
    texts: dict[UUID, list[int]] = field(default_factory=dict)  # workspace: [messages, texts]
    conversations: dict[Place, Tally] = field(default_factory=dict)
    authors: dict[Place, Tally] = field(default_factory=dict)
    participations: dict[Place, Tally] = field(default_factory=dict)  # author and conversation
    # What no difference tells: where somebody else said a message, or at another time.
    shifted: set[Place] = field(default_factory=set)  # workspace, author, conversation
    shifted_conversations: set[UUID] = field(default_factory=set)

    def add(self, message: Counted) -> None:
        """A message that was not there."""
        total = self.texts.setdefault(message.workspace_id, [0, 0])
        total[0] += 1
        total[1] += message.has_text
        for tallies, place in self._places(message):
            at = message.sent_at
            tally = tallies.get(place)
            if tally is None:
                tally = tallies[place] = Tally(at, at)
            tally.messages += 1
            if at < tally.first_at:
                tally.first_at = at
            elif at > tally.last_at:
                tally.last_at = at

    def replace(self, before: Said, message: Counted) -> None:
        """A message that was there and is another now."""
        total = self.texts.setdefault(message.workspace_id, [0, 0])
        total[1] += message.has_text - before.has_text
        is_same_time = before.sent_at == message.sent_at
        if is_same_time and before.author_id == message.author_id:
            return
        workspace, conversation = message.workspace_id, message.conversation_id
        for author in (before.author_id, message.author_id):
            if author is not None:
                self.shifted.add((workspace, author, conversation))
        if not is_same_time:
            self.shifted_conversations.add(conversation)

    def retime(self, message: Counted, author_id: UUID | None) -> None:
        """A message of this author's was sent at another time than was told before."""
        workspace, conversation = message.workspace_id, message.conversation_id
        if author_id is not None:
            self.shifted.add((workspace, author_id, conversation))
        self.shifted_conversations.add(conversation)

    def _places(self, message: Counted) -> Iterator[tuple[dict[Place, Tally], Place]]:
        workspace, conversation = message.workspace_id, message.conversation_id
        yield self.conversations, (workspace, conversation)
        if message.author_id is not None:
            yield self.authors, (workspace, message.author_id)
            yield self.participations, (workspace, message.author_id, conversation)


def add_totals(connection: Connection[Any], schema: str, totals: Totals) -> None:
    connection.execute(
        f"""
        INSERT INTO {schema}.message_total AS t (workspace_id, messages, texts)
        SELECT * FROM unnest(%b::uuid[], %b::int8[], %b::int8[])
        ON CONFLICT (workspace_id) DO UPDATE SET
            messages = t.messages + excluded.messages, texts = t.texts + excluded.texts
        """.encode(),
        [
            list(totals.texts),
            [messages for messages, _ in totals.texts.values()],
            [texts for _, texts in totals.texts.values()],
        ],
    )
    add_tallies(
        connection, f"{schema}.conversation_total", ("conversation_id",), totals.conversations
    )
    add_tallies(connection, f"{schema}.author_total", ("author_id",), totals.authors)
    add_tallies(
        connection,
        f"{schema}.participation",
        ("author_id", "conversation_id"),
        totals.participations,
    )


def add_tallies(
    connection: Connection[Any], table: str, ids: tuple[str, ...], tallies: dict[Place, Tally]
) -> None:
    if not tallies:
        return
    key = ", ".join(("workspace_id", *ids))
    arrays = ", ".join("%b::uuid[]" for _ in ("workspace_id", *ids))
    connection.execute(
        f"""
        INSERT INTO {table} AS t ({key}, messages, first_at, last_at)
        SELECT * FROM unnest({arrays}, %b::int8[], %b::timestamptz[], %b::timestamptz[])
        ON CONFLICT ({key}) DO UPDATE SET messages = t.messages + excluded.messages,
            first_at = least(t.first_at, excluded.first_at),
            last_at = greatest(t.last_at, excluded.last_at)
        """.encode(),
        [
            *(list(column) for column in zip(*tallies, strict=True)),
            [tally.messages for tally in tallies.values()],
            [tally.first_at for tally in tallies.values()],
            [tally.last_at for tally in tallies.values()],
        ],
    )
