"""The views that readers know, put in front of one version of a read model."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import scalar_row

from infrastructure.projections.registry import Version, schema_of
from projections.contract import ReadModel

READ = "read"
VIEWS_ON = """
SELECT DISTINCT view.relname
FROM pg_depend AS dependency
JOIN pg_rewrite AS rule ON rule.oid = dependency.objid
JOIN pg_class AS view ON view.oid = rule.ev_class
JOIN pg_class AS source ON source.oid = dependency.refobjid
WHERE dependency.classid = 'pg_rewrite'::regclass
  AND dependency.refclassid = 'pg_class'::regclass
  AND view.relnamespace = to_regnamespace(%s)
  AND source.relnamespace = to_regnamespace(%s)
"""


def show(connection: Connection[Any], model: ReadModel, version: int) -> None:
    """Let every view of this read model show this version. In the caller's transaction."""
    for name, select in model.views(schema_of(model.name, version)).items():
        show_one(connection, name, select)


def hide(connection: Connection[Any], old: Version) -> None:
    """Drop the views that still show this version: today's definition has no such views."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        names = cursor.execute(VIEWS_ON, (READ, old.schema)).fetchall()
    for name in names:
        connection.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(READ, name)))


def show_one(connection: Connection[Any], name: str, select: str) -> None:
    view = sql.Identifier(READ, name)
    definition = sql.SQL(" VIEW {} AS ").format(view).as_bytes(connection) + select.encode()
    try:
        with connection.transaction():
            connection.execute(b"CREATE OR REPLACE" + definition)
    except psycopg.errors.InvalidTableDefinition:
        # Its columns changed, which REPLACE refuses.
        connection.execute(sql.SQL("DROP VIEW {}").format(view))
        connection.execute(b"CREATE" + definition)
