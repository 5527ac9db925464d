"""Every event is applied exactly once, whoever runs, dies, or cannot digest it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from application.ports.projections import UnknownProjectionError
from domain.transcript import Transcript
from infrastructure.discretion import describe
from infrastructure.keys.master import MasterKeyError
from infrastructure.projections import registry, steps
from infrastructure.projections.poison import is_surroundings
from infrastructure.projections.runner import ProjectionRunner
from tests.support.archive import Ledger, connect, open_ledger
from tests.support.read_models import Tallies, create_workspaces, tallied
from tests.support.searches import some_search

COMPETITOR = """
import sys
from infrastructure.projections.runner import ProjectionRunner
from tests.support.archive import open_ledger
from tests.support.read_models import Tallies

with open_ledger(sys.argv[1]) as ledger:
    runner = ProjectionRunner(ledger.pool, ledger.reader, [Tallies()])
    print("ready", flush=True)
    while True:
        runner.step("tallies", 1, limit=5)
"""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three more attempts, as always, but close together."""
    monkeypatch.setattr(steps, "RETRY_WAITS_SECONDS", (0.01, 0.01, 0.01))


def start(ledger: Ledger, *models: Tallies) -> ProjectionRunner:
    runner = ProjectionRunner(ledger.pool, ledger.reader, models or [Tallies()])
    runner.ensure_all()
    return runner


def status_of(ledger: Ledger, name: str = "tallies") -> registry.VersionStatus:
    with ledger.pool.connection() as connection:
        return next(s for s in registry.status(connection) if s.name == name)


def count(ledger: Ledger, view: str = "read.tallies") -> int:
    with ledger.pool.connection() as connection:
        return tallied(connection, view)


def perform_search(ledger: Ledger) -> int:
    return ledger.record(some_search(searcher_id=str(ledger.context().actor_id)))


def test_what_was_recorded_is_in_the_read_model_after_advancing(ledger: Ledger) -> None:
    runner = start(ledger)
    head = create_workspaces(ledger, [f"team {i}" for i in range(1_200)])

    assert runner.advance("tallies") is False

    assert count(ledger) == 1_200
    assert status_of(ledger).position == head
    assert status_of(ledger).lag_events == 0
    assert status_of(ledger).lag_seconds == 0


def test_a_step_takes_no_more_than_its_limit(ledger: Ledger) -> None:
    runner = start(ledger)
    create_workspaces(ledger, [f"team {i}" for i in range(10)])

    result = runner.step("tallies", 1, limit=4)

    assert result is not None
    assert (result.events, result.position, result.head) == (4, 4, 10)
    assert not result.is_last
    assert status_of(ledger).lag_events == 6
    assert status_of(ledger).lag_seconds > 0


def test_a_page_ends_before_it_becomes_too_large_but_holds_one_event_at_least(
    ledger: Ledger,
) -> None:
    start(ledger)
    create_workspaces(ledger, [f"team {i}" for i in range(10)])
    with ledger.pool.connection() as connection:
        sizes = connection.execute(
            "SELECT octet_length(state) FROM log.archive_events ORDER BY notification_id"
        ).fetchall()
        three = sum(size for [size] in sizes[:3])
        for max_bytes, expected in ((three, 3), (three + 1, 3), (three - 1, 2), (1, 1)):
            page = ledger.reader.page(
                connection,
                after=0,
                up_to=10,
                topics=["workspace.created"],
                limit=10,
                max_bytes=max_bytes,
            )
            assert len(page.events) == expected
            assert page.position == expected


