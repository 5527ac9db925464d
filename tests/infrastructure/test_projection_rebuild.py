"""A read model is rebuilt and swapped while people read it and facts are recorded."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from application.ports.projections import (
    NothingToRollBackToError,
    RebuildRunningError,
    RebuildStoppedError,
    UnknownProjectionError,
)
from infrastructure.projections import registry, steps
from infrastructure.projections.progress import RebuildProgress
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from tests.support.archive import Ledger, connect
from tests.support.read_models import Tallies, create_workspaces, tallied

REBUILD = """
import sys, time
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from tests.support.archive import open_ledger
from tests.support.read_models import Tallies

class Slow(Tallies):
    def indexes(self, schema):
        return super().indexes(schema) + "SELECT pg_sleep(%s);"

def say(progress):
    print(progress.stage, flush=True)
    time.sleep(%s)

with open_ledger(sys.argv[1]) as ledger:
    runner = ProjectionRunner(ledger.pool, ledger.reader, [Slow()])
    ProjectionRebuilder(runner).rebuild("tallies", say)
"""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three more attempts, as always, but close together."""
    monkeypatch.setattr(steps, "RETRY_WAITS_SECONDS", (0.01, 0.01, 0.01))


class Projections:
    """A runner and a rebuilder over the same read model."""

    def __init__(self, ledger: Ledger, model: Tallies | None = None) -> None:
        self.ledger = ledger
        self.model = model or Tallies()
        self.runner = ProjectionRunner(ledger.pool, ledger.reader, [self.model])
        self.rebuilder = ProjectionRebuilder(self.runner)
        self.outdated = self.runner.ensure_all()
        self.runner.advance("tallies")

    def versions(self) -> dict[int, str]:
        with self.ledger.pool.connection() as connection:
            found = registry.versions(connection, "tallies")
        return {
            version.version: version.status for version in sorted(found, key=lambda v: v.version)
        }

    def rows(self, source: str = "read.tallies") -> list[tuple[int, int]]:
        with self.ledger.pool.connection() as connection:
            return connection.execute(f"SELECT length, n FROM {source} ORDER BY 1").fetchall()

    def schemas(self) -> list[str]:
        with self.ledger.pool.connection() as connection:
            rows = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tallies%' ORDER BY 1"
            )
            return [row[0] for row in rows]

    def indexes(self, schema: str) -> int:
        with self.ledger.pool.connection() as connection:
            rows = connection.execute(
                "SELECT 1 FROM pg_indexes WHERE schemaname = %s AND indexname = 'tally_n'", [schema]
            )
            return len(rows.fetchall())


def names(count: int, start: int = 0) -> list[str]:
    return [f"team {i} {'x' * (i % 7)}" for i in range(start, start + count)]


def test_a_rebuilt_read_model_has_the_same_rows_as_the_live_one(ledger: Ledger) -> None:
    create_workspaces(ledger, names(700))
    projections = Projections(ledger)
    before = projections.rows()

    version = projections.rebuilder.rebuild("tallies")

    assert (version.version, version.status) == (2, "live")
    assert projections.versions() == {1: "retired", 2: "live"}
    assert projections.rows("tallies_v1.tally") == projections.rows("tallies_v2.tally") == before
    assert projections.rows() == before
    assert projections.indexes("tallies_v2") == 1


def test_progress_is_told_from_loading_to_switching(ledger: Ledger) -> None:
    create_workspaces(ledger, names(30))
    told: list[RebuildProgress] = []

    Projections(ledger).rebuilder.rebuild("tallies", told.append)

    stages = [progress.stage for progress in told]
    assert stages[0] == "loading"
    assert "indexing" in stages
    assert stages[-1] == "switching"
    assert all(progress.position <= progress.head for progress in told)
    assert (told[-1].position, told[-1].head) == (30, 30)


