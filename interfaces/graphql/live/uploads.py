"""Uploads of a workspace, told whenever one has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast
from uuid import UUID

from psycopg_pool import ConnectionPool

from infrastructure.projections.positions import Positions
from interfaces.graphql.live.changes import Changes, Source
from projections.uploads.changes import changed_uploads, last_position
from projections.uploads.queries import UploadRow

READ_MODEL = "uploads"


def upload_changes(
    positions: Positions,
    pool: ConnectionPool[Any],
    workspace_id: UUID,
    build: Callable[[UploadRow], object],
) -> Changes[UploadRow]:
    def listen(on_move: Callable[[], None]) -> Callable[[], None]:
        def on_any(name: str, position: int) -> None:
            del position
            if name == READ_MODEL:
                on_move()

        return positions.listen(on_any)

    def page(after: int, limit: int, key: Hashable | None) -> Sequence[UploadRow]:
        upload_id = cast("UUID | None", key)
        with pool.connection() as connection:
            return changed_uploads(
                connection, workspace_id, after=after, limit=limit, upload_id=upload_id
            )

    def head() -> int:
        with pool.connection() as connection:
            return last_position(connection, workspace_id)

    return Changes(
        Source(
            listen=listen,
            head=head,
            page=page,
            position=lambda row: row.position,
            key=lambda row: row.upload_id,
            build=build,
        )
    )
