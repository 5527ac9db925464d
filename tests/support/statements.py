"""What a container asks of its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from infrastructure.container import Container


@contextmanager
def counted(container: Container) -> Iterator[list[str]]:
    """Statements that were executed on connections of the pool meanwhile."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(cursor: Any, query: Any, *rest: Any, **options: Any) -> Any:
        if getattr(cursor.connection, "_pool", None) is container.pool:
            statements.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(cursor, query, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counting)
        yield statements
