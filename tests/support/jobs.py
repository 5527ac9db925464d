"""A job queue to experiment with: jobs that leave a mark, workers in a hurry."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import psycopg
from procrastinate import App, JobContext
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from application.ports.jobs import Stopped
from infrastructure.jobs.app import jobs_conninfo, make_app
from infrastructure.jobs.retry import BackOff
from infrastructure.jobs.worker import InProcessWorker
from infrastructure.jobs.worker_settings import WorkerSettings
from tests.support.postgres import database_name

T = TypeVar("T")
QUEUE = "marks"
HURRIED = WorkerSettings(
    lanes={QUEUE: 2, "projections": 2},
    poll_seconds=0.1,
    sweep_seconds=0.2,
    reap_seconds=0.2,
    heartbeat_seconds=0.2,
    stalled_seconds=3.0,
    grace_seconds=0.5,
    stop_seconds=1.0,
    first_wait_seconds=0.1,
    longest_wait_seconds=0.4,
)
AT_ONCE = BackOff(max_attempts=3, first_seconds=0.01)
SCHEMA = """
CREATE TABLE IF NOT EXISTS public.mark (
    id bigserial PRIMARY KEY, what text NOT NULL, job_id bigint, attempts int, pid int
);
GRANT ALL ON public.mark, public.mark_id_seq TO chatledger_app;
"""


class UnluckyError(Exception):
    """What jobs raise here. Its message must not be kept."""


class Lab:
    """Looks at the tables with the owner's eyes."""

    def __init__(self, url: str, connection: Connection[dict[str, Any]]) -> None:
        self.url = url
        self.connection = connection

    def defer(self, task: str, *, queue: str = QUEUE, **columns: Any) -> int:
        values = {"queue_name": queue, "task_name": task, "args": Jsonb({})} | columns
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join(sql.Placeholder() * len(values))
        statement = sql.SQL(
            "INSERT INTO jobs.procrastinate_jobs ({}) VALUES ({}) RETURNING id"
        ).format(names, places)
        row = self.connection.execute(statement, list(values.values())).fetchone()
        assert row is not None
        return int(row["id"])

    def jobs(self, where: str = "true") -> list[dict[str, Any]]:
        statement = f"SELECT * FROM jobs.procrastinate_jobs WHERE {where} ORDER BY id"
        return self.connection.execute(statement.encode()).fetchall()

    def job(self, id: int) -> dict[str, Any] | None:
        found = self.jobs(f"id = {id}")
        return found[0] if found else None

    def status(self, id: int) -> str | None:
        job = self.job(id)
        return None if job is None else str(job["status"])

    def marks(self, what: str) -> list[dict[str, Any]]:
        statement = "SELECT * FROM public.mark WHERE what = %s ORDER BY id"
        return self.connection.execute(statement, (what,)).fetchall()

    def register_worker(self, *, heartbeat_seconds_ago: float = 0) -> int:
        row = self.connection.execute(
            "INSERT INTO jobs.procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => %s)) RETURNING id",
            (heartbeat_seconds_ago,),
        ).fetchone()
        assert row is not None
        return int(row["id"])

    def fetch(self, worker_id: int, queue: str = QUEUE) -> int | None:
        """As a worker does: the next job is now being done."""
        row = self.connection.execute(
            "SELECT id FROM jobs.procrastinate_fetch_job_v2(%s::varchar[], %s)",
            ([queue], worker_id),
        ).fetchone()
        return None if row is None else row["id"]

    def add_projection(self, name: str, *, position: int = 0, status: str = "live") -> None:
        self.connection.execute(
            "INSERT INTO projection.projection (name, version, code_version, position, status)"
            " VALUES (%s, 1, 1, %s, %s)",
            (name, position, status),
        )

    def add_event(self) -> int:
        """Returns its position."""
        row = self.connection.execute(
            "INSERT INTO log.archive_events (originator_id, originator_version, topic, state,"
            " actor_id, correlation_id) VALUES"
            " (gen_random_uuid(), 1, 'test', '', gen_random_uuid(), gen_random_uuid())"
            " RETURNING notification_id"
        ).fetchone()
        assert row is not None
        return int(row["notification_id"])


@contextmanager
def open_lab(url: str) -> Iterator[Lab]:
    options = "-c search_path=jobs,public"
    with closing(psycopg.connect(url, autocommit=True, options=options, row_factory=dict_row)) as c:
        c.execute(SCHEMA)
        yield Lab(url, c)


@contextmanager
def outage(url: str) -> Iterator[None]:
    """Nobody can connect to the database, and nobody is connected any more."""
    name = database_name(url)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as admin:
        change = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        admin.execute(change.format(sql.Identifier(name), sql.SQL("false")))
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            yield
        finally:
            admin.execute(change.format(sql.Identifier(name), sql.SQL("true")))


def make_marking_app(url: str, *, timeout_seconds: float = 5.0) -> App:
    """An app whose jobs leave marks, as `mark` rows."""
    app = make_app(url, timeout_seconds=timeout_seconds)

    def mark(context: JobContext, what: str) -> None:
        with psycopg.connect(jobs_conninfo(url), autocommit=True) as connection:
            connection.execute(
                "INSERT INTO public.mark (what, job_id, attempts, pid) VALUES (%s, %s, %s, %s)",
                (what, context.job.id, context.job.attempts, os.getpid()),
            )

    @app.task(name="quick", queue=QUEUE, pass_context=True)
    def quick(context: JobContext, /, **_newer: object) -> None:
        mark(context, "quick")

    @app.task(name="unlucky", queue=QUEUE, retry=AT_ONCE, pass_context=True)
    def unlucky(context: JobContext, /, **_newer: object) -> None:
        mark(context, "unlucky")
        raise UnluckyError("Alice wrote that she is ill")

    @app.task(name="hopeless", queue=QUEUE)
    def hopeless(**_newer: object) -> None:
        raise UnluckyError

    @app.task(name="busy", queue=QUEUE, pass_context=True)
    def busy(context: JobContext, /, *, seconds: float, **_newer: object) -> None:
        """Computes, and never lets go of the interpreter by itself."""
        mark(context, "busy")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(10_000))
        mark(context, "done")

    @app.task(name="polite", queue=QUEUE, retry=AT_ONCE, pass_context=True)
    def polite(context: JobContext, /, **_newer: object) -> None:
        """Runs until it is asked to stop."""
        mark(context, "polite")
        is_stopping: Callable[[], bool] = context.additional_context["should_stop"]
        while not (is_stopping() or context.should_abort()):
            time.sleep(0.01)
        raise Stopped

    @app.task(name="stubborn", queue=QUEUE, retry=AT_ONCE, pass_context=True)
    def stubborn(context: JobContext, /, **_newer: object) -> None:
        """Does not care, the first time."""
        is_first = context.job.attempts == 0
        mark(context, "stubborn")
        if is_first and os.environ.get("STUBBORN", "1") == "1":
            time.sleep(60)

    return app


@contextmanager
def working(app: App, settings: WorkerSettings = HURRIED) -> Iterator[InProcessWorker]:
    worker = InProcessWorker(app, settings)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def once(url: str, action: Callable[[App], Awaitable[T]]) -> T:
    """Await it on an app that is open just for this."""

    async def run() -> T:
        app = make_app(url, timeout_seconds=5)
        async with app.open_async():
            return await action(app)

    return asyncio.run(run())
