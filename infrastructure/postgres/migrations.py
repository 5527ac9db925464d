"""Schema migrations of the write side, by Alembic on plain SQL."""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config

ALEMBIC_FOLDER = Path(__file__).parents[2] / "alembic"


def run_sql(sql: str) -> None:
    """
    Run a script of several statements in the migration's own transaction.

    Goes to the driver directly: SQLAlchemy would take `:word` and `%` inside the SQL for
    parameters.
    """
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(sql.rstrip())
        return
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("a migration needs an open connection")
    driver.execute(sql)


def configuration(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_url),
        poolclass=sa.NullPool,
    )
    return config


def migrate(database_url: str, *, revision: str = "head") -> None:
    """Bring the write side's schema up to date. Safe to call from several processes at once."""
    command.upgrade(configuration(database_url), revision)


def downgrade(database_url: str, *, revision: str) -> None:
    command.downgrade(configuration(database_url), revision)
