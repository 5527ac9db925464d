"""What a version gets once its rows are loaded: indexes for readers, statistics for the planner."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql
from psycopg.rows import scalar_row

from infrastructure.projections import registry
from infrastructure.projections.registry import Version
from projections.contract import ReadModel

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')
"""
MARK = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"
# Of a version that is being built, as far as it is; none: it is being loaded.
INDEXING, INDEXED, SWITCHING = "indexing", "indexed", "switching"


def index(connection: Connection[Any], model: ReadModel, version: Version) -> None:
    """Once, also if a rebuild was killed after it: the mark is set in the same transaction."""
    cursor = connection.cursor(row_factory=scalar_row)
    if cursor.execute(MARK, (version.schema,)).fetchone() in {INDEXED, SWITCHING}:
        return
    mark(connection, version, INDEXING)
    with connection.transaction():
        registry.run_script(connection, model.indexes(version.schema))
        mark(connection, version, INDEXED)


def mark(connection: Connection[Any], version: Version, stage: str) -> None:
    """Where everybody can see it, who may not look into the transactions of a rebuild."""
    schema = sql.Identifier(version.schema)
    connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, stage))


def analyze(connection: Connection[Any], version: Version) -> None:
    """So that the first readers after the swap get plans for full tables."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        tables = cursor.execute(TABLES, (version.schema,)).fetchall()
    for table in tables:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(version.schema, table)))