def test_readers_and_writers_notice_nothing_of_a_rebuild(ledger: Ledger) -> None:
    create_workspaces(ledger, names(2_000))
    projections = Projections(ledger)
    is_over = threading.Event()
    seen: list[int] = []

    def read() -> None:
        with connect(ledger.url) as connection:
            while not is_over.is_set():
                seen.append(tallied(connection))

    def write() -> int:
        written = 0
        while not is_over.is_set():
            create_workspaces(ledger, names(5, start=10_000 + written))
            written += 5
        return written

    def follow() -> None:
        while not is_over.is_set():
            projections.runner.advance("tallies", budget_seconds=1)

    with ThreadPoolExecutor(3) as threads:
        reading, writing, following = (threads.submit(job) for job in (read, write, follow))
        try:
            for _ in range(3):
                projections.rebuilder.rebuild("tallies")
        finally:
            is_over.set()
        written = writing.result()
        reading.result()
        following.result()
    projections.runner.advance("tallies")

    assert written > 0
    assert len(seen) > 10
    assert seen == sorted(seen)  # nobody ever saw less than before
    assert sum(n for _, n in projections.rows()) == 2_000 + written
    assert projections.versions() == {3: "retired", 4: "live"}
    assert projections.schemas() == ["tallies_v3", "tallies_v4"]


def test_new_columns_new_views_and_views_no_more_come_with_the_swap(ledger: Ledger) -> None:
    class Before(Tallies):
        def views(self, schema: str) -> dict[str, str]:
            return {
                "tallies": f"SELECT length, n FROM {schema}.tally",
                "old_tallies": f"SELECT length, n FROM {schema}.tally",
            }

    class After(Tallies):
        def views(self, schema: str) -> dict[str, str]:
            return {
                "tallies": f"SELECT n::text AS n, length FROM {schema}.tally",
                "new_tallies": f"SELECT length, n FROM {schema}.tally WHERE length % 2 >= 0",
            }

    create_workspaces(ledger, names(10))
    Projections(ledger, Before())
    after = Projections(ledger, After(code_version=2))
    assert after.outdated == ["tallies"]

    after.rebuilder.rebuild("tallies")

    assert sum(int(row[1]) for row in after.rows("read.new_tallies")) == 10
    with ledger.pool.connection() as connection:
        assert connection.execute("SELECT n FROM read.tallies LIMIT 1").fetchone()
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM read.old_tallies")
    with pytest.raises(NothingToRollBackToError, match="definition 1"):
        after.rebuilder.roll_back("tallies")


def test_rolling_back_shows_the_version_before_up_to_date(ledger: Ledger) -> None:
    create_workspaces(ledger, names(10))
    projections = Projections(ledger)
    projections.rebuilder.rebuild("tallies")
    create_workspaces(ledger, names(5, start=10))
    projections.runner.advance("tallies")
    assert sum(n for _, n in projections.rows("tallies_v1.tally")) == 15  # it is followed
    create_workspaces(ledger, names(5, start=15))

    version = projections.rebuilder.roll_back("tallies")

    assert version.version == 1
    assert projections.versions() == {1: "live", 2: "retired"}
    assert sum(n for _, n in projections.rows()) == 20
    assert projections.rebuilder.roll_back("tallies").version == 2


def test_without_an_earlier_version_there_is_nothing_to_roll_back_to(ledger: Ledger) -> None:
    with pytest.raises(NothingToRollBackToError, match="no earlier version"):
        Projections(ledger).rebuilder.roll_back("tallies")


def test_what_is_kept_to_roll_back_to_can_be_dropped(ledger: Ledger) -> None:
    create_workspaces(ledger, names(10))
    projections = Projections(ledger)
    projections.rebuilder.rebuild("tallies")

    assert projections.rebuilder.forget("tallies") == [1]

    assert projections.versions() == {2: "live"}
    assert projections.schemas() == ["tallies_v2"]
    assert sum(n for _, n in projections.rows()) == 10


def test_a_version_that_is_kept_may_break_without_halting_the_one_that_is_read(
    ledger: Ledger,
) -> None:
    class BreaksInTheFirst(Tallies):
        def apply(self, connection: psycopg.Connection, schema: str, events: Any) -> None:
            if schema == "tallies_v1" and any(each.event.name == "late" for each in events):
                raise LookupError
            super().apply(connection, schema, events)

    create_workspaces(ledger, names(10))
    projections = Projections(ledger, BreaksInTheFirst())
    projections.rebuilder.rebuild("tallies")
    create_workspaces(ledger, ["late", "later"])

    assert projections.runner.advance("tallies") is False

    assert projections.versions() == {1: "retired", 2: "live"}
    assert sum(n for _, n in projections.rows()) == 12
    with pytest.raises(NothingToRollBackToError, match="version 1 of tallies is halted"):
        projections.rebuilder.roll_back("tallies")


