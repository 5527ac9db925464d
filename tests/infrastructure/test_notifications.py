"""One connection hears for the whole process, and comes back by itself."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from infrastructure.postgres.listening import ListeningConnection
from infrastructure.postgres.notifications import NotificationHub
from tests.support.eventually import eventually
from tests.support.jobs import outage


@dataclass(slots=True)
class Ear:
    """Remembers what it was told."""

    payloads: list[str] = field(default_factory=list)
    connects: int = 0
    disconnects: int = 0
    inside: int = 0
    most_inside: int = 0

    def on_payload(self, payload: str) -> None:
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        self.payloads.append(payload)
        self.inside -= 1

    def on_connect(self) -> None:
        self.connects += 1

    def on_disconnect(self) -> None:
        self.disconnects += 1

    def subscribe(self, hub: NotificationHub, channel: str) -> Callable[[], None]:
        return hub.subscribe(
            channel, self.on_payload, self.on_connect, on_disconnect=self.on_disconnect
        )


@pytest.fixture
def hub(database_url: str) -> Iterator[NotificationHub]:
    hub = NotificationHub(database_url)
    hub.start()
    yield hub
    hub.stop()


def notify(url: str, channel: str, *payloads: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for payload in payloads:
            connection.execute("SELECT pg_notify(%s, %s)", (channel, payload))


def heard(hub: NotificationHub, channel: str) -> Ear:
    """One who hears already."""
    ear = Ear()
    ear.subscribe(hub, channel)
    eventually(lambda: ear.connects)
    return ear


def kill(url: str, hub: NotificationHub) -> None:
    pid = eventually(lambda: hub.backend_pid)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_terminate_backend(%s)", (pid,)).fetchone()
    assert row == (True,)


def connections(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(row[0]) if row else 0


def test_each_channel_is_heard_in_order_by_its_subscribers(
    database_url: str, hub: NotificationHub
) -> None:
    first, second, other = heard(hub, "one"), heard(hub, "one"), heard(hub, "Two; '\"")
    payloads = [str(number) for number in range(300)]
    notify(database_url, "one", *payloads)
    notify(database_url, "Two; '\"", "ü")

    eventually(lambda: other.payloads)
    assert first.payloads == second.payloads == payloads
    assert other.payloads == ["ü"]
    assert first.most_inside == 1
    assert connections(database_url) == 1


def test_who_subscribes_while_it_runs_hears_at_once(
    database_url: str, hub: NotificationHub
) -> None:
    heard(hub, "one")
    began = time.monotonic()
    ear = heard(hub, "two")
    assert time.monotonic() - began < 1
    notify(database_url, "two", "x")
    eventually(lambda: ear.payloads == ["x"])
    assert ear.connects == 1


def test_what_a_subscriber_is_told_on_connecting_comes_after_it_hears(
    database_url: str, hub: NotificationHub
) -> None:
    """Whoever looks then, and listens from then on, misses nothing."""
    payloads: list[str] = []
    hub.subscribe("one", payloads.append, lambda: notify(database_url, "one", "from within"))
    eventually(lambda: payloads == ["from within"])


def test_a_killed_connection_comes_back_within_a_second(
    database_url: str, hub: NotificationHub, caplog: pytest.LogCaptureFixture
) -> None:
    ear = heard(hub, "one")
    for number in range(1, 11):
        kill(database_url, hub)
        began = time.monotonic()
        eventually(lambda: ear.disconnects > len(ear.payloads))
        eventually(lambda: ear.connects > ear.disconnects)
        assert time.monotonic() - began < 1
        assert ear.disconnects == number
        notify(database_url, "one", str(number))
        eventually(lambda: ear.payloads[-1:] == [str(ear.disconnects)])
    assert caplog.text.count("notifications are not heard for now") == 10
    assert urlsplit(database_url).path not in caplog.text
    assert connections(database_url) == 1


def test_after_an_outage_it_is_back_within_a_second(
    database_url: str, hub: NotificationHub
) -> None:
    ear = heard(hub, "one")
    for seconds in (0.3, 2.5):
        with outage(database_url):
            eventually(lambda: not hub.is_connected)
            time.sleep(seconds)
            assert not hub.is_connected
        began = time.monotonic()
        eventually(lambda: hub.is_connected)
        assert time.monotonic() - began < 1
    eventually(lambda: ear.connects == 3)
    notify(database_url, "one", "x")
    eventually(lambda: ear.payloads == ["x"])


def test_what_a_subscriber_raises_harms_nobody(
    database_url: str, hub: NotificationHub, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(payload: str) -> None:
        raise ValueError(payload)

    def fail_to_connect() -> None:
        raise ZeroDivisionError

    hub.subscribe("one", fail, fail_to_connect)
    ear = heard(hub, "one")
    notify(database_url, "one", "what Ada said", "again")
    eventually(lambda: len(ear.payloads) == 2)
    assert caplog.text.count("a subscriber of one failed: ValueError") == 2
    assert "ZeroDivisionError" in caplog.text
    assert "Ada" not in caplog.text


def test_who_has_unsubscribed_is_told_nothing(database_url: str, hub: NotificationHub) -> None:
    gone, kept = Ear(), heard(hub, "one")
    unsubscribe = gone.subscribe(hub, "one")
    eventually(lambda: gone.connects)
    unsubscribe()
    unsubscribe()
    notify(database_url, "one", "x")
    eventually(lambda: kept.payloads)
    kill(database_url, hub)
    eventually(lambda: kept.connects == 2)
    assert (gone.payloads, gone.connects, gone.disconnects) == ([], 1, 0)


def test_a_subscriber_may_subscribe_and_unsubscribe_from_within(
    database_url: str, hub: NotificationHub
) -> None:
    inner = Ear()
    ends: list[Callable[[], None]] = []

    def once(payload: str) -> None:
        del payload
        ends.pop()()
        inner.subscribe(hub, "two")

    ends.append(hub.subscribe("one", once))
    heard(hub, "one")
    notify(database_url, "one", "x", "y")
    eventually(lambda: inner.connects)
    notify(database_url, "two", "z")
    eventually(lambda: inner.payloads == ["z"])


def test_without_a_server_it_goes_on_trying_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub = NotificationHub("host=127.0.0.1 port=1 dbname=nothing user=ada")
    ear = Ear()
    ear.subscribe(hub, "one")
    with caplog.at_level(logging.WARNING):
        hub.start()
        eventually(lambda: ear.disconnects > 3)
    assert not hub.is_connected
    assert hub.backend_pid is None
    hub.stop()
    tries = ear.disconnects
    hub.stop()
    time.sleep(0.3)
    assert ear.disconnects == tries
    assert ear.connects == 0
    assert len(caplog.records) == 1
    assert "ada" not in caplog.text


def test_a_server_that_refuses_to_be_listened_to_is_asked_ever_more_seldom(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a standby does: it lets everybody connect."""
    refusals: list[float] = []

    def refuse(connection: ListeningConnection, word: str, channel: str) -> None:
        del connection, word, channel
        refusals.append(time.monotonic())
        raise psycopg.errors.ObjectNotInPrerequisiteState("no LISTEN here")

    hub = NotificationHub(database_url)
    ear = Ear()
    with caplog.at_level(logging.INFO):
        with monkeypatch.context() as standby:
            standby.setattr(ListeningConnection, "_command", refuse)
            ear.subscribe(hub, "one")
            hub.start()
            time.sleep(2.5)
            assert 2 <= len(refusals) <= 6
            assert len(caplog.records) == 1
        eventually(lambda: ear.connects)
        eventually(lambda: "heard again" in caplog.text)
    hub.stop()


