"""Which workspaces there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from domain.workspace import Workspace

COLUMNS = "workspace_id, name, created_at, position"
BY_ID = f"SELECT {COLUMNS} FROM read.workspace WHERE workspace_id = %s"
ALL = f"SELECT {COLUMNS} FROM read.workspace ORDER BY created_at, workspace_id LIMIT %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRow:
    workspace_id: UUID
    name: str
    created_at: datetime
    position: int  # of the event that last changed the row


def workspace_by_name(connection: Connection[Any], name: str) -> WorkspaceRow | None:
    """Case and surrounding space do not matter: they do not make another workspace."""
    with connection.cursor(row_factory=class_row(WorkspaceRow)) as cursor:
        return cursor.execute(BY_ID, (Workspace.create_id(name),), prepare=True).fetchone()


def workspaces(connection: Connection[Any], *, limit: int = 1_000) -> list[WorkspaceRow]:
    """Of the whole instance, oldest first."""
    with connection.cursor(row_factory=class_row(WorkspaceRow)) as cursor:
        return cursor.execute(ALL, (limit,)).fetchall()