def test_a_poison_event_stops_a_rebuild_and_leaves_what_is_read(ledger: Ledger) -> None:
    create_workspaces(ledger, [*names(20), "bad", *names(20, start=20)])
    projections = Projections(ledger)
    before = projections.rows()
    projections.model.poison = {"bad"}

    with pytest.raises(RebuildStoppedError, match=r"position 21 \(workspace\.created\)") as caught:
        projections.rebuilder.rebuild("tallies")

    assert caught.value.position == 21
    assert "bad" not in str(caught.value)
    assert projections.versions() == {1: "live", 2: "building"}
    assert projections.rows() == before
    projections.model.poison.clear()
    projections.rebuilder.rebuild("tallies")
    assert projections.versions() == {1: "retired", 2: "live"}
    assert projections.rows() == before


def test_a_halted_read_model_recovers_by_a_rebuild_with_the_fix(ledger: Ledger) -> None:
    create_workspaces(ledger, [*names(20), "bad", *names(20, start=20)])
    broken = Projections(ledger, Tallies(poison={"bad"}))
    assert broken.versions() == {1: "halted"}
    fixed = Projections(ledger, Tallies(code_version=2))

    fixed.rebuilder.rebuild("tallies")

    assert fixed.versions() == {1: "retired", 2: "live"}
    assert sum(n for _, n in fixed.rows()) == 41


def test_a_second_rebuild_of_the_same_read_model_is_refused(ledger: Ledger) -> None:
    create_workspaces(ledger, names(10))
    projections = Projections(ledger)
    attempts: list[type[Exception]] = []

    def try_another(progress: RebuildProgress) -> None:
        for attempt in (projections.rebuilder.rebuild, projections.rebuilder.roll_back):
            try:
                attempt("tallies")
            except RebuildRunningError as error:
                attempts.append(type(error))

    projections.rebuilder.rebuild("tallies", try_another)

    assert len(attempts) >= 4
    assert projections.versions() == {1: "retired", 2: "live"}
    projections.rebuilder.rebuild("tallies")  # the lock is free again


@pytest.mark.parametrize("stage", ["loading", "indexing", "switching"])
def test_a_killed_rebuild_is_finished_by_the_next_one(ledger: Ledger, stage: str) -> None:
    create_workspaces(ledger, names(100))
    projections = Projections(ledger)
    before = projections.rows()
    script = REBUILD % ((30, 0) if stage == "indexing" else (0, 30 if stage == "loading" else 0.2))
    process = subprocess.Popen(
        [sys.executable, "-c", script, ledger.url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != stage:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with psycopg.connect(ledger.url, autocommit=True) as owner:  # as when its host is gone
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE '%%pg_sleep%%' "
            "AND pid <> pg_backend_pid()"
        )
    assert projections.versions() == {1: "live", 2: "building"}
    assert projections.rows() == before
    wait_until_free(projections)

    assert projections.versions() == {1: "retired", 2: "live"}
    assert projections.rows() == before
    assert projections.indexes("tallies_v2") == 1


def wait_until_free(projections: Projections) -> None:
    """PostgreSQL notices within moments that the killed process is gone."""
    deadline = time.monotonic() + 10
    while True:
        try:
            projections.rebuilder.rebuild("tallies")
        except RebuildRunningError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_what_an_older_release_left_half_built_is_dropped(ledger: Ledger) -> None:
    create_workspaces(ledger, names(10))
    projections = Projections(ledger)
    with ledger.pool.connection() as connection, connection.transaction():
        registry.create_version(connection, Tallies(code_version=0), "building")

    projections.rebuilder.rebuild("tallies")

    assert len(projections.schemas()) == 2
    assert sorted(projections.versions().values()) == ["live", "retired"]


def test_a_reader_in_a_long_transaction_delays_the_swap_and_is_not_disturbed(
    ledger: Ledger,
) -> None:
    create_workspaces(ledger, names(10))
    projections = Projections(ledger)
    with (
        ThreadPoolExecutor(1) as threads,
        connect(ledger.url) as reader,
        connect(ledger.url) as another,
    ):
        with reader.transaction():
            assert tallied(reader) == 10
            rebuilding = threads.submit(projections.rebuilder.rebuild, "tallies")
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                assert tallied(another) == 10  # does not queue up behind the swap for long
            assert tallied(reader) == 10
            assert projections.versions() == {1: "live", 2: "building"}
        assert rebuilding.result(20).version == 2


def test_an_unknown_read_model_cannot_be_rebuilt(ledger: Ledger) -> None:
    with pytest.raises(UnknownProjectionError):
        Projections(ledger).rebuilder.rebuild("no_such")
