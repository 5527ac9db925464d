"""What a page of transcripts means for the messages: new, known, edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.aggregate import ERASED
from domain.clock import UNITS
from domain.text_form import are_same_text
from domain.transcript import ERASED_KEY, IDS_PER_POSITION
from projections.contract import RecordedEvent
from projections.messages.records import Changes, Key, Known, Row, Version
from projections.messages.sightings import Mixed, Origin, Sighting, digest_of
from projections.messages.totals import Outcome, Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows(recorded: RecordedEvent) -> Iterator[Row]:
    """The messages of one transcript, in order. Those of an erased author have lost their text."""
    event = recorded.event
    if recorded.workspace_id is None:
        raise ValueError(f"the transcript at position {recorded.position} names no workspace")
    upload_id = UUID(event.upload_id)
    conversations = [UUID(text) for text in event.conversations]
    authors = [UUID(text) for text in event.authors]
    foreign = [event.blocks.get(text, {}).get("is_alias", False) for text in event.conversations]
    personal: dict[int, Mapping[str, Any]] = {
        ordinal: fields for block in event.blocks.values() for ordinal, fields in block["messages"]
    }
    for ordinal, (conversation, author, microseconds, kind) in enumerate(event.slots):
        message_id = recorded.position * IDS_PER_POSITION + ordinal
        is_erased = ordinal not in personal  # its author's key was destroyed
        fields = erased(message_id) if is_erased else personal[ordinal]
        author_id = None if author < 0 else authors[author]
        row = Row(
            workspace_id=recorded.workspace_id,
            message_id=message_id,
            conversation_id=conversations[conversation],
            author_id=author_id,
            message_key=fields["key"],
            sent_at=EPOCH + timedelta(microseconds=microseconds),
            kind="deleted" if is_erased else kind,
            fields=fields,
            text=fields["text"],
            version=1,
            upload_ids=[upload_id],
            position=recorded.position,
            origin=Origin(0, message_id),
            is_foreign=foreign[conversation],
        )
        row.origin.digest, row.origin.first = digest_of(row), row
        yield row


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
        add_to_span(row, changes)
        span = changes.spans[upload_id, row.conversation_id]
        current = changes.fresh.get(key) or changes.edited.get(key) or stored.get(key)
        if current is None:
            changes.fresh[key] = row
            outcome.fresh += 1
            changes.totals.add(row)
            add_own_edits(row, changes)
            continue
        note(row, current, changes)
        is_same = says_the_same(row, current)
        if upload_id in current.upload_ids and is_same:
            continue  # the export itself repeats it
        if upload_id != current.upload_ids[0]:
            span.known += 1
        is_new_place = upload_id not in current.upload_ids
        if is_new_place:
            current.upload_ids.append(upload_id)
        is_past = not is_same and is_older(row, current)
        if is_past:
            add_past(row, current, changes)
        if is_past or is_same:
            outcome.known += is_new_place
            if isinstance(current, Known):
                changes.seen[key] = current
            if is_more_exact(row, current):
                tell_better(key, row, current, changes)
            continue
        outcome.edited += 1
        supersede(key, row, current, changes)
    return changes


def supersede(key: Key, row: Row, current: Row | Known, changes: Changes) -> None:
    """The row's text becomes the message's."""
    if is_more_exact(current, row):
        row = with_time_of(current, row)
    changes.totals.replace(current, row)
    row.message_id, row.version = current.message_id, current.version
    row.upload_ids, row.superseded = current.upload_ids, current.superseded
    row.origin = current.origin
    add_superseded(row, current.text, changes)
    changes.seen.pop(key, None)
    if key in changes.fresh:
        changes.fresh[key] = row
    else:
        changes.edited[key] = row


def add_to_span(row: Row, changes: Changes) -> None:
    """The upload's time in the conversation: it may begin within the first message's minute."""
    key = (row.upload_ids[0], row.conversation_id)
    leaves_open = timedelta(microseconds=UNITS[row.precision] - 1)
    span = changes.spans.get(key)
    if span is None:
        first_at = row.sent_at + leaves_open
        span = changes.spans[key] = Span(first_at, row.sent_at, is_foreign=row.is_foreign)
    span.stretch(row.sent_at, leaves_open)
    span.has_notices |= row.kind == "system"
    span.has_attachments |= bool(row.fields.get("attachments"))


def says_the_same(row: Row, current: Row | Known) -> bool:
    """What is not said by people is said in the phone's language: another one is no edit."""
    if (row.is_deleted and current.is_deleted) or row.kind == "system" == current.kind:
        return True
    return row.is_deleted == current.is_deleted and are_same_text(row.text, current.text)


def is_more_exact(row: Row | Known, current: Row | Known) -> bool:
    """Whether both can mean the same moment, and the first one tells it better."""
    unit = UNITS[current.precision]
    if UNITS[row.precision] >= unit:
        return False
    return timedelta(0) <= row.sent_at - current.sent_at < timedelta(microseconds=unit)


def tell_better(key: Key, row: Row, current: Row | Known, changes: Changes) -> None:
    """The message stays what it is; only its time is told more exactly now."""
    changes.totals.retime(row, current.author_id)
    if isinstance(current, Known):
        current.sent_at, current.precision = row.sent_at, row.precision
        current.told_better_at = row.position
        return
    place = changes.fresh if key in changes.fresh else changes.edited
    place[key] = with_time_of(row, current)


def with_time_of(told: Row | Known, row: Row) -> Row:
    fields = {**row.fields, "precision": told.precision}
    return replace(row, sent_at=told.sent_at, fields=fields)


def note(row: Row, current: Row | Known, changes: Changes) -> None:
    """Keep what this upload says of a known message: the other may be withdrawn."""
    upload_id, origin = row.upload_ids[0], current.origin
    is_same = row.origin.digest == origin.digest
    if is_same and current.upload_ids == [upload_id]:
        return  # the export itself repeats it
    if not is_same and not origin.is_mixed:
        origin.is_mixed = True
        first = Mixed(current.workspace_id, current.message_id, current.upload_ids[0], origin)
        changes.mixed.append(first)
        if isinstance(current, Known):
            changes.seen[row.conversation_id, row.message_key] = current
    changes.sightings.append(
        Sighting(
            current.workspace_id,
            current.message_id,
            row.message_id,
            upload_id,
            None if is_same else row,
        )
    )


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
