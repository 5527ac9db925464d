"""What a page of transcripts means for the messages: new, known, edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.aggregate import ERASED
from domain.transcript import IDS_PER_POSITION
from projections.contract import RecordedEvent

ERASED_KEY = "erased-"  # and the id: nobody knows any more which message of a source it was
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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
    superseded: set[str] = field(default_factory=set)  # texts that it had before

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
    text: str
    version: int
    upload_ids: list[UUID]
    has_text: bool  # is to be embedded
    is_deleted: bool
    edited_at: datetime | None
    superseded: set[str]


@dataclass(slots=True)
class Version:
    workspace_id: UUID
    message_id: int
    version: int
    text: str
    superseded_at: datetime | None
    position: int


@dataclass(slots=True)
class Outcome:
    workspace_id: UUID
    fresh: int = 0
    known: int = 0
    edited: int = 0


@dataclass(slots=True)
class Span:
    first_at: datetime
    last_at: datetime
    known: int = 0


@dataclass(slots=True)
class Total:
    messages: int = 0
    texts: int = 0


@dataclass(slots=True)
class Changes:
    fresh: dict[Key, Row] = field(default_factory=dict)
    edited: dict[Key, Row] = field(default_factory=dict)  # rows whose text changes
    seen: dict[Key, Known] = field(default_factory=dict)  # rows that keep their text
    versions: list[Version] = field(default_factory=list)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)  # by upload
    spans: dict[tuple[UUID, UUID], Span] = field(default_factory=dict)  # upload, conversation
    totals: dict[UUID, Total] = field(default_factory=dict)  # by workspace: what is added


def rows(recorded: RecordedEvent) -> Iterator[Row]:
    """The messages of one transcript, in order. Those of an erased author have lost their text."""
    event = recorded.event
    if recorded.workspace_id is None:
        raise ValueError(f"the transcript at position {recorded.position} names no workspace")
    upload_id = UUID(event.upload_id)
    conversations = [UUID(text) for text in event.conversations]
    authors = [UUID(text) for text in event.authors]
    personal: dict[int, Mapping[str, Any]] = {
        ordinal: fields for block in event.blocks.values() for ordinal, fields in block["messages"]
    }
    for ordinal, (conversation, author, microseconds, kind) in enumerate(event.slots):
        message_id = recorded.position * IDS_PER_POSITION + ordinal
        is_erased = ordinal not in personal  # its author's key was destroyed
        fields = erased(message_id) if is_erased else personal[ordinal]
        yield Row(
            workspace_id=recorded.workspace_id,
            message_id=message_id,
            conversation_id=conversations[conversation],
            author_id=None if author < 0 else authors[author],
            message_key=fields["key"],
            sent_at=EPOCH + timedelta(microseconds=microseconds),
            kind="deleted" if is_erased else kind,
            fields=fields,
            text=fields["text"],
            version=1,
            upload_ids=[upload_id],
            position=recorded.position,
        )


def erased(message_id: int) -> Mapping[str, Any]:
    return {
        "key": f"{ERASED_KEY}{message_id}",
        "text": ERASED,
        "precision": "second",
        "zone": "assumed",
    }


def fold(page: Iterable[Row], stored: Mapping[Key, Known]) -> Changes:
    """
    Decide for every message of a page; `stored` is what the table holds under the page's keys.

    The same key with the same text is known; with another text it is an edit: the new text
    becomes the message's, the old one a version. An export that was made before another may be
    uploaded after it: what it has is a version, and the message keeps its text.
    """
    changes = Changes()
    for row in page:
        key = (row.conversation_id, row.message_key)
        upload_id = row.upload_ids[0]
        outcome = changes.outcomes.setdefault(upload_id, Outcome(row.workspace_id))
        span = changes.spans.setdefault(
            (upload_id, row.conversation_id), Span(row.sent_at, row.sent_at)
        )
        span.first_at, span.last_at = (
            min(span.first_at, row.sent_at),
            max(span.last_at, row.sent_at),
        )
        current = changes.fresh.get(key) or changes.edited.get(key) or stored.get(key)
        total = changes.totals.setdefault(row.workspace_id, Total())
        if current is None:
            changes.fresh[key] = row
            outcome.fresh += 1
            total.messages += 1
            total.texts += row.has_text
            add_own_edits(row, changes)
            continue
        if upload_id in current.upload_ids and current.text == row.text:
            continue  # the export itself repeats it
        if upload_id != current.upload_ids[0]:
            span.known += 1
        is_new_place = upload_id not in current.upload_ids
        if is_new_place:
            current.upload_ids.append(upload_id)
        is_past = current.text != row.text and is_older(row, current)
        if is_past:
            add_past(row, current, changes)
        if is_past or current.text == row.text:
            outcome.known += is_new_place
            if isinstance(current, Known):
                changes.seen[key] = current
            continue
        outcome.edited += 1
        total.texts += row.has_text - current.has_text
        row.message_id, row.version = current.message_id, current.version
        row.upload_ids, row.superseded = current.upload_ids, current.superseded
        add_superseded(row, current.text, changes)
        changes.seen.pop(key, None)
        if key in changes.fresh:
            changes.fresh[key] = row
        else:
            changes.edited[key] = row
    return changes


def is_older(row: Row, current: Row | Known) -> bool:
    """
    Whether the row is what the message was before, although its export came later.

    Where nothing tells, the later upload is believed.
    """
    if row.is_deleted != current.is_deleted:
        return current.is_deleted  # nothing comes back
    at, known_at = row.edited_at, current.edited_at
    if at is not None and known_at is not None and at != known_at:
        return at < known_at
    if any(text == current.text for text, _ in own_edits(row)):
        return False
    if (at is None) != (known_at is None):
        return at is None  # it was not edited yet
    return row.text in current.superseded


def add_past(row: Row, current: Row | Known, changes: Changes) -> None:
    """What an older export has of a message, as far as it is new."""
    for text, at in [*own_edits(row), (row.text, current.edited_at)]:
        if text != current.text and text not in current.superseded:
            add_version(current, text, at, row.position, changes)


def add_own_edits(row: Row, changes: Changes) -> None:
    """Versions that the export itself carries."""
    for text, at in own_edits(row):
        add_version(row, text, at, row.position, changes)


def add_superseded(row: Row, known_text: str, changes: Changes) -> None:
    """
    The text known until now, and what the export itself carries between that and the new one.

    Where its edits do not tell of the known text, nobody knows which of them came later.
    """
    edits = own_edits(row)
    places = [place for place, (text, _) in enumerate(edits) if text == known_text]
    if not places:
        add_version(row, known_text, row.edited_at, row.position, changes)
    for text, at in edits[places[-1] :] if places else ():
        add_version(row, text, at, row.position, changes)


def add_version(
    message: Row | Known,
    text: str,
    superseded_at: datetime | None,
    position: int,
    changes: Changes,
) -> None:
    changes.versions.append(
        Version(
            message.workspace_id,
            message.message_id,
            message.version,
            text,
            superseded_at,
            position,
        )
    )
    message.superseded.add(text)
    message.version += 1


def own_edits(row: Row) -> list[tuple[str, datetime | None]]:
    return [
        (text, None if at is None else datetime.fromisoformat(at))
        for text, at in row.fields.get("edits", ())
    ]
