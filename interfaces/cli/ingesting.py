"""Files in, a searchable archive out, with a bar that shows how far it has come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from application.commands.create_workspace import CreateWorkspace
from application.commands.receive_upload import ReceiveUpload
from application.context import Context
from infrastructure.container import Container
from infrastructure.projections.waiting import wait_for
from projections.uploads.queries import UploadRow, upload

CHUNK = 1024 * 1024  # bytes
POLL_SECONDS = 0.2
SETTLED = frozenset({"searchable", "rejected", "withdrawn", "refused"})
SEARCHED = ("messages", "vectors", "conversations", "authors")


def send(
    container: Container, path: Path, *, context: Context, options: Mapping[str, Any]
) -> tuple[UUID, int]:
    """Upload one file. Returns its id and the position of the event."""
    with path.open("rb") as file:
        accepted = container.receive_upload(
            ReceiveUpload(filename=path.name, options=options), chunks(file), context
        )
    return UUID(accepted.result["upload_id"]), accepted.position


def chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def ensure_workspace(container: Container, name: str, context: Context) -> UUID:
    accepted = container.create_workspace(CreateWorkspace(name=name), context)
    return UUID(str(accepted.result["workspace_id"]))


def follow(
    container: Container, workspace_id: UUID, uploads: Mapping[UUID, str], console: Console
) -> list[UploadRow]:
    """Show the progress of these uploads until each is searchable or has come to grief."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {
            id_: progress.add_task(f"{name}: received", total=None) for id_, name in uploads.items()
        }
        while True:
            rows = [row for id_ in uploads if (row := look(container, workspace_id, id_))]
            for row in rows:
                show(progress, bars[row.upload_id], row)
            if len(rows) == len(uploads) and all(is_settled(row) for row in rows):
                break
            time.sleep(POLL_SECONDS)
    position = max((row.position for row in rows), default=0)
    with container.pool.connection():
        wait_for(container.pool, SEARCHED, position, timeout_seconds=60)
    return rows


def look(container: Container, workspace_id: UUID, upload_id: UUID) -> UploadRow | None:
    with container.pool.connection() as connection:
        return upload(connection, workspace_id, upload_id)


def is_settled(row: UploadRow) -> bool:
    return row.stage in SETTLED or (row.stage == "failed" and row.attempts >= 5)


def show(progress: Progress, bar: TaskID, row: UploadRow) -> None:
    known = None if row.messages is None else row.messages + (row.system or 0)
    match row.stage:
        case "inspected" | "reading":
            step, done, total = "reading", row.messages_recorded, known
        case "read":
            step, done, total = "embedding", row.texts_embedded, row.texts
        case "searchable":
            step, done, total = "searchable", row.texts_embedded, row.texts
        case stage:
            step, done, total = stage, 0, known
    progress.update(bar, description=f"{row.filename}: {step}", completed=done, total=total)