def test_of_an_event_whose_frame_is_enough_the_rest_stays_closed(ledger: Ledger) -> None:
    author, upload = str(uuid4()), uuid4()
    facts = {"format": "slack", "texts": 1, "conversations": [], "authors": [author]}
    blocks = {author: {"name": "Ada"}}
    ledger.record(Transcript.record(upload_id=upload, batch=0, slots=[], blocks=blocks, **facts))
    with ledger.pool.connection() as connection:
        found = [
            ledger.reader.page(
                connection,
                after=0,
                up_to=1,
                topics=["transcript.recorded"],
                limit=1,
                frames=frames,
            ).events[0]
            for frames in ([], ["transcript.recorded"])
        ]

    assert [recorded.event.blocks for recorded in found] == [blocks, {}]
    assert [recorded.event.authors for recorded in found] == [[author], [author]]


def test_the_position_moves_past_events_that_nobody_wants(ledger: Ledger) -> None:
    runner = start(ledger)
    create_workspaces(ledger, ["team"])
    for _ in range(3):
        head = perform_search(ledger)

    runner.advance("tallies")

    assert status_of(ledger).position == head == 4
    assert count(ledger) == 1


def test_nothing_new_is_a_step_without_events(ledger: Ledger) -> None:
    runner = start(ledger)

    result = runner.step("tallies", 1)

    assert result is not None
    assert result.is_last
    assert result.events == 0


def test_a_version_that_somebody_else_steps_is_left_alone(ledger: Ledger) -> None:
    runner = start(ledger)
    create_workspaces(ledger, ["team"])
    with connect(ledger.url) as other, other.transaction():
        other.execute("SELECT 1 FROM projection.projection FOR UPDATE")
        assert runner.step("tallies", 1) is None
        assert runner.advance("tallies") is True
    assert runner.advance("tallies") is False
    assert count(ledger) == 1


def test_a_killed_step_leaves_neither_rows_nor_a_lease(ledger: Ledger) -> None:
    runner = start(ledger)
    create_workspaces(ledger, ["team"])

    class Killed(BaseException):
        pass

    class Mortal(Tallies):
        def apply(self, *args: object) -> None:
            super().apply(*args)  # type: ignore[arg-type]
            raise Killed

    with pytest.raises(Killed):
        ProjectionRunner(ledger.pool, ledger.reader, [Mortal()]).step("tallies", 1)
    assert count(ledger) == 0
    runner.advance("tallies")
    assert count(ledger) == 1


def test_two_competing_processes_killed_again_and_again_apply_every_event_once(
    ledger: Ledger,
) -> None:
    start(ledger)
    total = 3_000
    create_workspaces(ledger, [f"team {i}" for i in range(total)])
    kills = 0
    while (reached := status_of(ledger).position) < total and kills < 8:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", COMPETITOR, ledger.url], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        deadline = time.monotonic() + 5
        while status_of(ledger).position < reached + 200 and time.monotonic() < deadline:
            time.sleep(0.005)
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]
        kills += 2
        assert count(ledger) == status_of(ledger).position  # rows and position move together
    start(ledger).advance("tallies")
    assert kills >= 2
    assert count(ledger) == total


def test_many_threads_and_a_busy_log_apply_every_event_once(ledger: Ledger) -> None:
    runner = start(ledger)
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            runner.advance("tallies", budget_seconds=0.2)

    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(run) for _ in range(2)]
        for i in range(60):
            create_workspaces(ledger, [f"team {i}.{k}" for k in range(5)])
        is_over.set()
        for future in running:
            future.result()
    runner.advance("tallies")
    assert count(ledger) == 300


@pytest.mark.parametrize("place", [0, 1, 36, 99])
def test_a_poison_event_halts_its_projection_exactly_there(ledger: Ledger, place: int) -> None:
    model = Tallies()
    runner = start(ledger, model)
    names = [f"team {i:03}" for i in range(100)]
    create_workspaces(ledger, names)
    model.poison = {names[place]}

    runner.advance("tallies")

    halted = status_of(ledger)
    assert halted.status == "halted"
    assert halted.failed_position == place + 1
    assert halted.failed_topic == "workspace.created"
    assert halted.position == place
    assert count(ledger) == place
    assert runner.advance("tallies") is False
    assert count(ledger) == place


