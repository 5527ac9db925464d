"""Who follows failed jobs misses none, however they failed and whoever commits first."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import psycopg
from psycopg.types.json import Jsonb

from infrastructure.jobs.failure_feed import CHANNEL, JobFailure, failures_after, last_failure_id
from infrastructure.postgres.notifications import NotificationHub
from tests.support.archive import app_conninfo, connect
from tests.support.eventually import eventually
from tests.support.jobs import Lab, make_marking_app, working

pytest_plugins = ["tests.support.job_fixtures"]

RECORD = """
INSERT INTO jobs.job_failure (job_id, attempt, error) VALUES (%s, %s, %s)
ON CONFLICT (job_id, attempt) DO UPDATE SET error = excluded.error
"""
FINISH = "SELECT jobs.procrastinate_finish_job_v1(%s, 'failed', false)"
RETRY = "UPDATE jobs.procrastinate_jobs SET status = 'todo', attempts = 0 WHERE id = %s"


def after(lab: Lab, failure_id: int = 0, limit: int = 1000) -> list[JobFailure]:
    with connect(lab.url) as connection:
        return failures_after(connection, failure_id, limit)


def last(lab: Lab) -> int:
    with connect(lab.url) as connection:
        return last_failure_id(connection)


def test_a_job_that_fails_for_good_is_told_once_with_what_is_known(lab: Lab) -> None:
    head = last(lab)
    unlucky = lab.defer("unlucky", args=Jsonb({"upload_id": "7"}))  # has three attempts
    heard: list[str] = []
    hub = NotificationHub(lab.url)
    hub.subscribe(CHANNEL, heard.append)
    hub.start()
    with working(make_marking_app(lab.url)):
        eventually(lambda: lab.status(unlucky) == "failed")
        hopeless = lab.defer("hopeless")
        [first, second] = eventually(lambda: len(found := after(lab, head)) == 2 and found)
    eventually(lambda: str(second.failure_id) in heard)
    hub.stop()

    assert (first.job_id, first.task, first.queue) == (unlucky, "unlucky", "marks")
    assert (first.attempt, first.arguments) == (3, {"upload_id": "7"})
    assert first.error is not None
    assert first.error.startswith("tests.support.jobs.UnluckyError")
    assert "Alice" not in first.error
    assert (second.job_id, second.attempt) == (hopeless, 1)
    assert head < first.failure_id < second.failure_id == last(lab)
    assert str(first.failure_id) in heard
    assert after(lab, first.failure_id) == [second]
    assert after(lab, head, limit=1) == [first]


def test_a_job_that_fails_without_a_word_is_told_too(lab: Lab) -> None:
    head = last(lab)
    jobs = [lab.defer("a", status="doing"), lab.defer("b")]
    for job in jobs:
        lab.connection.execute(FINISH, (job,))
    jobs.append(lab.defer("c", status="failed", attempts=4))

    found = after(lab, head)
    assert [(one.job_id, one.attempt, one.error) for one in found] == [
        (jobs[0], 1, None),
        (jobs[1], 0, None),
        (jobs[2], 4, None),
    ]


def test_what_is_recorded_early_and_fails_late_comes_behind_what_was_seen(lab: Lab) -> None:
    """A worker records an attempt first, and then that the job has failed."""
    slow, quick = lab.defer("slow", status="doing"), lab.defer("quick", status="doing")
    lab.connection.execute(RECORD, (slow, 1, "SlowError"))
    lab.connection.execute(RECORD, (quick, 1, "QuickError"))
    head = last(lab)
    assert after(lab) == []
    lab.connection.execute(FINISH, (quick,))
    [seen] = after(lab, head)
    lab.connection.execute(FINISH, (slow,))
    [late] = after(lab, seen.failure_id)

    assert (seen.job_id, late.job_id) == (quick, slow)
    assert (seen.error, late.error) == ("QuickError", "SlowError")


def test_a_retried_job_is_gone_and_told_again_when_it_fails_again(lab: Lab) -> None:
    job = lab.defer("job", status="doing")
    lab.connection.execute(RECORD, (job, 1, "OSError"))
    lab.connection.execute(FINISH, (job,))
    [first] = after(lab)
    lab.connection.execute(RETRY, (job,))
    assert after(lab) == []
    lab.connection.execute(RECORD, (job, 1, "ValueError"))
    lab.connection.execute("UPDATE jobs.procrastinate_jobs SET status = 'doing'")
    assert after(lab) == []
    lab.connection.execute(FINISH, (job,))
    [again] = after(lab, first.failure_id)

    assert (again.job_id, again.attempt, again.error) == (job, 1, "ValueError")
    lab.connection.execute("DELETE FROM jobs.procrastinate_jobs")
    assert after(lab) == []


def test_numbers_are_given_in_the_order_of_commits(lab: Lab) -> None:
    """A reader that goes on from the last number it saw skips nothing."""
    head = last(lab)
    jobs = [lab.defer("job", status="doing") for _ in range(120)]
    seen: list[int] = []
    is_over = threading.Event()

    def fail(share: list[int]) -> None:
        luck = random.Random(share[0])
        with psycopg.connect(app_conninfo(lab.url)) as connection:
            for job in share:
                connection.execute(RECORD, (job, 1, "OSError"))
                if luck.random() < 0.5:
                    connection.commit()
                connection.execute(FINISH, (job,))
                time.sleep(luck.uniform(0, 0.01))
                connection.commit()

    def follow() -> None:
        position = head
        with connect(lab.url) as connection:
            while True:
                was_over = is_over.is_set()
                for one in failures_after(connection, position, 7):
                    seen.append(one.job_id)
                    position = one.failure_id
                if was_over and not failures_after(connection, position, 1):
                    return

    with ThreadPoolExecutor(7) as threads:
        following = threads.submit(follow)
        failing = [threads.submit(fail, jobs[n::6]) for n in range(6)]
        wait(failing, 60)
        is_over.set()
        for one in (*failing, following):
            one.result(10)
    assert sorted(seen) == jobs
