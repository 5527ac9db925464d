"""Connections to a server that goes away: nobody waits for long, and all is well soon after."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg
import pytest

from infrastructure.postgres.connection import impatient
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.watch import GRACE_SECONDS, DatabaseWatch
from tests.support.crashable import CrashableServer, crashable_server, restart
from tests.support.eventually import eventually

END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE pid <> %s AND backend_type = 'client backend'
"""


@pytest.fixture(scope="module")
def server() -> Iterator[CrashableServer]:
    with crashable_server() as crashable:
        yield crashable


@contextmanager
def watched_pool(url: str, *, size: int = 4) -> Iterator[tuple[Pool, DatabaseWatch]]:
    watch = DatabaseWatch(impatient(url))
    watch.start()
    pool = Pool(impatient(url), max_size=size, open=True, kwargs={"autocommit": True}, watch=watch)
    try:
        pool.wait(10)
        yield pool, watch
    finally:
        pool.close()
        watch.stop()


def asked(pool: Pool) -> float | str:
    """How long an answer took, or an error, whose class is told, too."""
    began = time.monotonic()
    try:
        with pool.connection() as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return f"{type(error).__name__} after {time.monotonic() - began:.0f} s"
    return time.monotonic() - began


def test_a_connection_that_the_server_closed_is_not_handed_out(server: CrashableServer) -> None:
    with watched_pool(server.url) as (pool, watch):
        for _ in range(5):
            with psycopg.connect(server.url, autocommit=True) as other:
                other.execute(END_OTHERS, (other.info.backend_pid,))
            assert isinstance(asked(pool), float)
            # Its own connection was ended, too; if that was while it asked, it asks once more.
            eventually(lambda: not watch.is_away, 5)


def test_during_an_outage_one_waits_as_long_as_a_restart_takes_and_then_not_at_all(
    server: CrashableServer,
) -> None:
    with watched_pool(server.url) as (pool, watch):
        assert isinstance(asked(pool), float)
        server.kill()
        began = time.monotonic()
        assert isinstance(asked(pool), str)
        assert time.monotonic() - began < GRACE_SECONDS + 2
        eventually(lambda: watch.away_seconds > GRACE_SECONDS, 5)
        for _ in range(100):
            assert asked(pool) == "DatabaseAwayError after 0 s"

        restart(server)
        back = time.monotonic()
        eventually(lambda: isinstance(asked(pool), float), 5)
        assert time.monotonic() - back < 2


def test_a_short_restart_is_only_a_pause(server: CrashableServer) -> None:
    with watched_pool(server.url) as (pool, watch):
        assert isinstance(asked(pool), float)
        killed = time.monotonic()
        server.kill()
        eventually(lambda: watch.is_away, 5)
        threading.Thread(target=restart, args=(server,)).start()
        outcome = asked(pool)
        eventually(server.answers, 30)
        if time.monotonic() - killed < GRACE_SECONDS:  # a busy machine recovers more slowly
            assert isinstance(outcome, float)
        eventually(lambda: isinstance(asked(pool), float), 5)


def test_many_connections_are_there_again_soon_after_a_long_outage(
    server: CrashableServer,
) -> None:
    """The stock pool's attempts would be more than ten seconds apart by then."""
    with watched_pool(server.url, size=8) as (pool, _):
        taken = [pool.getconn() for _ in range(8)]
        server.kill()
        for connection in taken:
            pool.putconn(connection)
        time.sleep(12)
        restart(server)
        back = time.monotonic()
        eventually(lambda: isinstance(asked(pool), float), 5)
        taken = [pool.getconn() for _ in range(8)]
        assert time.monotonic() - back < 4
        for connection in taken:
            pool.putconn(connection)


def test_a_statement_of_a_server_that_hangs_is_given_up(server: CrashableServer) -> None:
    with watched_pool(server.url) as (pool, watch), pool.connection() as slow:
        stopped = [server._process, *server._process.children(recursive=True)]
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                slow.execute("SELECT 1")
            assert time.monotonic() - began < 4.5
            assert slow.closed
            eventually(lambda: watch.away_seconds > GRACE_SECONDS, 5)
            assert asked(pool) == "DatabaseAwayError after 0 s"
        finally:
            for process in stopped:
                if process.status() != psutil.STATUS_ZOMBIE:
                    process.send_signal(signal.SIGCONT)
        eventually(lambda: isinstance(asked(pool), float), 5)


def test_a_statement_that_is_much_work_goes_on(server: CrashableServer) -> None:
    with watched_pool(server.url) as (pool, watch), pool.connection() as connection:
        connection.execute("SELECT pg_sleep(4)")
        assert not watch.is_away


def test_a_closed_pool_does_not_wait_for_a_server_that_is_away(server: CrashableServer) -> None:
    with watched_pool(server.url) as (pool, _):
        server.kill()
        assert isinstance(asked(pool), str)
        began = time.monotonic()
        pool.close()
        assert time.monotonic() - began < 1.5
    restart(server)


def test_what_a_connection_string_says_stays() -> None:
    assert "connect_timeout=30" in impatient("postgresql://me@there/db?connect_timeout=30")
    assert "tcp_user_timeout=5000" in impatient("postgresql://me@there/db?connect_timeout=30")