def test_what_is_written_about_a_poison_event_quotes_nothing_of_it(ledger: Ledger) -> None:
    model = Tallies(poison={"secret plan"})
    runner = start(ledger, model)
    create_workspaces(ledger, ["secret plan"])

    runner.advance("tallies")

    error = status_of(ledger).error
    assert error is not None
    assert "IndigestibleError at tests/support/read_models.py" in error
    assert "secret" not in error


def test_after_a_fix_a_halted_projection_resumes_and_skips_nothing(ledger: Ledger) -> None:
    model = Tallies(poison={"team 5"})
    runner = start(ledger, model)
    create_workspaces(ledger, [f"team {i}" for i in range(10)])
    runner.advance("tallies")
    model.poison.clear()

    assert runner.resume("tallies") is True

    assert runner.advance("tallies") is False
    assert count(ledger) == 10
    assert status_of(ledger).status == "live"
    assert not status_of(ledger).has_failed
    assert runner.resume("tallies") is False


def test_resumed_without_a_fix_it_halts_at_the_same_event(ledger: Ledger) -> None:
    runner = start(ledger, Tallies(poison={"team 5"}))
    create_workspaces(ledger, [f"team {i}" for i in range(10)])
    runner.advance("tallies")
    runner.resume("tallies")
    runner.advance("tallies")

    assert status_of(ledger).failed_position == 6
    assert count(ledger) == 5


def test_an_event_that_fails_once_is_tried_again(ledger: Ledger) -> None:
    class Moody(Tallies):
        def apply(self, *args: object) -> None:
            super().apply(*args)  # type: ignore[arg-type]
            if len(self.pages) < 8:
                raise RuntimeError

    runner = start(ledger, Moody())
    create_workspaces(ledger, ["a", "b", "c"])

    runner.advance("tallies")

    assert status_of(ledger).status == "live"
    assert count(ledger) == 3


def test_a_halted_projection_holds_up_no_other(ledger: Ledger) -> None:
    sick, sound = Tallies(poison={"team"}), Tallies(name="others")
    runner = start(ledger, sick, sound)
    create_workspaces(ledger, ["team", "other"])
    for name in runner.names:
        runner.advance(name)

    assert status_of(ledger, "tallies").status == "halted"
    assert status_of(ledger, "others").position == 2
    assert count(ledger, "read.others") == 2


def test_an_event_that_cannot_be_decrypted_halts_too(ledger: Ledger) -> None:
    model = Tallies(topics=frozenset({"search.performed"}))
    start(ledger, model)
    perform_search(ledger)
    with psycopg.connect(ledger.url) as owner:  # a restore that forgot the keys
        owner.execute("DELETE FROM keys.subject_key")
    with open_ledger(ledger.url) as reopened:
        ProjectionRunner(reopened.pool, reopened.reader, [model]).advance("tallies")

    assert status_of(ledger).failed_position == 1
    assert "SubjectKeyMissingError" in (status_of(ledger).error or "")


def test_a_database_out_of_reach_is_no_poison(ledger: Ledger) -> None:
    class Cut(Tallies):
        def apply(self, connection: psycopg.Connection, *args: object) -> None:
            with psycopg.connect(ledger.url) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
            connection.execute("SELECT 1")

    runner = start(ledger, Cut())
    create_workspaces(ledger, ["team"])

    with pytest.raises(psycopg.OperationalError):
        runner.advance("tallies")

    assert status_of(ledger).status == "live"
    start(ledger).advance("tallies")
    assert count(ledger) == 1


def test_errors_of_the_surroundings_are_told_from_errors_of_an_event() -> None:
    surroundings = [
        psycopg.OperationalError("connection lost"),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.DiskFull(),
        psycopg.errors.AdminShutdown(),
        psycopg.InterfaceError(),
        MasterKeyError(),
        MemoryError(),
    ]
    events = [
        psycopg.errors.UniqueViolation(),
        psycopg.errors.ProgramLimitExceeded(),  # an OperationalError, but of a word too long
        psycopg.DataError("a NUL in a text"),
        KeyError("name"),
    ]
    assert all(is_surroundings(error) for error in surroundings)
    assert not any(is_surroundings(error) for error in events)


