"""A real PostgreSQL for the whole test session, and a database of its own for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from infrastructure.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of the server's default database. It syncs to disk, as in production."""
    # Not pytest's own folder: as root the server is another user, who cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="chatledger-tests-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "postgres") as server:
            yield server.start()
    finally:
        shutil.rmtree(folder)


def create_database(server_url: str, template: str | None = None) -> str:
    """A new database, empty or a copy of the database named `template`. Returns its URL."""
    name = f"test_{uuid4().hex}"
    command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    _administer(server_url, command)
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def drop_database(url: str) -> None:
    """Also when connections to it were left open."""
    name = sql.Identifier(database_name(url))
    _administer(url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def end_connections(url: str) -> int:
    """End everybody's connection to the database. Returns how many there were."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).rowcount


def database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _administer(url: str, command: sql.Composed) -> None:
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        connection.execute(command)
