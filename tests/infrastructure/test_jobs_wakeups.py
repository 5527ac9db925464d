"""After a commit every projection that is behind gets one job, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.workspace import Workspace
from infrastructure.jobs.sweeper import ask_for_maintenance, sweep
from infrastructure.jobs.wakeups import Waker, wake_projection
from infrastructure.log.recorder import AppendOnlyRecorder
from tests.support.archive import Ledger
from tests.support.eventually import eventually
from tests.support.jobs import Lab, once, open_lab, outage

pytest_plugins = ["tests.support.job_fixtures"]


FETCH = "SELECT id FROM jobs.procrastinate_fetch_job_v2('{projections}', %s)"


@pytest.fixture
def waker(lab_url: str) -> Iterator[Waker]:
    waker = Waker(lab_url, first_wait_seconds=0.05, longest_wait_seconds=0.1)
    yield waker
    waker.stop()


def waiting(lab: Lab) -> list[str]:
    return [job["args"]["name"] for job in lab.jobs("status = 'todo'")]


def kill_waker(lab: Lab) -> None:
    """Its connection is the only one that has run this statement last."""
    lab.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE '%INSERT INTO jobs.procrastinate_jobs%'"
        " AND pid <> pg_backend_pid()"
    )


def test_a_burst_of_commits_wakes_each_projection_that_is_behind_once(
    lab: Lab, waker: Waker
) -> None:
    lab.add_projection("uploads")
    lab.add_projection("messages")
    lab.add_projection("stuck", status="halted")
    lab.add_projection("growing", status="building")
    lab.add_projection("ahead", position=1_000)
    for _ in range(50):
        lab.add_event()
        waker.wake()
    eventually(lambda: waiting(lab) == ["messages", "uploads"])
    waker.stop()
    assert waiting(lab) == ["messages", "uploads"]
    [job, _] = lab.jobs()
    assert "projection:messages" == job["lock"] == job["queueing_lock"]
    assert (job["queue_name"], job["task_name"]) == ("projections", "projections:advance")


def test_a_commit_while_the_last_wakeup_is_being_worked_on_is_not_lost(
    lab: Lab, waker: Waker
) -> None:
    """Asked for inside the transaction it would be: the job that waited ran before the commit."""
    lab.add_projection("uploads")
    lab.add_event()
    waker.wake()
    eventually(lambda: waiting(lab))
    with psycopg.connect(lab.url, autocommit=True) as appending, appending.transaction():
        appending.execute(
            "INSERT INTO log.archive_events (originator_id, originator_version, topic, state,"
            " actor_id, correlation_id) VALUES (gen_random_uuid(), 1, 'test', '',"
            " gen_random_uuid(), gen_random_uuid())"
        )
        # The job runs now, and cannot see this event. Here nothing would be queued for it.
        assert not wake_projection(appending, "uploads")
        lab.fetch(lab.register_worker(), "projections")
    assert waiting(lab) == []
    waker.wake()
    eventually(lambda: waiting(lab) == ["uploads"])


def test_a_wakeup_that_meets_a_job_just_being_fetched_waits_and_is_queued(
    lab: Lab, waker: Waker
) -> None:
    lab.add_projection("uploads")
    lab.add_event()
    waker.wake()
    eventually(lambda: waiting(lab))
    options = "-c search_path=jobs,public"
    with psycopg.connect(lab.url, options=options) as fetching:
        fetching.execute(FETCH, (lab.register_worker(),))
        waker.wake()
        eventually(
            lambda: (
                lab.connection.execute(
                    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                ).rowcount
            )
        )
    eventually(lambda: [job["status"] for job in lab.jobs()] == ["doing", "todo"])


def test_a_lost_connection_is_replaced_and_the_wakeup_is_made_up_for(
    lab: Lab, waker: Waker
) -> None:
    lab.add_projection("uploads")
    lab.add_event()
    waker.wake()
    eventually(lambda: waiting(lab))
    lab.connection.execute("DELETE FROM jobs.procrastinate_jobs")
    kill_waker(lab)
    waker.wake()
    eventually(lambda: waiting(lab) == ["uploads"])


def test_while_the_database_is_away_wakeups_neither_wait_nor_get_lost(
    lab: Lab, waker: Waker
) -> None:
    lab.add_projection("uploads")
    lab.add_event()
    with outage(lab.url):
        started = time.perf_counter()
        for _ in range(1_000):
            waker.wake()
        assert time.perf_counter() - started < 0.5
        time.sleep(0.2)  # several attempts fail
    with open_lab(lab.url) as again:
        eventually(lambda: waiting(again) == ["uploads"])


def test_stopping_carries_out_the_last_wakeup(lab: Lab) -> None:
    lab.add_projection("uploads")
    lab.add_event()
    waker = Waker(lab.url, pause_seconds=0.5)
    waker.wake()
    eventually(lambda: waiting(lab))
    lab.connection.execute("DELETE FROM jobs.procrastinate_jobs")
    waker.wake()  # within the pause
    waker.stop()
    assert waiting(lab) == ["uploads"]


def test_an_append_succeeds_whatever_becomes_of_its_wakeup(ledger: Ledger) -> None:
    waker = Waker(make_conninfo(ledger.url, dbname="nowhere"))
    recorder = ledger.archive.recorder
    assert isinstance(recorder, AppendOnlyRecorder)
    recorder.on_commit = waker.wake
    assert ledger.record(Workspace.create("One")) == ledger.head()
    waker.stop()


def test_the_sweeper_finds_a_lost_wakeup_and_leaves_a_halted_projection_alone(lab: Lab) -> None:
    lab.add_projection("uploads")
    lab.add_projection("messages")
    lab.add_projection("stuck", status="halted")
    lab.add_event()
    assert once(lab.url, sweep) == ["messages", "uploads"]
    assert waiting(lab) == ["messages", "uploads"]
    assert once(lab.url, sweep) == []  # both wait already


def test_nobody_asks_to_step_what_another_definition_built(lab: Lab) -> None:
    """Until it is rebuilt nobody can; and a version to go back to is kept up to date."""
    lab.add_projection("uploads")
    lab.add_projection("messages")
    lab.add_projection("stranger")
    lab.add_projection("rolled_back")
    lab.connection.execute(
        "INSERT INTO projection.projection (name, version, code_version, status)"
        " VALUES ('rolled_back', 2, 2, 'retired')"
    )
    lab.add_event()
    known = {"uploads": 1, "messages": 2, "rolled_back": 2}
    waker = Waker(lab.url, code_versions=known)
    waker.wake()
    waker.stop()
    assert waiting(lab) == ["rolled_back", "uploads"]
    lab.connection.execute("DELETE FROM jobs.procrastinate_jobs")
    assert once(lab.url, partial(sweep, code_versions=known)) == ["rolled_back", "uploads"]
    assert once(lab.url, partial(ask_for_maintenance, code_versions=known)) == ["uploads"]


def test_the_sweeper_leaves_a_projection_alone_that_has_reached_the_head(lab: Lab) -> None:
    lab.add_projection("uploads", position=lab.add_event())
    assert once(lab.url, sweep) == []


def test_housekeeping_has_a_queue_of_its_own_and_one_job_for_each_read_model(lab: Lab) -> None:
    lab.add_projection("uploads")
    assert once(lab.url, ask_for_maintenance) == ["uploads"]
    assert once(lab.url, ask_for_maintenance) == []
    assert [job["queue_name"] for job in lab.jobs()] == ["maintenance"]
