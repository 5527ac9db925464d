"""Operators see what failed and why, try it again, or forget it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from application.ports.jobs import (
    JobAction,
    JobAlreadyQueuedError,
    JobChange,
    JobMovedError,
    JobNotFailedError,
    UnknownJobError,
)
from infrastructure.discretion import describe
from infrastructure.jobs.change import change_job
from infrastructure.jobs.queue import JobQueue
from tests.support.archive import app_conninfo, connect
from tests.support.eventually import eventually
from tests.support.jobs import Lab, make_marking_app, working

pytest_plugins = ["tests.support.job_fixtures"]


@pytest.fixture
def queue(lab_url: str) -> Iterator[JobQueue]:
    conninfo = app_conninfo(lab_url)
    with ConnectionPool(conninfo, min_size=1, kwargs={"autocommit": True}) as pool:
        yield JobQueue(pool)


def change(url: str, action: JobAction, id: int) -> None:
    with connect(url) as connection, connection.transaction():
        change_job(connection, JobChange(action=action, job_id=id))


def test_a_failed_job_is_listed_with_its_error_but_without_what_somebody_wrote(
    lab: Lab, queue: JobQueue
) -> None:
    deferred = lab.defer("unlucky", args=Jsonb({"upload_id": "7"}))
    with working(make_marking_app(lab.url)):
        eventually(queue.failed)
    [entry] = queue.failed()
    assert (entry.id, entry.task, entry.queue, entry.status) == (
        deferred,
        "unlucky",
        "marks",
        "failed",
    )
    assert entry.arguments == {"upload_id": "7"}
    assert entry.attempts == 3
    assert entry.failed_at is not None
    assert entry.error is not None
    assert entry.error.startswith("tests.support.jobs.UnluckyError at tests/support/jobs.py:")
    kept = lab.connection.execute("SELECT attempt, error FROM jobs.job_failure").fetchall()
    assert [row["attempt"] for row in kept] == [1, 2, 3]
    assert not any("Alice" in row["error"] for row in kept)


def test_a_failed_job_that_is_tried_again_has_all_its_attempts(lab: Lab, queue: JobQueue) -> None:
    deferred = lab.defer("unlucky")
    with working(make_marking_app(lab.url)):
        eventually(queue.failed)
        change(lab.url, "retry", deferred)
        eventually(lambda: len(lab.marks("unlucky")) == 6 and queue.failed())
    assert [mark["attempts"] for mark in lab.marks("unlucky")] == [0, 1, 2, 0, 1, 2]


def test_only_a_failed_job_can_be_tried_again(lab: Lab, queue: JobQueue) -> None:
    waiting = lab.defer("quick", queueing_lock="one")
    for other in (waiting, waiting + 1):
        with pytest.raises(JobNotFailedError):
            change(lab.url, "retry", other)
    failed = lab.defer("quick", queueing_lock="one", status="failed")
    with pytest.raises(JobAlreadyQueuedError):
        change(lab.url, "retry", failed)


def test_a_discarded_job_is_gone_and_a_running_one_stops_for_good(
    lab: Lab, queue: JobQueue
) -> None:
    failed = lab.defer("quick", status="failed")
    change(lab.url, "remove", failed)
    with pytest.raises(UnknownJobError):
        queue.job(failed)
    with pytest.raises(JobMovedError):
        change(lab.url, "remove", failed)
    with working(make_marking_app(lab.url)):
        running = lab.defer("polite")
        eventually(lambda: lab.marks("polite"))
        with pytest.raises(JobMovedError):
            change(lab.url, "remove", running)
        change(lab.url, "abort", running)
        eventually(lambda: lab.jobs() == [])
        with pytest.raises(JobMovedError):
            change(lab.url, "abort", running)
    assert len(lab.marks("polite")) == 1


def test_of_a_job_that_is_asked_for_again_and_again_only_the_newest_failure_is_kept(
    lab: Lab, queue: JobQueue
) -> None:
    with working(make_marking_app(lab.url)):
        for _ in range(3):
            newest = lab.defer("hopeless", queueing_lock="projection:uploads")
            eventually(lambda newest=newest: lab.status(newest) == "failed")
    assert [entry.id for entry in queue.failed()] == [newest]


def test_gauges_count_by_queue_and_status_and_say_how_long_the_oldest_has_waited(
    lab: Lab, queue: JobQueue
) -> None:
    lab.defer("quick", status="failed")
    lab.defer("quick")
    lab.defer("quick")
    lab.defer("quick", queue="later", scheduled_at="2100-01-01")
    lab.connection.execute("UPDATE jobs.procrastinate_events SET at = at - interval '1 minute'")
    assert [(g.queue, g.status, g.jobs) for g in queue.gauges()] == [
        ("later", "todo", 1),
        ("marks", "failed", 1),
        ("marks", "todo", 2),
    ]
    ages = [g.oldest_waiting_seconds for g in queue.gauges()]
    assert ages[2] == pytest.approx(60, abs=5)
    assert (ages[0], ages[1]) == (None, None)
    assert [entry.status for entry in queue.jobs()] == ["todo", "todo", "todo", "failed"]


def test_what_is_kept_of_an_error_names_no_file_and_quotes_no_value() -> None:
    def fail() -> None:
        try:
            raise FileNotFoundError(2, "No such file or directory", "Alice and Bob.zip")
        except OSError as error:
            raise psycopg.errors.UniqueViolation("Key (name)=(Alice) already exists") from error

    with pytest.raises(psycopg.Error) as caught:
        fail()
    here = "at tests/infrastructure/test_jobs_queue.py:"
    database, _, file = describe(caught.value).partition(", caused by ")
    assert database.startswith(f"psycopg.errors.UniqueViolation (sqlstate 23505) {here}")
    assert file.startswith(f"FileNotFoundError: No such file or directory {here}")
    assert "Alice" not in database + file
