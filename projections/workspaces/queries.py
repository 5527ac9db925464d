"""Which workspaces there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from domain.workspace import Workspace
from projections.paging import Slice, Window

COLUMNS = "workspace_id, name, created_at, position"
BY_ID = f"SELECT {COLUMNS} FROM read.workspace WHERE workspace_id = %s"
IDS = "SELECT workspace_id FROM read.workspace"
AMONG = f"SELECT {COLUMNS} FROM read.workspace WHERE workspace_id = ANY(%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRow:
    workspace_id: UUID
    name: str
    created_at: datetime
    position: int  # of the event that last changed the row


def workspace_by_name(connection: Connection[Any], name: str) -> WorkspaceRow | None:
    """Case and surrounding space do not matter: they do not make another workspace."""
    return workspace(connection, Workspace.create_id(name))


def workspace(connection: Connection[Any], workspace_id: UUID) -> WorkspaceRow | None:
    with connection.cursor(row_factory=class_row(WorkspaceRow)) as cursor:
        return cursor.execute(BY_ID, (workspace_id,), prepare=True).fetchone()


def ids(connection: Connection[Any]) -> list[UUID]:
    """Of every workspace of the instance."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(IDS, prepare=True).fetchall()


def workspaces(connection: Connection[Any], *, limit: int = 1_000) -> list[WorkspaceRow]:
    """Of the whole instance, oldest first."""
    return workspaces_page(connection, ids(connection), window=Window(limit=limit)).rows


def workspaces_page(
    connection: Connection[Any], workspaces: Sequence[UUID], *, window: Window
) -> Slice[WorkspaceRow]:
    """Of these, oldest first, by `created_at` and `workspace_id`."""
    placed, places = window.sql(("created_at", "workspace_id"))
    with connection.cursor(row_factory=class_row(WorkspaceRow)) as cursor:
        cursor.execute(f"{AMONG}{placed}".encode(), [list(workspaces), *places], prepare=True)
        return window.slice(cursor.fetchall())


def workspaces_by_id(connection: Connection[Any], keys: Sequence[UUID]) -> dict[UUID, WorkspaceRow]:
    with connection.cursor(row_factory=class_row(WorkspaceRow)) as cursor:
        cursor.execute(AMONG, [list(keys)], prepare=True)
        return {row.workspace_id: row for row in cursor}
