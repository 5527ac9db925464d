"""Rebuilding every read model, against a bare COPY of its rows into the same tables."""

from __future__ import annotations

import io
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from rich.console import Console

from application.ports.embedder import EmbeddingModel
from benchmarks.database import fresh_database
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.projections.registry import read_version, schema_of
from infrastructure.settings import Settings
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import working

EXPORTS = (
    "chitchat/telegram/result.json",
    "chitchat/slack/slack-export.zip",
    "chitchat/generic/chat.csv",
    "chitchat/whatsapp/android-en-us-12h.zip",
    "chitchat/whatsapp/ios-de.zip",
)


class RandomVectors:
    """Stands in for a model: a rebuild calls none, so only the number of vectors matters."""

    model = EmbeddingModel(
        name="random", revision="0" * 64, preprocessing=1, dimensions=384, max_tokens=256
    )

    def embed(self, texts: Any, *, on_progress: Any = None) -> Any:
        del on_progress
        rows = np.random.default_rng(len(texts)).normal(size=(len(texts), 384)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def measure(data: Path) -> dict[str, Any]:
    with fresh_database() as (url, folder):
        settings = Settings.from_env(
            {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        )
        with open_container(settings, make_embedder=lambda _: RandomVectors()) as container:
            with working(container):
                paths = tuple(data / name for name in EXPORTS)
                ingest_files(container, paths, "bench", {}, Console(quiet=True))
            for name in container.runner.names:
                while container.runner.maintain(name):
                    pass
            rows = copy_out(container)
            copying = sum(copy_in(container, *table) for table in rows)
            reads = Reads(container)
            rebuilding = 0.0
            with reads:
                for name in container.runner.names:
                    started = time.perf_counter()
                    container.rebuilder.rebuild(name)
                    rebuilding += time.perf_counter() - started
            messages = count(container, "read.message")
    return {
        "messages": messages,
        "rebuild_s": rebuilding,
        "copy_s": copying,
        "ratio": rebuilding / copying,
        "goal": "at most 2.5",
        "reads": reads.number,
        "read_errors": reads.errors,
        "worst_read_ms": reads.worst_ms,
        "read_goal": "no error, none over 100 ms",
    }


def copy_out(container: Container) -> list[tuple[str, str, bytes]]:
    """Schema, table and rows of every table of every read model."""
    found = []
    with container.pool.connection() as connection:
        for name in container.runner.names:
            schema = schema_of(name, read_version(connection, name).version)
            tables = connection.execute(
                "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(%s) "
                "AND c.relkind = 'r'",
                (schema,),
            ).fetchall()
            for (table,) in tables:
                data = io.BytesIO()
                statement = f"COPY {schema}.{table} TO STDOUT (FORMAT binary)"
                with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                    for block in copy:
                        data.write(block)
                found.append((schema, table, data.getvalue()))
    return found


def copy_in(container: Container, schema: str, table: str, data: bytes) -> float:
    """Seconds to COPY the rows into an empty table with the same indexes."""
    with container.pool.connection() as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS bare")
        connection.execute(
            f"CREATE TABLE bare.{table} (LIKE {schema}.{table} INCLUDING ALL)".encode()
        )
        statement = f"COPY bare.{table} FROM STDIN (FORMAT binary)"
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write(data)
        seconds = time.perf_counter() - started
        connection.execute("DROP SCHEMA bare CASCADE")
    return seconds


def count(container: Container, view: str) -> int:
    with container.pool.connection() as connection:
        row = connection.execute(f"SELECT count(*) FROM {view}".encode()).fetchone()
    return int(row[0]) if row else 0


class Reads:
    """A reader in a process of its own that asks all the time, and notes the worst answer."""

    def __init__(self, container: Container) -> None:
        context = multiprocessing.get_context("spawn")
        self._stopping = context.Event()
        self._ready = context.Event()
        self._answers: Any = context.Queue()
        arguments = (container.conninfo, self._ready, self._stopping, self._answers)
        self._process = context.Process(target=read_all_the_time, args=arguments)
        self.number, self.errors, self.worst_ms = 0, 0, 0.0

    def __enter__(self) -> None:
        self._process.start()
        self._ready.wait(60)

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.number, self.errors, self.worst_ms = self._answers.get(timeout=60)
        self._process.join()


def read_all_the_time(conninfo: str, ready: Any, stopping: Any, answers: Any) -> None:
    views = ("message", "upload", "author", "conversation", "text_vector", "audit_entry")
    number, errors, worst = 0, 0, 0.0
    with psycopg.connect(conninfo, autocommit=True) as connection:
        ready.set()
        while not stopping.is_set():
            statement = f"SELECT * FROM read.{views[number % len(views)]} LIMIT 1"
            started = time.perf_counter()
            try:
                connection.execute(statement.encode()).fetchall()
            except psycopg.Error as error:
                errors += 1
                print(type(error).__name__, error)
            worst = max(worst, time.perf_counter() - started)
            number += 1
            time.sleep(0.002)
    answers.put((number, errors, worst * 1000))
