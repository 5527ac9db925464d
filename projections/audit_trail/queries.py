"""The audit trail, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from projections.paging import Slice, Window

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
IS_INSTANCE = "workspace_id IS NULL"
PAGE = f"SELECT {COLUMNS} FROM read.audit_entry WHERE"
AMONG = f"""
{PAGE} position = ANY(%s) AND (workspace_id IS NULL OR workspace_id = ANY(%s))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Each restricts, unless it is None."""

    actor_id: UUID | None = None
    actions: tuple[str, ...] | None = None  # topics
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None  # exclusive

    def sql(self) -> tuple[str, list[Any]]:
        given = {
            "actor_id = %s": self.actor_id,
            "action = ANY(%s)": None if self.actions is None else list(self.actions),
            "subject_id = %s": self.subject_id,
            "recorded_at >= %s": self.since,
            "recorded_at < %s": self.until,
        }
        wanted = {condition: value for condition, value in given.items() if value is not None}
        return "".join(f" AND {condition}" for condition in wanted), list(wanted.values())


NO_FILTER = AuditFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    position: int
    recorded_at: datetime
    workspace_id: UUID | None  # None: a fact about the instance
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


def entries_among(
    connection: Connection[Any], workspaces: Sequence[UUID], positions: Sequence[int]
) -> dict[int, AuditRow]:
    """Of these workspaces, and of the instance, by position."""
    with connection.cursor(row_factory=class_row(AuditRow)) as cursor:
        rows = cursor.execute(AMONG, (list(positions), list(workspaces))).fetchall()
    return {row.position: row for row in rows}


def audit_page(
    connection: Connection[Any],
    workspace_id: UUID | None,
    *,
    window: Window,
    filter: AuditFilter = NO_FILTER,
) -> Slice[AuditRow]:
    """
    Latest first.

    Args:
        workspace_id: None: what concerns the instance, and no workspace.
    """
    place, values = ("workspace_id = %s", [workspace_id]) if workspace_id else (IS_INSTANCE, [])
    conditions, filtered = filter.sql()
    rest, windowed = window.sql(["position"], descending=True)
    statement = f"{PAGE} {place}{conditions}{rest}"
    with connection.cursor(row_factory=class_row(AuditRow)) as cursor:
        rows = cursor.execute(statement.encode(), [*values, *filtered, *windowed]).fetchall()
    return window.slice(rows)
