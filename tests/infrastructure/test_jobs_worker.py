"""A worker goes on whatever happens to its jobs and to the database, and stops when told."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from infrastructure.jobs.worker import InProcessWorker
from tests.support.eventually import eventually
from tests.support.jobs import HURRIED, Lab, make_marking_app, open_lab, outage, working

pytest_plugins = ["tests.support.job_fixtures"]


def test_a_job_that_succeeded_leaves_no_row(lab: Lab) -> None:
    ids = [lab.defer("quick") for _ in range(20)]
    with working(make_marking_app(lab.url)):
        eventually(lambda: lab.jobs() == [])
    assert sorted(mark["job_id"] for mark in lab.marks("quick")) == ids
    assert lab.connection.execute("SELECT FROM jobs.procrastinate_events").rowcount == 0


def test_a_job_that_fails_is_tried_as_often_as_it_may_and_then_kept(lab: Lab) -> None:
    deferred = lab.defer("unlucky")
    with working(make_marking_app(lab.url)):
        eventually(lambda: lab.status(deferred) == "failed")
    assert [mark["attempts"] for mark in lab.marks("unlucky")] == [0, 1, 2]


def test_the_heart_beats_while_a_job_computes(lab: Lab) -> None:
    """Else another worker would take the job away from a live one."""
    settings = replace(HURRIED, heartbeat_seconds=0.1)
    ages = []
    lab.defer("busy", args=Jsonb({"seconds": 2.5}))
    with working(make_marking_app(lab.url), settings):
        eventually(lambda: lab.marks("busy"))
        while not lab.marks("done"):
            row = lab.connection.execute(
                "SELECT extract(epoch FROM clock_timestamp() - last_heartbeat)::float8 AS age"
                " FROM jobs.procrastinate_workers"
                " JOIN jobs.procrastinate_jobs ON worker_id = procrastinate_workers.id"
            ).fetchone()
            if row is not None:
                ages.append(row["age"])
    assert len(ages) > 10
    assert max(ages) < 1.5


def test_a_stopped_job_is_requeued_without_counting_the_attempt(lab: Lab) -> None:
    deferred = lab.defer("polite")
    for _ in range(3):
        with working(make_marking_app(lab.url)) as worker:
            marks = len(lab.marks("polite"))
            eventually(lambda marks=marks: len(lab.marks("polite")) > marks)
            assert worker.stop()
        assert lab.status(deferred) == "todo"
    assert [mark["attempts"] for mark in lab.marks("polite")] == [0, 0, 0]


def test_a_job_that_does_not_stop_in_time_is_left_behind_for_others_to_run(lab: Lab) -> None:
    deferred = lab.defer("stubborn")
    with working(make_marking_app(lab.url)) as worker:
        eventually(lambda: lab.marks("stubborn"))
        assert not worker.stop(timeout_seconds=5)
        assert not worker.is_alive
    job = lab.job(deferred)
    assert job is not None
    assert (job["status"], job["worker_id"], job["attempts"]) == ("doing", None, -1)
    assert lab.connection.execute("SELECT FROM jobs.procrastinate_workers").rowcount == 0


def test_a_worker_outlasts_an_outage_that_is_longer_than_the_pool_waits(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_marking_app(lab.url, timeout_seconds=0.3)
    with caplog.at_level(logging.WARNING), working(app):
        lab.defer("quick")
        eventually(lambda: lab.marks("quick"))
        with outage(lab.url):
            eventually(lambda: caplog.text.count("the worker of marks starts again") >= 3)
        with open_lab(lab.url) as again:
            deferred = again.defer("quick")
            eventually(lambda: len(again.marks("quick")) == 2)
            eventually(lambda: again.job(deferred) is None)


def test_a_worker_that_starts_before_the_database_waits_for_it(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    deferred = lab.defer("quick")
    with outage(lab.url):
        worker = InProcessWorker(make_marking_app(lab.url), HURRIED)
        worker.start()
    try:
        with open_lab(lab.url) as again:
            eventually(lambda: again.job(deferred) is None)
    finally:
        assert worker.stop()


def test_a_queue_that_could_not_be_opened_is_opened_anew(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Procrastinate takes an app whose opening failed for one that is open."""
    open_pool = AsyncConnectionPool.open
    openings = []

    async def fail_once(pool: Any, *arguments: Any, **options: Any) -> None:
        openings.append(pool)
        if len(openings) == 1:
            raise PoolTimeout("the database did not answer")
        await open_pool(pool, *arguments, **options)

    monkeypatch.setattr(AsyncConnectionPool, "open", fail_once)
    deferred = lab.defer("quick")
    with working(make_marking_app(lab.url)):
        eventually(lambda: lab.job(deferred) is None)
    assert len(openings) == 2


def test_a_long_job_in_one_queue_does_not_delay_another_queue(lab: Lab) -> None:
    settings = replace(HURRIED, lanes={"marks": 1, "projections": 1})
    lab.defer("polite")
    with working(make_marking_app(lab.url), settings):
        eventually(lambda: lab.marks("polite"))
        waits = lab.defer("quick")
        lab.defer("quick", queue="projections")
        eventually(lambda: lab.marks("quick"))
        assert lab.status(waits) == "todo"


def test_a_worker_that_never_started_can_be_stopped(lab_url: str) -> None:
    InProcessWorker(make_marking_app(lab_url), HURRIED).stop()
