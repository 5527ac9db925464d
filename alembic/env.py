"""Runs the migrations. Several processes may start this at once: one migrates, the others wait."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import context

LOCK = 7_263_110  # any constant; the same for ever


def take_turn(connection: sa.Connection) -> None:
    """Poll for the lock: waiting inside one statement would deadlock CREATE INDEX CONCURRENTLY."""
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        connection.commit()
        time.sleep(0.1)
    connection.commit()


def run_online() -> None:
    engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        take_turn(connection)
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS migration")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=None,
            transaction_per_migration=True,
            version_table_schema="migration",
        )
        with context.begin_transaction():
            context.run_migrations()
        # The engine has no pool: closing the connection releases the lock.


if context.is_offline_mode():
    context.configure(url="postgresql://", literal_binds=True, version_table_schema="migration")
    with context.begin_transaction():
        context.run_migrations()
else:
    run_online()
