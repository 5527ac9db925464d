"""What the messages read model holds in memory of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from projections.messages.sightings import Mixed, Origin, Sighting
from projections.messages.totals import Outcome, Span, Totals

Key = tuple[UUID, str]  # conversation, message key


@dataclass(slots=True)
class Row:
    """One row of the table `message`."""

    workspace_id: UUID
    message_id: int
    conversation_id: UUID
    author_id: UUID | None
    message_key: str
    sent_at: datetime
    kind: str
    fields: Mapping[str, Any]
    text: str
    version: int
    upload_ids: list[UUID]
    position: int
    origin: Origin
    superseded: set[str] = field(default_factory=set)  # texts that it had before
    is_foreign: bool = False  # its conversation is another one's by the source's ids

    @property
    def precision(self) -> str:
        precision: str = self.fields["precision"]
        return precision

    @property
    def has_text(self) -> bool:
        """Whether it is to be embedded."""
        return "text_key" in self.fields

    @property
    def is_deleted(self) -> bool:
        return self.kind == "deleted"

    @property
    def edited_at(self) -> datetime | None:
        at = self.fields.get("edited_at")
        return None if at is None else datetime.fromisoformat(at)


@dataclass(slots=True)
class Known:
    """What the table holds of a message already."""

    workspace_id: UUID
    message_id: int
    author_id: UUID | None
    sent_at: datetime
    text: str
    version: int
    upload_ids: list[UUID]
    has_text: bool  # is to be embedded
    kind: str
    precision: str
    edited_at: datetime | None
    origin: Origin
    superseded: set[str]
    told_better_at: int | None = None  # the position of what tells its time more exactly

    @property
    def is_deleted(self) -> bool:
        return self.kind == "deleted"


@dataclass(slots=True)
class Version:
    workspace_id: UUID
    message_id: int
    version: int
    text: str
    superseded_at: datetime | None
    position: int


@dataclass(slots=True)
class Changes:
    fresh: dict[Key, Row] = field(default_factory=dict)
    edited: dict[Key, Row] = field(default_factory=dict)  # rows whose text changes
    seen: dict[Key, Known] = field(default_factory=dict)  # rows that keep their text
    versions: list[Version] = field(default_factory=list)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)  # by upload
    spans: dict[tuple[UUID, UUID], Span] = field(default_factory=dict)  # upload, conversation
    totals: Totals = field(default_factory=Totals)  # what is added to them
    sightings: list[Sighting] = field(default_factory=list)  # beside the first of each message
    mixed: list[Mixed] = field(default_factory=list)  # messages that two sightings tell otherwise
