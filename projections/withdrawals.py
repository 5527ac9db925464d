"""What the read models that notice withdrawals have in common: the table `withdrawn_upload`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from psycopg import Connection


def withdrawn_among(
    connection: Connection[Any], schema: str, uploads: Collection[UUID]
) -> set[UUID]:
    """Those of them that this version of a read model knows to be withdrawn."""
    statement = f"SELECT upload_id FROM {schema}.withdrawn_upload WHERE upload_id = ANY(%s)"
    return {row[0] for row in connection.execute(statement.encode(), (list(uploads),))}