def test_a_database_error_is_described_by_names_never_by_values(ledger: Ledger) -> None:
    with ledger.pool.connection() as connection:
        connection.execute("CREATE TEMPORARY TABLE t (name text CONSTRAINT short CHECK (false))")
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            connection.execute("INSERT INTO t VALUES ('a secret')")
        connection.execute("DROP TABLE t")
    assert "secret" in str(caught.value)
    text = describe(caught.value)
    assert "CheckViolation" in text
    assert "sqlstate 23514" in text
    assert "constraint short" in text
    assert "secret" not in text


def test_many_processes_may_create_the_first_versions_at_once(database_url: str) -> None:
    def begin() -> list[str]:
        with open_ledger(database_url) as opened:
            models = [Tallies(name=f"model_{i}") for i in range(3)]
            return ProjectionRunner(opened.pool, opened.reader, models).ensure_all()

    with ThreadPoolExecutor(6) as threads:
        outcomes = [future.result() for future in [threads.submit(begin) for _ in range(6)]]
    assert outcomes == [[]] * 6
    with connect(database_url) as connection:
        assert [(s.name, s.version) for s in registry.status(connection)] == [
            ("model_0", 1),
            ("model_1", 1),
            ("model_2", 1),
        ]


def test_tables_made_by_another_definition_stand_still(ledger: Ledger) -> None:
    start(ledger, Tallies(code_version=1)).advance("tallies")
    create_workspaces(ledger, ["team"])
    newer = ProjectionRunner(ledger.pool, ledger.reader, [Tallies(code_version=2)])

    assert newer.ensure_all() == ["tallies"]
    assert newer.advance("tallies") is False
    assert count(ledger) == 0
    assert status_of(ledger).lag_events == 1


def test_an_unknown_projection_is_an_error_that_names_the_known_ones(ledger: Ledger) -> None:
    with pytest.raises(UnknownProjectionError, match=r"'tally'.*only tallies"):
        start(ledger).advance("tally")


def test_who_waits_for_a_position_wakes_when_it_is_reached(ledger: Ledger) -> None:
    runner = start(ledger)
    position = create_workspaces(ledger, ["team"])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ledger.positions.wait, ["tallies"], position, timeout_seconds=10)
        time.sleep(0.2)
        assert not waiting.done()
        began = time.monotonic()
        runner.advance("tallies")
        assert waiting.result() is True
    assert time.monotonic() - began < 2
    assert ledger.positions.wait(["tallies"], position, timeout_seconds=0) is True


def test_waiting_ends_with_the_timeout_or_at_once_if_it_would_be_in_vain(ledger: Ledger) -> None:
    runner = start(ledger, Tallies(poison={"team"}))
    position = create_workspaces(ledger, ["team"])
    began = time.monotonic()
    assert ledger.positions.wait(["tallies"], position, timeout_seconds=0.3) is False
    assert 0.25 < time.monotonic() - began < 2
    assert ledger.positions.wait(["no_such"], 0, timeout_seconds=0.1) is False

    runner.advance("tallies")  # halts
    began = time.monotonic()
    assert ledger.positions.wait(["tallies"], position, timeout_seconds=10) is False
    assert time.monotonic() - began < 2


def test_housekeeping_is_done_by_one_process_at_a_time(ledger: Ledger) -> None:
    inside, others = threading.Event(), threading.Event()
    turns: list[int] = []

    class Tidy(Tallies):
        def maintain(self, connection: psycopg.Connection, schema: str) -> bool:
            turns.append(1)
            inside.set()
            others.wait(10)
            return True

    runner = start(ledger, Tidy())
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(runner.maintain, "tallies")
        inside.wait(10)
        assert runner.maintain("tallies") is False
        others.set()
        assert first.result() is True
    assert len(turns) == 1
