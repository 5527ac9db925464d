"""
Schema migrations of the write side, by Alembic on plain SQL.

Alembic and SQLAlchemy take 0.4 s to import, so that happens only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from alembic.config import Config

ALEMBIC_FOLDER = Path(__file__).parents[2] / "alembic"
APPLIED = "SELECT version_num FROM migration.alembic_version"


def migrate(database_url: str, *, revision: str = "head") -> None:
    """
    Bring the write side's schema up to date. Safe to call from several processes at once.

    Raises:
        psycopg.Error
    """
    applied = applied_revision(database_url)
    if applied == (newest_revision() if revision == "head" else revision):
        return
    if applied is not None and applied not in revisions():
        raise psycopg.NotSupportedError(
            f"the database is at revision {applied}, which this release does not know: "
            "use the newer release that migrated it"
        )
    _run("upgrade", database_url, revision)


def downgrade(database_url: str, *, revision: str) -> None:
    """
    Raises:
        psycopg.Error
    """
    _run("downgrade", database_url, revision)


def revisions() -> list[str]:
    """Oldest first, as the files are named: each begins with its number, its revision."""
    paths = (ALEMBIC_FOLDER / "versions").glob("[0-9]*.py")
    return sorted(path.name.partition("_")[0] for path in paths)


def newest_revision() -> str:
    return revisions()[-1]


def applied_revision(database_url: str) -> str | None:
    """Where the database stands; None if it was never migrated."""
    with psycopg.connect(database_url) as connection:
        return revision_of(connection)


def revision_of(connection: psycopg.Connection[Any]) -> str | None:
    """The same on a connection that may have given up the rights of who migrates."""
    with connection.transaction():
        connection.execute("SET LOCAL ROLE NONE")
        # Asked for first: a query of a table that is missing would alarm whoever reads the log.
        row = connection.execute("SELECT to_regclass('migration.alembic_version')").fetchone()
        if row is None or row[0] is None:
            return None
        row = connection.execute(APPLIED).fetchone()
    return None if row is None else str(row[0])


def run_sql(sql: str) -> None:
    """
    Run a script of several statements in the migration's own transaction.

    Goes to the driver directly: SQLAlchemy would take `:word` and `%` inside the SQL for
    parameters.
    """
    from alembic import op

    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(sql.rstrip())
        return
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("a migration needs an open connection")
    driver.execute(sql)


def configuration(database_url: str) -> Config:
    import sqlalchemy as sa
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ALEMBIC_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_url),
        poolclass=sa.NullPool,
    )
    return config


def _run(direction: str, database_url: str, revision: str) -> None:
    from alembic import command
    from sqlalchemy.exc import DBAPIError

    steps = {"upgrade": command.upgrade, "downgrade": command.downgrade}
    try:
        steps[direction](configuration(database_url), revision)
    except DBAPIError as error:
        # Callers know the driver's errors; that SQLAlchemy is in between is nobody's concern.
        if isinstance(error.orig, psycopg.Error):
            raise error.orig from None
        raise