def test_it_may_be_started_twice_and_again_after_a_stop(
    database_url: str, hub: NotificationHub
) -> None:
    hub.start()
    ear = heard(hub, "one")
    assert connections(database_url) == 1
    hub.stop()
    eventually(lambda: connections(database_url) == 0)
    assert not hub.is_connected
    hub.start()
    eventually(lambda: ear.connects == 2)
    notify(database_url, "one", "x")
    eventually(lambda: ear.payloads == ["x"])
    assert [t.name for t in threading.enumerate()].count("notifications") == 1


def test_stopping_is_quick_while_nothing_happens(hub: NotificationHub) -> None:
    heard(hub, "one")
    time.sleep(0.1)
    began = time.monotonic()
    hub.stop()
    assert time.monotonic() - began < 0.5


class Wire:
    """Between the hub and the server; it may fall silent without closing anything."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder = folder
        self.is_silent = False
        self._target = target
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._sockets += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        was_silent = self.is_silent
        try:
            while data := source.recv(65536):
                if not self.is_silent and not was_silent:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


def test_a_connection_that_is_dead_without_being_closed_is_noticed(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As behind a firewall that forgot it, or when the other machine lost its power."""
    facts = conninfo_to_dict(database_url)
    folder = tmp_path_factory.mktemp("w")
    wire = Wire(folder, f"{facts['host']}/.s.PGSQL.{facts['port']}")
    conninfo = psycopg.conninfo.make_conninfo(database_url, host=str(folder), port=5432)
    hub = NotificationHub(conninfo, probe_seconds=0.2, answer_seconds=2)
    ear = Ear()
    ear.subscribe(hub, "one")
    hub.start()
    eventually(lambda: ear.connects == 1)
    time.sleep(0.6)  # probes are answered
    assert (ear.connects, ear.disconnects) == (1, 0)
    wire.is_silent = True
    eventually(lambda: ear.disconnects, 4)
    wire.is_silent = False
    eventually(lambda: ear.connects == 2, 5)
    notify(database_url, "one", "x")
    eventually(lambda: ear.payloads == ["x"])
    hub.stop()
    wire.close()


def test_notifications_during_a_probe_are_not_left_lying(database_url: str) -> None:
    """What comes together with an answer is told at once, not after the next wait."""
    hub = NotificationHub(database_url, probe_seconds=0.001)
    hub.start()
    ear = heard(hub, "one")
    payloads = [str(number) for number in range(500)]
    notify(database_url, "one", *payloads)
    eventually(lambda: len(ear.payloads) == 500)
    hub.stop()
    assert ear.payloads == payloads
