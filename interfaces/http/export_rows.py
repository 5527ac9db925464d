"""What each line of an export says, in this order, under these names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrastructure.exports.messages import MessageRow
from infrastructure.log.frames import EventFrame
from interfaces.http.export_formats import Row
from projections.audit_trail.queries import AuditRow

EVENT = (
    "position",
    "recordedAt",
    "topic",
    "workspaceId",
    "actorId",
    "subjectId",
    "subjectVersion",
    "correlationId",
    "causationPosition",
    "commandId",
    "facts",
    "sealed",
)
ENTRY = (
    "position",
    "recordedAt",
    "actorId",
    "actor",
    "action",
    "subjectId",
    "words",
    "origin",
    "correlationId",
    "causationPosition",
    "commandId",
)
MESSAGE = (
    "id",
    "key",
    "sentAt",
    "precision",
    "zone",
    "kind",
    "authorId",
    "author",
    "text",
    "replyTo",
    "thread",
    "editedAt",
    "reactions",
    "attachments",
)


def event_row(frame: EventFrame) -> Row:
    values = (
        frame.position,
        frame.recorded_at,
        frame.topic,
        frame.workspace_id,
        frame.actor_id,
        frame.stream_id,
        frame.stream_version,
        frame.correlation_id,
        frame.causation_position,
        frame.command_id,
        frame.facts,
        list(frame.sealed),
    )
    return named(EVENT, values)


def entry_row(row: AuditRow) -> Row:
    values = (
        row.position,
        row.recorded_at,
        row.actor_id,
        row.actor,
        row.action,
        row.subject_id,
        row.words,
        row.origin,
        row.correlation_id,
        row.causation_position,
        row.command_id,
    )
    return named(ENTRY, values)


def message_row(row: MessageRow) -> Row:
    values = (
        str(row.message_id),  # beyond what every reader of JSON takes for a number
        row.message_key,
        row.sent_at,
        row.precision,
        row.zone,
        row.kind,
        row.author_id,
        row.author,
        row.text,
        row.reply_to,
        row.thread,
        row.edited_at,
        row.reactions,
        row.attachments,
    )
    return named(MESSAGE, values)


def named(columns: Sequence[str], values: Sequence[Any]) -> Row:
    return dict(zip(columns, values, strict=True))
