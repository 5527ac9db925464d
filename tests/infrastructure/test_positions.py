"""Waiting for read models: for as long as it takes, no longer, and for no connection."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from infrastructure.postgres.notifications import NotificationHub
from infrastructure.projections import position_reader, registry
from infrastructure.projections.positions import Positions
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from tests.support.archive import Ledger, app_conninfo
from tests.support.eventually import eventually
from tests.support.postgres import end_connections
from tests.support.read_models import Tallies, create_workspaces

NAME = ["tallies"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def positions(ledger: Ledger) -> Positions:
    return ledger.positions


def start(ledger: Ledger, *models: Any) -> ProjectionRunner:
    runner = ProjectionRunner(ledger.pool, ledger.reader, models or [Tallies()])
    runner.ensure_all()
    return runner


def know(ledger: Ledger) -> None:
    """Until the memory is complete: from then on it answers without the database."""
    ledger.positions.start()
    eventually(lambda: ledger.positions._known._is_complete)


def test_who_waits_wakes_at_once(ledger: Ledger, positions: Positions) -> None:
    runner = start(ledger)
    know(ledger)
    position = create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(positions.wait, NAME, position, 10) for _ in range(2)]
        time.sleep(0.2)
        assert not any(one.done() for one in waiting)
        began = time.monotonic()
        runner.advance("tallies")
        assert [one.result() for one in waiting] == [True, True]
        assert time.monotonic() - began < 0.5
    assert positions.wait(NAME, position, 0) is True


def test_a_wait_without_any_time_looks_once(ledger: Ledger, positions: Positions) -> None:
    """Also the first one of the process, which knows nothing yet."""
    runner = start(ledger)
    position = create_workspaces(ledger, ["team"])
    assert positions.wait(NAME, position, 0) is False
    runner.advance("tallies")
    fresh = Positions(ledger.hub, ledger.pool)
    assert fresh.wait(NAME, position, 0) is True
    assert asyncio.run(fresh.wait_async(NAME, position, 0)) is True
    assert asyncio.run(fresh.wait_async(NAME, position + 1, 0)) is False
    fresh.close()


def test_it_waits_for_all_of_them(ledger: Ledger, positions: Positions) -> None:
    runner = start(ledger, Tallies(), Tallies(name="others"))
    position = create_workspaces(ledger, ["team"])
    runner.advance("tallies")
    assert positions.wait(["tallies", "others"], position, 0.3) is False
    assert positions.wait(["tallies", "nothing"], 0, 0.3) is False
    assert positions.wait([], position, 0) is True
    runner.advance("others")
    assert positions.wait(["tallies", "others"], position, 5) is True


def test_a_wait_ends_with_its_time_or_when_it_should_stop(
    ledger: Ledger, positions: Positions
) -> None:
    start(ledger)
    position = create_workspaces(ledger, ["team"])
    began = time.monotonic()
    assert positions.wait(NAME, position, 0.3) is False
    assert 0.25 < time.monotonic() - began < 1
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 60, stop.is_set)
        time.sleep(0.2)
        stop.set()
        assert waiting.result(1) is False


def test_what_is_halted_is_not_waited_for(ledger: Ledger, positions: Positions) -> None:
    """Before the wait, during it, and no longer once it goes on."""
    poison = {"team"}
    runner = start(ledger, Tallies(poison=poison))
    know(ledger)
    fine, position = create_workspaces(ledger, ["fine"]), create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 60)
        runner.advance("tallies")
        assert waiting.result(3) is False
    began = time.monotonic()
    assert positions.wait(NAME, position, 60) is False
    assert time.monotonic() - began < 1
    assert positions.wait(NAME, fine, 0) is True
    poison.clear()
    runner.resume("tallies")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 60)
        time.sleep(0.2)
        assert not waiting.done()
        runner.advance("tallies")
        assert waiting.result(3) is True


def test_a_rebuild_and_a_rollback_change_what_is_known(
    ledger: Ledger, positions: Positions
) -> None:
    runner = start(ledger)
    rebuilder = ProjectionRebuilder(runner)
    moves: list[tuple[str, int]] = []
    know(ledger)
    end = positions.listen(lambda name, position: moves.append((name, position)))
    position = create_workspaces(ledger, ["team", "other"])
    rebuilder.rebuild("tallies")  # reads what the version before never read
    assert positions.wait(NAME, position, 5) is True
    later = create_workspaces(ledger, ["third"])
    assert positions.wait(NAME, later, 0) is False
    rebuilder.roll_back("tallies")
    assert positions.wait(NAME, later, 5) is True
    eventually(lambda: ("tallies", later) in moves)
    end()
    count = len(moves)
    runner.advance("tallies")
    assert positions.wait(NAME, create_workspaces(ledger, ["x"]), 0.1) is False
    assert len(moves) == count


def test_a_step_back_is_known_after_a_lost_connection(ledger: Ledger, positions: Positions) -> None:
    """As when the database is restored: memory must not promise what is there no longer."""
    runner = start(ledger)
    know(ledger)
    position = create_workspaces(ledger, ["team"])
    runner.advance("tallies")
    assert positions.wait(NAME, position, 5) is True
    ledger.hub.stop()
    with ledger.pool.connection() as connection:
        connection.execute("UPDATE projection.projection SET position = 0")
    assert positions.wait(NAME, position, 0.2) is False
    ledger.hub.start()
    know(ledger)
    assert positions.wait(NAME, position, 0.2) is False


def test_a_lost_notification_hangs_nobody(
    ledger: Ledger, positions: Positions, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(ledger)
    know(ledger)
    monkeypatch.setattr(registry, "announce", lambda *_: None)
    position = create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 20)
        time.sleep(0.1)
        runner.advance("tallies")
        assert waiting.result(2) is True


def test_payloads_of_others_are_survived(ledger: Ledger, positions: Positions) -> None:
    """Whoever may use the database may notify."""
    runner = start(ledger)
    know(ledger)
    with ledger.pool.connection() as connection:
        for payload in ("", "tallies", "tallies x", "tallies -5", " 7", "tallies ²"):
            connection.execute("SELECT pg_notify('projection_moved', %s)", (payload,))
    position = create_workspaces(ledger, ["team"])
    runner.advance("tallies")
    assert positions.wait(NAME, position, 5) is True


async def test_hundreds_of_waiters_cost_one_connection(ledger: Ledger) -> None:
    """And those in threads none at all."""
    runner = start(ledger)
    conninfo = app_conninfo(ledger.url)
    with ConnectionPool(conninfo, max_size=1, min_size=1, kwargs={"autocommit": True}) as pool:
        hub = NotificationHub(conninfo)
        positions = Positions(hub, pool)
        position = create_workspaces(ledger, ["team"])
        waiting = [
            asyncio.ensure_future(positions.wait_async(NAME, position, 30)) for _ in range(500)
        ]
        with ThreadPoolExecutor(50) as threads:
            blocked = [threads.submit(positions.wait, NAME, position, 30) for _ in range(50)]
            await asyncio.sleep(0.7)
            assert not any(one.done() for one in (*waiting, *blocked))
            for _ in range(20):  # anybody may still have it
                with pool.connection(timeout=1) as connection:
                    connection.execute("SELECT 1")
            began = time.monotonic()
            await asyncio.to_thread(runner.advance, "tallies")
            assert await asyncio.gather(*waiting) == [True] * 500
            assert time.monotonic() - began < 2
            assert [one.result() for one in blocked] == [True] * 50
        assert not positions._known._waiters
        positions.close()
        hub.stop()


async def test_an_async_wait_ends_with_its_time_and_may_be_cancelled(
    ledger: Ledger, positions: Positions
) -> None:
    start(ledger)
    position = create_workspaces(ledger, ["team"])
    began = time.monotonic()
    assert await positions.wait_async(NAME, position, 0.3) is False
    assert 0.25 < time.monotonic() - began < 1
    waiting = asyncio.ensure_future(positions.wait_async(NAME, position, 60))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not positions._known._waiters


def test_closing_ends_every_wait(ledger: Ledger, positions: Positions) -> None:
    start(ledger)
    position = create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 60)
        time.sleep(0.2)
        positions.close()
        positions.close()
        assert waiting.result(1) is False


def test_after_closing_nothing_is_listened_to_any_more(
    ledger: Ledger, positions: Positions
) -> None:
    start(ledger)
    know(ledger)
    positions.close()
    ledger.hub.stop()
    began = time.monotonic()
    assert positions.wait(NAME, 10**9, 5) is False
    assert asyncio.run(positions.wait_async(NAME, 10**9, 5)) is False
    assert time.monotonic() - began < 1
    positions.listen(lambda _name, _position: None)
    time.sleep(0.3)
    assert not ledger.hub.is_connected
    assert not {"positions", "notifications"} & {t.name for t in threading.enumerate()}


def test_closing_waits_for_its_reader_without_holding_up_others(
    ledger: Ledger, positions: Positions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event loop enters there, too."""
    start(ledger)
    know(ledger)
    is_stopping = threading.Event()

    def stop() -> None:
        is_stopping.set()
        time.sleep(1)

    with monkeypatch.context() as slow, ThreadPoolExecutor(1) as threads:
        slow.setattr(positions._reader, "stop", stop)
        closing = threads.submit(positions.close)
        assert is_stopping.wait(5)
        began = time.monotonic()
        assert positions.wait(NAME, 10**9, 5) is False
        assert time.monotonic() - began < 0.5
        closing.result(5)
    positions._reader.stop()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(position_reader, "AWAY_SECONDS", 0.5)
    monkeypatch.setattr(position_reader, "CONNECTION_SECONDS", 0.2)


@pytest.fixture
def away() -> Iterator[Positions]:
    nowhere = "host=127.0.0.1 port=1 dbname=nothing"
    with ConnectionPool(nowhere, min_size=0, max_size=2, open=True) as pool:
        hub = NotificationHub(nowhere)
        positions = Positions(hub, pool)
        yield positions
        positions.close()
        hub.stop()


@pytest.mark.usefixtures("hasty")
def test_a_database_that_is_away_is_no_lagging_read_model(away: Positions) -> None:
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="cannot be read"):
        away.wait(NAME, 5, 60)
    with pytest.raises(psycopg.OperationalError, match="cannot be read"):
        asyncio.run(away.wait_async(NAME, 5, 60))
    assert time.monotonic() - began < 5


def test_a_killed_connection_fails_no_wait(ledger: Ledger, positions: Positions) -> None:
    runner = start(ledger)
    know(ledger)
    position = create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(positions.wait, NAME, position, 20)
        for _ in range(3):
            end_connections(ledger.url)
            time.sleep(0.3)
        assert not waiting.done()
        ledger.pool.check()  # for the runner, which does not try again
        runner.advance("tallies")
        assert waiting.result(3) is True
