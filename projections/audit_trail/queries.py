"""The audit trail, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

COLUMNS = """
position, recorded_at, workspace_id, actor_id, actor, action, subject_id, origin, correlation_id,
causation_position, command_id, words
"""
AFTER = f"""
SELECT {COLUMNS} FROM read.audit_entry
WHERE workspace_id = %s AND position > %s ORDER BY position LIMIT %s
"""
BEFORE = f"""
SELECT {COLUMNS} FROM read.audit_entry
WHERE workspace_id = %s AND position < %s ORDER BY position DESC LIMIT %s
"""
LAST = 2**63 - 1  # no position is beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    position: int
    recorded_at: datetime
    workspace_id: UUID
    actor_id: UUID
    actor: str  # as people call it
    action: str  # the event's topic
    subject_id: UUID  # the stream: an upload, a search, a workspace
    origin: dict[str, str]  # channel, address; empty: none, or erased
    correlation_id: UUID  # the same for all that one request caused
    causation_position: int | None  # the event that this one follows from
    command_id: UUID | None  # the client's
    words: str  # a sentence of which the actor is the subject


def audit_trail(
    connection: Connection[Any],
    workspace_id: UUID,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditRow]:
    """
    With `after`: what followed that position, oldest first. Else: what came before the position
    `before`, or before now, latest first.

    Raises:
        ValueError: if both are given.
    """
    if after is not None and before is not None:
        raise ValueError("a page comes after a position or before one, not both")
    statement, place = (AFTER, after) if after is not None else (BEFORE, before)
    with connection.cursor(row_factory=class_row(AuditRow)) as cursor:
        values = (workspace_id, LAST if place is None else place, limit)
        return cursor.execute(statement, values, prepare=True).fetchall()
