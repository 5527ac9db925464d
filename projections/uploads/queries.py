"""What people ask about the uploads of their workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

COLUMNS = """
workspace_id, upload_id, filename, format, stage, size, sha256, conversations, messages, system,
authors, first_at, last_at, is_complete, warnings, batches, batches_recorded, messages_recorded,
texts, texts_embedded, error, attempts, received_at, updated_at, position
"""
UPLOADS = f"""
SELECT {COLUMNS} FROM read.upload WHERE workspace_id = %s
ORDER BY received_at DESC, upload_id LIMIT %s
"""
UPLOAD = f"SELECT {COLUMNS} FROM read.upload WHERE workspace_id = %s AND upload_id = %s"
LINES = """
SELECT position, at, level, text FROM read.upload_log_line
WHERE workspace_id = %s AND upload_id = %s AND position > %s ORDER BY position LIMIT %s
"""


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


def uploads(connection: Connection[Any], workspace_id: UUID, limit: int = 100) -> list[UploadRow]:
    """Latest first."""
    with connection.cursor(row_factory=class_row(UploadRow)) as cursor:
        return cursor.execute(UPLOADS, (workspace_id, limit), prepare=True).fetchall()


def upload(connection: Connection[Any], workspace_id: UUID, upload_id: UUID) -> UploadRow | None:
    with connection.cursor(row_factory=class_row(UploadRow)) as cursor:
        return cursor.execute(UPLOAD, (workspace_id, upload_id), prepare=True).fetchone()


def log_lines(
    connection: Connection[Any],
    workspace_id: UUID,
    upload_id: UUID,
    *,
    after: int = 0,
    limit: int = 1_000,
) -> list[LogLineRow]:
    """In order. To go on, give the last one's position as `after`."""
    with connection.cursor(row_factory=class_row(LogLineRow)) as cursor:
        values = (workspace_id, upload_id, after, limit)
        return cursor.execute(LINES, values, prepare=True).fetchall()
