"""What people ask about the uploads of their workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from projections.paging import Listing, Slice, Window

COLUMNS = """
workspace_id, upload_id, filename, format, stage, size, sha256, conversations, messages, system,
authors, first_at, last_at, is_complete, warnings, questions, batches, batches_recorded,
messages_recorded, texts, texts_embedded, error, attempts, received_at, updated_at, position
"""
WITHDRAWN = "SELECT upload_id FROM read.upload WHERE stage = 'withdrawn'"
UPLOAD = f"SELECT {COLUMNS} FROM read.upload WHERE workspace_id = %s AND upload_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    workspace_id: UUID
    upload_id: UUID
    filename: str
    format: str | None
    # received, inspected, reading, read, searchable, rejected, failed, withdrawn, refused
    stage: str
    size: int  # bytes; of a refused one those that had arrived
    sha256: str | None  # 64 hex digits; None: refused
    conversations: int | None  # None, as the next ones: not inspected yet
    messages: int | None  # system notices excluded
    system: int | None
    authors: int | None
    first_at: datetime | None
    last_at: datetime | None
    is_complete: bool | None  # False: a broken tail was left out, see warnings
    warnings: list[dict[str, Any]]  # file, line, reason
    questions: list[str]  # confirmation, date_order, format: held back until they are answered
    batches: int | None  # None: not read to its end yet
    batches_recorded: int
    messages_recorded: int  # system notices included
    texts: int  # of the recorded messages, to be embedded
    texts_embedded: int  # those that have a vector, new or reused
    error: str | None  # what went wrong last and was not overcome since
    attempts: int  # of the step that failed last
    received_at: datetime
    updated_at: datetime
    position: int  # of the event that last changed the row


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLineRow:
    position: int
    at: datetime
    level: str  # info, warning, error
    text: str


IN_WORKSPACE = Listing(
    row=UploadRow,
    source="read.upload AS r",
    parent=("r.workspace_id",),
    types=("uuid",),
    order=("r.received_at", "r.upload_id"),
    is_descending=True,
)
BY_ID = Listing(
    row=UploadRow,
    source="read.upload AS r",
    parent=("r.workspace_id", "r.upload_id"),
    types=("uuid", "uuid"),
    order=("r.upload_id",),
)
LINES = Listing(
    row=LogLineRow,
    source="read.upload_log_line AS r",
    parent=("r.workspace_id", "r.upload_id"),
    types=("uuid", "uuid"),
    order=("r.position",),
)


def uploads(connection: Connection[Any], workspace_id: UUID, limit: int = 100) -> list[UploadRow]:
    """Latest first."""
    return uploads_page(connection, workspace_id, window=Window(limit=limit)).rows


def uploads_page(
    connection: Connection[Any],
    workspace_id: UUID,
    *,
    window: Window,
    stages: Sequence[str] | None = None,
) -> Slice[UploadRow]:
    """
    Latest first, by `received_at` and `upload_id`.

    Args:
        stages: only uploads that have come exactly so far; None: all.
    """
    where, values = ("", []) if stages is None else (" AND r.stage = ANY(%s)", [list(stages)])
    return IN_WORKSPACE.page(connection, (workspace_id,), window, where, values)


def upload(connection: Connection[Any], workspace_id: UUID, upload_id: UUID) -> UploadRow | None:
    with connection.cursor(row_factory=class_row(UploadRow)) as cursor:
        return cursor.execute(UPLOAD, (workspace_id, upload_id), prepare=True).fetchone()


def withdrawn_uploads(connection: Connection[Any]) -> list[UUID]:
    """Of all workspaces: for the housekeeping, not for readers."""
    return [row[0] for row in connection.execute(WITHDRAWN).fetchall()]


def uploads_by_id(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UploadRow]:
    """
    Args:
        keys: workspace and upload.
    """
    return BY_ID.first(connection, keys)


def uploads_among(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, UploadRow]:
    return {row.upload_id: row for row in BY_ID.among(connection, workspaces, ids)}


def log_lines(
    connection: Connection[Any],
    workspace_id: UUID,
    upload_id: UUID,
    *,
    after: int = 0,
    limit: int = 1_000,
) -> list[LogLineRow]:
    """In order. To go on, give the last one's position as `after`."""
    window = Window(limit=limit, after=(after,))
    return LINES.page(connection, (workspace_id, upload_id), window).rows


def log_lines_by_upload(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]], *, window: Window
) -> dict[tuple[UUID, UUID], Slice[LogLineRow]]:
    """
    In order, by `position`.

    Args:
        keys: workspace and upload.
    """
    return LINES.pages(connection, keys, window)
