"""Jobs whose worker is gone, or has lost them, run again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from procrastinate import App
from psycopg.types.json import Jsonb

from infrastructure.jobs.reaper import Reaper
from tests.support.eventually import eventually
from tests.support.jobs import Lab, make_marking_app, once, open_lab, working

pytest_plugins = ["tests.support.job_fixtures"]


LOCK = "projection:uploads"
ADVANCE = "projections:advance"


def reaper(
    app: App, *, limits: Mapping[str, float] | None = None, running: Collection[int] = ()
) -> Reaper:
    return Reaper(app=app, stalled_seconds=30, limits=limits or {}, running=running)


def test_a_job_that_failed_while_its_twin_waits_makes_way_for_the_twin(lab: Lab) -> None:
    """Procrastinate's retry cannot put it back, and its lock blocks the twin for ever."""
    first = lab.defer("quick", lock=LOCK, queueing_lock=LOCK)
    gone = lab.register_worker()
    assert lab.fetch(gone) == first
    twin = lab.defer("quick", lock=LOCK, queueing_lock=LOCK)
    lab.connection.execute("DELETE FROM jobs.procrastinate_workers")
    assert lab.fetch(lab.register_worker()) is None  # the wedge
    assert once(lab.url, lambda app: reaper(app).reap([])) == [first]
    assert lab.job(first) is None
    assert lab.fetch(lab.register_worker()) == twin


def test_a_job_of_a_worker_without_a_heartbeat_is_requeued_and_counts_the_attempt(
    lab: Lab,
) -> None:
    lost, kept = lab.defer("quick"), lab.defer("quick")
    assert lab.fetch(lab.register_worker(heartbeat_seconds_ago=31)) == lost
    assert lab.fetch(lab.register_worker(heartbeat_seconds_ago=29)) == kept
    assert once(lab.url, lambda app: reaper(app).reap([])) == [lost]
    assert (lab.status(lost), lab.status(kept)) == ("todo", "doing")
    assert [job["attempts"] for job in lab.jobs()] == [1, 0]


def test_reapers_that_meet_requeue_a_job_once(lab: Lab) -> None:
    lost = [lab.defer("quick") for _ in range(5)]
    for _ in lost:
        lab.fetch(lab.register_worker(heartbeat_seconds_ago=31))

    async def meet(app: App) -> None:
        await asyncio.gather(*[reaper(app).reap([]) for _ in range(4)])

    once(lab.url, meet)
    assert [(job["status"], job["attempts"]) for job in lab.jobs()] == [("todo", 1)] * 5


def test_a_step_that_outlives_its_limit_is_requeued_although_its_worker_lives(lab: Lab) -> None:
    slow = lab.defer(ADVANCE, lock=LOCK, queueing_lock=LOCK)
    other = lab.defer("quick")
    worker = lab.register_worker()
    assert [lab.fetch(worker), lab.fetch(worker)] == [slow, other]
    assert once(lab.url, lambda app: reaper(app, limits={ADVANCE: 60}).reap([])) == []
    lab.connection.execute("UPDATE jobs.procrastinate_events SET at = at - interval '61 s'")
    assert once(lab.url, lambda app: reaper(app, limits={ADVANCE: 60}).reap([])) == [slow]
    assert lab.status(other) == "doing"


def test_a_job_that_this_process_does_not_run_is_requeued_when_seen_twice(lab: Lab) -> None:
    lost, running = lab.defer("quick"), lab.defer("quick")
    worker = lab.register_worker()
    assert [lab.fetch(worker), lab.fetch(worker)] == [lost, running]

    async def rounds(app: App) -> list[list[int]]:
        own = reaper(app, running={running})
        return [await own.reap([worker]) for _ in range(2)]

    assert once(lab.url, rounds) == [[], [lost]]
    assert (lab.status(lost), lab.status(running)) == ("todo", "doing")


def test_a_discarded_job_is_not_requeued(lab: Lab) -> None:
    deferred = lab.defer("quick")
    lab.fetch(lab.register_worker(heartbeat_seconds_ago=31))
    lab.connection.execute("SELECT procrastinate_cancel_job_v1(%s, true, false)", (deferred,))
    assert once(lab.url, lambda app: reaper(app).reap([])) == [deferred]
    assert lab.jobs() == []


def test_a_job_whose_end_could_not_be_written_runs_again_although_its_worker_lives(
    database_url: str,
) -> None:
    """Its row says `doing`, and the worker's heart beats: nothing else would ever free it."""
    with open_lab(database_url) as lab:
        lab.connection.execute(
            """
            CREATE SEQUENCE public.ends;
            GRANT ALL ON SEQUENCE public.ends TO chatledger_app;
            CREATE FUNCTION public.fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('public.ends') = 1 THEN RAISE EXCEPTION 'a blip'; END IF;
                RETURN OLD;
            END $$;
            CREATE TRIGGER fail_once BEFORE DELETE ON jobs.procrastinate_jobs
                FOR EACH ROW EXECUTE FUNCTION public.fail_once();
            """
        )
        deferred = lab.defer("quick", lock=LOCK, args=Jsonb({}))
        with working(make_marking_app(lab.url)):
            eventually(lambda: lab.job(deferred) is None)
        assert [mark["attempts"] for mark in lab.marks("quick")] == [0, 1]
