"""PostgreSQL goes away under load and comes back: a real server process, and real PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from infrastructure.postgres.migrations import migrate
from tests.support import command
from tests.support.command import Running, start
from tests.support.eventually import eventually
from tests.support.outage import Answer, People, StoppableServer, stoppable_server

LIMIT_SECONDS = 5.0  # for an answer, and for being well again
KINDS = ("query", "upload", "search", "mutation")
EVENTS = "SELECT notification_id FROM log.archive_events"
UNFINISHED = """
SELECT upload_id, stage, error, attempts FROM read.upload
WHERE stage NOT IN ('searchable', 'refused')
"""
# Bytes that the outage cut off: a fact as well, but nobody was told that they are kept.
REFUSED = "SELECT position FROM read.upload WHERE stage = 'refused'"
SEARCHABLE = "SELECT count(*) FROM read.upload WHERE stage = 'searchable'"
BEHIND = "SELECT count(*) FROM projection.projection WHERE status = 'live' AND position < %s"


@pytest.fixture(scope="module")
def server() -> Iterator[StoppableServer]:
    with stoppable_server() as stoppable:
        migrate(stoppable.url)
        yield stoppable


@pytest.fixture(scope="module")
def serving(server: StoppableServer) -> Iterator[Running]:
    with command.home() as home, start(home / "data", "serve", DATABASE_URL=server.url) as running:
        eventually(running.is_ready, 60)
        warm_up(running)
        yield running
        assert running.process.poll() is None


def warm_up(running: Running) -> None:
    """
    The models are loaded, and on a new machine converted, when they are first needed: that is not
    what is measured here.
    """
    running.upload(b"author,timestamp,text\nAda,2026-01-02,warm ropes\n", "chat.csv", "warm")
    people = People(running.port, "warm")

    def is_found() -> bool:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=60) as client:
            return people.search(client).engine == "faiss"

    eventually(is_found, 120, interval_seconds=0.5)


def lasting(seconds: float) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "seconds",
        [seconds, pytest.param(30.0, marks=[pytest.mark.long, pytest.mark.timeout(600)])],
    )


@lasting(8.0)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_all_goes_on_soon_after_an_outage(
    server: StoppableServer, serving: Running, seconds: float, mode: str
) -> None:
    def outage() -> float:
        server.stop(mode)
        time.sleep(seconds)
        server.start()
        eventually(server.answers, 30)
        return time.monotonic()

    live_through(outage, server, serving, f"{mode}-{seconds:.0f}")


@lasting(8.0)
def test_all_goes_on_soon_after_a_server_that_hung(
    server: StoppableServer, serving: Running, seconds: float
) -> None:
    """Nothing is refused: whoever asks would wait, and so would whoever asks next."""

    def outage() -> float:
        with server.hanging():
            time.sleep(seconds)
        return time.monotonic()

    live_through(outage, server, serving, f"hanging-{seconds:.0f}")


def live_through(
    outage: Callable[[], float], server: StoppableServer, serving: Running, workspace: str
) -> None:
    people = People(serving.port, workspace)
    with people.at_work():
        eventually(lambda: all(good(people, kind, 0.0) for kind in KINDS), 60)
        eventually(lambda: people.followed, 30)
        eventually(lambda: by_faiss(people, 0.0), 30)
        time.sleep(2)
        gone = time.monotonic()
        back = outage()
        eventually(lambda: all(good(people, kind, back) for kind in KINDS), 20)
        eventually(lambda: by_faiss(people, back), 20)
        eventually(lambda: people.heard_at > back, 20)
        is_heard_at = time.monotonic()
        is_caught_up_at = caught_up(server, back)
        time.sleep(1)
    tell_and_check_answers(people, gone, back)
    assert people.strange == []
    tell(f"read models {is_caught_up_at - back:.1f} s, events {is_heard_at - back:.1f} s")
    well = {kind: good(people, kind, back)[0] for kind in KINDS}
    for kind, answer in well.items():
        assert answer.began + answer.seconds < back + LIMIT_SECONDS, kind
    faiss = by_faiss(people, back)[0]
    tell(f"FAISS {faiss.began + faiss.seconds - back:.1f} s")
    assert faiss.began + faiss.seconds < back + LIMIT_SECONDS
    assert is_heard_at < back + LIMIT_SECONDS
    assert is_caught_up_at < back + LIMIT_SECONDS
    assert_nothing_is_lost(server, people)


def tell(what: str) -> None:
    """For `pytest -rP`."""
    print(what)  # noqa: T201


def good(people: People, kind: str, since: float) -> list[Answer]:
    return [a for a in list(people.answers) if a.kind == kind and a.is_good and a.began > since]


def by_faiss(people: People, since: float) -> list[Answer]:
    return [answer for answer in good(people, "search", since) if answer.engine == "faiss"]


def caught_up(server: StoppableServer, back: float) -> float:
    """When what had been uploaded by the return was searchable, and the read models had that."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute("SELECT max(notification_id) FROM log.archive_events").fetchone()
        assert row is not None
        eventually(lambda: connection.execute(BEHIND, row).fetchone() == (0,), 30)
    return time.monotonic()


def tell_and_check_answers(people: People, gone: float, back: float) -> None:
    """Whatever was asked while the database was away was answered soon, and with a reason."""
    during = [a for a in people.answers if gone < a.began < back - 0.5]
    reasons = {(a.kind, a.status, a.code) for a in during if not a.is_good}
    slowest = max(
        (a for a in people.answers if a.began + a.seconds > gone), key=lambda a: a.seconds
    )
    for kind in KINDS:
        first = good(people, kind, back)[0]
        tell(f"{kind}: well {first.began + first.seconds - back:.1f} s after the return")
    tell(f"{len(during)} answers during the outage: {reasons}")
    tell(f"the slowest, {slowest.began - gone:.1f} s after its beginning: {slowest}")
    assert {status for _, status, _ in reasons} == {503}, reasons
    assert {code.lower() for _, _, code in reasons} <= {"unavailable"}, reasons
    assert {kind for kind, _, _ in reasons} == set(KINDS)
    assert slowest.seconds < LIMIT_SECONDS


def assert_nothing_is_lost(server: StoppableServer, people: People) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        stored = {row[0] for row in connection.execute(EVENTS)}
        assert people.recorded <= stored
        assert people.created
        assert len(set(people.created.values())) == len(people.created)  # each was made once
        assert set(people.created.values()) <= stored
        assert people.followed == sorted(set(people.followed))
        # Every upload that was acknowledged becomes searchable by itself.
        deadline = time.monotonic() + 60
        while unfinished := connection.execute(UNFINISHED).fetchall():
            assert time.monotonic() < deadline, unfinished
            time.sleep(0.5)
        refused = {row[0] for row in connection.execute(REFUSED)}
        assert not refused & people.recorded
        found = connection.execute(SEARCHABLE).fetchone()
        assert found is not None
        assert found[0] >= len(people.recorded)
    last = people.followed[-1]
    assert {position for position in people.recorded if position <= last} <= set(people.followed)
