"""A key that another process destroys is forgotten here, whatever becomes of the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infrastructure.container import Container
from infrastructure.keys.keyring import KeyRing
from infrastructure.keys.listener import KeyDestructionListener
from infrastructure.postgres.notifications import NotificationHub
from interfaces.cli.running import projections_woken, working
from tests.support.archive import MASTER, Ledger, app_conninfo
from tests.support.archive_fixture import open_test_container
from tests.support.eventually import eventually
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

NAME = "key-listener-test"


class WatchedRing(KeyRing):
    """Says how often it was to forget everything."""

    cleared = 0

    def forget_all(self) -> None:
        super().forget_all()
        self.cleared += 1

    def holds(self, subject: UUID) -> bool:
        return subject in self._cache


@pytest.fixture
def ring(own_ledger: Ledger) -> WatchedRing:
    return WatchedRing(own_ledger.pool, MASTER)


@pytest.fixture
def hub(own_ledger: Ledger) -> Iterator[NotificationHub]:
    hub = NotificationHub(make_conninfo(app_conninfo(own_ledger.url), application_name=NAME))
    yield hub
    hub.stop()


@pytest.fixture
def listener(hub: NotificationHub, ring: WatchedRing) -> Iterator[KeyDestructionListener]:
    listener = KeyDestructionListener(hub, ring)
    listener.start()
    eventually(lambda: ring.cleared == 1)  # it listens
    yield listener
    listener.stop()


def other_process(ledger: Ledger) -> KeyRing:
    return KeyRing(ledger.pool, MASTER)


def test_a_key_destroyed_elsewhere_is_forgotten(
    own_ledger: Ledger, ring: WatchedRing, listener: KeyDestructionListener
) -> None:
    gone, kept = uuid4(), uuid4()
    ring.ensure([gone, kept])
    other_process(own_ledger).destroy(gone)

    eventually(lambda: not ring.holds(gone))
    assert ring.holds(kept)
    assert list(ring.get([gone, kept])) == [kept]


def test_what_may_have_gone_unheard_is_forgotten(
    own_ledger: Ledger, ring: WatchedRing, listener: KeyDestructionListener
) -> None:
    """The connection is lost: everything is read again, and later destructions are heard."""
    subjects = [uuid4(), uuid4()]
    ring.ensure(subjects)
    with psycopg.connect(own_ledger.url, autocommit=True) as owner:
        [(was_killed,)] = owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (NAME,),
        ).fetchall()
    assert was_killed
    eventually(lambda: ring.cleared == 3)  # when it was lost, and when it listens again
    assert not any(map(ring.holds, subjects))

    ring.ensure(subjects)
    other_process(own_ledger).destroy(subjects[0])
    eventually(lambda: not ring.holds(subjects[0]))


def test_a_notification_that_names_no_key_is_survived(
    own_ledger: Ledger,
    ring: WatchedRing,
    listener: KeyDestructionListener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever may use the database may notify."""
    subjects = [uuid4(), uuid4()]
    ring.ensure(subjects)
    with psycopg.connect(own_ledger.url, autocommit=True) as owner:
        owner.execute("NOTIFY key_destroyed, 'no such thing'")
    eventually(lambda: ring.cleared == 2)  # nobody knows which key was meant
    assert not any(map(ring.holds, subjects))
    eventually(lambda: "ValueError" in caplog.text)  # said after the keys are forgotten
    assert "no such thing" not in caplog.text

    ring.ensure(subjects)
    other_process(own_ledger).destroy(subjects[0])
    eventually(lambda: not ring.holds(subjects[0]))


def test_without_a_database_it_goes_on_trying_and_stops_when_asked(
    own_ledger: Ledger, ring: WatchedRing
) -> None:
    """Until then, it keeps no key: nobody would tell it."""
    hub = NotificationHub("host=127.0.0.1 port=1 dbname=nothing")
    listener = KeyDestructionListener(hub, ring)
    listener.start()
    eventually(lambda: ring.cleared > 2)
    listener.stop()
    cleared = ring.cleared
    listener.stop()
    hub.stop()

    assert ring.cleared == cleared


def test_it_may_be_started_twice_and_again_after_a_stop(
    own_ledger: Ledger, ring: WatchedRing, listener: KeyDestructionListener
) -> None:
    listener.start()
    assert ring.cleared == 1
    listener.stop()
    listener.start()

    eventually(lambda: ring.cleared == 2)


def test_a_key_destroyed_while_it_is_fetched_is_not_kept(
    own_ledger: Ledger, ring: WatchedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notification may come between the query and its answer's arrival in memory."""
    subject = uuid4()
    ring.ensure([subject])
    ring.forget(subject)
    unwrap = ring._unwrap

    def unwrap_late(id: UUID, wrapped: bytes | None) -> object:
        ring.forget(id)
        return unwrap(id, wrapped)

    monkeypatch.setattr(ring, "_unwrap", unwrap_late)
    ring.get([subject])

    assert not ring.holds(subject)


@pytest.mark.parametrize("around", [projections_woken, working])
def test_whatever_runs_for_long_forgets_destroyed_keys(
    database_url: str,
    tmp_path: Path,
    around: Callable[[Container], AbstractContextManager[object]],
) -> None:
    subject = uuid4()
    with open_test_container(database_url, tmp_path) as container, around(container):
        # Until it listens, it may forget everything once more.
        eventually(lambda: container.keyring._forgotten > 0)
        container.keyring.ensure([subject])
        with open_test_container(database_url, tmp_path) as other:
            other.keyring.destroy(subject)

        eventually(lambda: subject not in container.keyring._cache)
        assert container.keyring.get([subject]) == {}


def test_one_connection_hears_all_and_ends_with_the_container(
    database_url: str, tmp_path: Path
) -> None:
    def listening() -> set[int]:
        with psycopg.connect(database_url, autocommit=True) as owner:
            rows = owner.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND query ~ '^(UN)?LISTEN'"
            ).fetchall()
        return {pid for (pid,) in rows}

    with open_test_container(database_url, tmp_path) as container:
        container.start_background()
        container.follower.start()
        assert container.positions.wait(["uploads"], 0, timeout_seconds=5)
        eventually(lambda: container.keyring._forgotten > 0)
        assert listening() == {container.notifications.backend_pid}

    eventually(lambda: listening() == set())
