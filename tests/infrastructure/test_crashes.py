"""PostgreSQL is killed with all its processes during appends: no event is lost or doubled."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import InterfaceError, OperationalError

from domain.workspace import Workspace
from infrastructure.log import recorder
from infrastructure.postgres.migrations import migrate
from tests.support.archive import Ledger, open_ledger
from tests.support.crashable import CrashableServer, crashable_server, restart
from tests.support.eventually import eventually

WRITERS = 4
ALL = "SELECT originator_id, notification_id FROM log.archive_events ORDER BY notification_id"
NEWER = "SELECT notification_id FROM log.archive_events WHERE notification_id > %s ORDER BY 1"


@pytest.fixture
def server() -> Iterator[CrashableServer]:
    with crashable_server() as started:
        migrate(started.url)
        yield started


@dataclass
class Traffic:
    """Writers that append until the end, and a reader that tails the log."""

    ledger: Ledger
    acknowledged: list[tuple[UUID, int]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for target in [self.write] * WRITERS + [self.tail]:
            thread = threading.Thread(target=target)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self._threads:
            thread.join()

    def write(self) -> None:
        while not self.is_over.is_set():
            workspace = Workspace._create(Workspace.Created, id=uuid4(), name="any")
            try:
                position = self.ledger.record(workspace)
            except (OperationalError, InterfaceError) as error:
                self.errors.append(error)
            else:
                self.acknowledged.append((workspace.id, position))

    def tail(self) -> None:
        """As the projections do: what is beyond the last position that was seen."""
        while not self.is_over.is_set():
            try:
                with psycopg.connect(self.ledger.url, autocommit=True) as connection:
                    while not self.is_over.is_set():
                        self.look(connection)
            except psycopg.OperationalError:
                time.sleep(0.02)

    def look(self, connection: psycopg.Connection[Any]) -> None:
        rows = connection.execute(NEWER, (self.seen[-1] if self.seen else 0,)).fetchall()
        self.seen.extend(row[0] for row in rows)

    def goes_on(self, events: int) -> None:
        """Wait for so many more acknowledgements."""
        there = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) >= there + events, 30, interval_seconds=0.002)


@pytest.mark.parametrize(
    "kills", [3, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_what_was_acknowledged_survives_the_death_of_the_server(
    server: CrashableServer, kills: int
) -> None:
    """The writers notice nothing but a pause: the appender waits for the server to come back."""
    random_ = random.Random(5)
    with open_ledger(server.url) as ledger:
        recorder_: Any = ledger.archive.recorder
        recorder_.patience_seconds = 15.0  # a restart takes seconds on a busy machine
        with Traffic(ledger) as traffic:
            for _ in range(kills):
                traffic.goes_on(random_.randint(50, 400))
                server.kill()
                restart(server)
                assert_all_there(server, traffic)
            traffic.goes_on(50)
        assert traffic.errors == []
        stored = assert_all_there(server, traffic)
        with psycopg.connect(server.url) as connection:
            traffic.look(connection)

    positions = [position for _, position in stored]
    # Nothing became visible behind the reader's back: positions are in the order of commits.
    assert traffic.seen == positions
    ids = [id for id, _ in stored]
    assert len(set(ids)) == len(ids)
    # A writer that got no answer asked again with the same event: nothing is there unasked.
    assert {id for id, _ in traffic.acknowledged} == set(ids)


def assert_all_there(server: CrashableServer, traffic: Traffic) -> list[tuple[UUID, int]]:
    acknowledged = list(traffic.acknowledged)
    with psycopg.connect(server.url) as connection:
        stored = connection.execute(ALL).fetchall()
    assert set(acknowledged) <= set(stored)
    return stored


def test_a_server_that_stays_away_is_an_error_for_all_who_wait_and_a_repetition_does_no_harm(
    server: CrashableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon, however many wait. Then the same command ids bring the same facts, once."""
    monkeypatch.setattr(recorder, "PATIENCE_SECONDS", 0.5)
    with open_ledger(server.url) as ledger:
        datastore: Any = ledger.archive.recorder
        datastore.datastore.pool.timeout = 0.5
        contexts = [ledger.context(command_id=uuid4()) for _ in range(8)]
        ids = [uuid4() for _ in contexts]
        outcomes: dict[int, Any] = {}

        def carry_out(number: int) -> None:
            workspace = Workspace._create(Workspace.Created, id=ids[number], name="any")
            try:
                outcomes[number] = ledger.archive.once(
                    contexts[number], "create", lambda: ([workspace], {"number": number})
                )
            except (OperationalError, InterfaceError) as error:
                outcomes[number] = error

        def append(number: int) -> None:
            """Without asking for an earlier answer first."""
            with pytest.raises((OperationalError, InterfaceError)):
                ledger.record(Workspace._create(Workspace.Created, id=uuid4(), name="any"))

        def all_at_once(numbers: range, act: Callable[[int], None] = carry_out) -> float:
            began = time.monotonic()
            threads = [threading.Thread(target=act, args=(number,)) for number in numbers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return time.monotonic() - began

        all_at_once(range(4))
        first = dict(outcomes)
        server.kill()
        assert all_at_once(range(8)) < 5
        assert len(failed(outcomes)) == 8
        assert all_at_once(range(8), append) < 5
        restart(server)
        eventually(lambda: (all_at_once(range(8)), not failed(outcomes))[1], 20)

        again = dict(outcomes)
        all_at_once(range(8))
        assert outcomes == again
        assert {number: outcomes[number] for number in range(4)} == first
        with psycopg.connect(server.url) as connection:
            stored = [id for id, _ in connection.execute(ALL)]
        assert sorted(stored) == sorted(ids)


def failed(outcomes: dict[int, Any]) -> list[Any]:
    return [outcome for outcome in outcomes.values() if isinstance(outcome, Exception)]
