"""Housekeeping that takes long ends when the process is told to stop."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import QueryCanceled

from infrastructure.jobs.app import make_app
from infrastructure.jobs.worker_settings import WorkerSettings
from infrastructure.projections.runner import MAINTAIN_LOCK, ProjectionRunner
from interfaces.jobs.projections import add_projection_jobs
from projections.vectors.projection import VectorsReadModel
from projections.vectors.schema import add_segment
from tests.support.archive import Ledger, app_conninfo, connect
from tests.support.eventually import eventually
from tests.support.jobs import working
from tests.support.read_models import Tallies

ROWS = 20_000  # many enough for a graph that takes seconds
DIMENSIONS = 384
BUILDING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE '%CREATE INDEX%hnsw%'
  AND state = 'active' AND pid <> pg_backend_pid()
"""
FAILED = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'failed'"
LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def count(connection: Connection[Any], query: str, *values: object) -> int:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return int(row[0])


def fill(connection: Connection[Any]) -> None:
    """A full segment without its graph, and a second one, so that the first is complete."""
    connection.execute("SELECT setseed(0.5)")
    for segment in (1, 2):
        connection.execute(
            "INSERT INTO vectors_v1.segment (segment, model, dimensions) VALUES (%s, 'm', %s)",
            (segment, DIMENSIONS),
        )
        connection.execute(add_segment("vectors_v1", segment).encode())
    vectors = np.random.default_rng(1).normal(size=(ROWS, DIMENSIONS)).round(3)
    statement = "COPY vectors_v1.embedding_1 FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, vector in enumerate(vectors.tolist()):
            copy.write_row((1, number, "0" * 32, str(vector)))


def test_a_graph_that_is_being_built_is_given_up_when_the_worker_stops(ledger: Ledger) -> None:
    """The job is over at once, nothing of it is left, and it can be done later."""
    runner = ProjectionRunner(ledger.pool, ledger.reader, [VectorsReadModel()])
    runner.ensure_all()
    app = make_app(app_conninfo(ledger.url))
    handlers: Any = SimpleNamespace(runner=runner, pool=ledger.pool)
    add_projection_jobs(app, handlers)
    settings = WorkerSettings(lanes={"maintenance": 1}, poll_seconds=0.1)
    with connect(ledger.url) as connection, psycopg.connect(ledger.url, autocommit=True) as owner:
        fill(connection)
        with working(app, settings) as worker:
            eventually(lambda: count(owner, BUILDING), 20)
            began = time.monotonic()
            assert worker.stop() is True
            assert time.monotonic() - began < 5
        assert count(owner, BUILDING) == 0
        assert count(owner, LOCKS, MAINTAIN_LOCK) == 0
        assert (
            count(owner, "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'failed'")
            == 0
        )
        assert count(owner, "SELECT count(*) FROM vectors_v1.segment WHERE is_indexed") == 0


class Slow(Tallies):
    """Waits in the database, where only a cancellation reaches it."""

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        connection.execute("SELECT pg_sleep(60)")
        return False


def test_what_was_given_up_can_be_done_by_the_next_one(ledger: Ledger) -> None:
    """The lock is free again, and the pool holds no connection that was cancelled."""
    runner = ProjectionRunner(ledger.pool, ledger.reader, [Slow()])
    runner.ensure_all()
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(runner.maintain, "tallies", should_stop=stop.is_set)
        with psycopg.connect(ledger.url, autocommit=True) as owner:
            eventually(lambda: count(owner, LOCKS, MAINTAIN_LOCK))
            stop.set()
            assert running.result(timeout=5) is True
            # The connection was closed on our side; the server's side ends a moment later.
            eventually(lambda: count(owner, LOCKS, MAINTAIN_LOCK) == 0, 5)
    again = ProjectionRunner(ledger.pool, ledger.reader, [Tallies()])
    assert again.maintain("tallies") is False


def test_a_cancellation_by_somebody_else_is_an_error(ledger: Ledger) -> None:
    runner = ProjectionRunner(ledger.pool, ledger.reader, [Slow()])
    runner.ensure_all()
    with (
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(ledger.url, autocommit=True) as owner,
    ):
        running = threads.submit(runner.maintain, "tallies")
        sleeping = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
        [pid] = eventually(lambda: owner.execute(sleeping).fetchone())
        owner.execute("SELECT pg_cancel_backend(%s)", (pid,))
        with pytest.raises(QueryCanceled):
            running.result(timeout=5)
