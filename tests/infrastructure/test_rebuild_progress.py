"""How far a rebuild is can be seen while it goes on, by whoever looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from infrastructure.projections import registry
from infrastructure.projections.loading import FIRST_BYTES, MOST_BYTES, STEP_SECONDS, Pace
from infrastructure.projections.progress import RebuildProgress
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from projections.contract import RecordedEvent
from tests.support.archive import Ledger
from tests.support.read_models import Tallies, create_workspaces

EVENT_SECONDS = 0.005


class Slow(Tallies):
    """Takes its time, as a large archive does."""

    is_slow = False

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        if self.is_slow:
            time.sleep(EVENT_SECONDS * len(events))
        super().apply(connection, schema, events)

    def indexes(self, schema: str) -> str:
        pause = "SELECT pg_sleep(1);" if self.is_slow else ""
        return pause + super().indexes(schema)


def slow_rebuilder(ledger: Ledger, events: int) -> ProjectionRebuilder:
    create_workspaces(ledger, [f"team {number}" for number in range(events)])
    model = Slow()
    runner = ProjectionRunner(ledger.pool, ledger.reader, [model])
    runner.ensure_all()
    runner.advance("tallies")
    model.is_slow = True
    return ProjectionRebuilder(runner)


def test_others_see_a_rebuild_move_through_its_stages(ledger: Ledger) -> None:
    rebuilder = slow_rebuilder(ledger, 400)
    seen: list[tuple[str | None, int]] = []
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(0.05):
            with ledger.pool.connection() as connection:
                found = registry.status(connection)
            seen.extend((one.stage, one.position) for one in found if one.status == "building")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        rebuilder.rebuild("tallies")
    finally:
        is_done.set()
        watcher.join()

    stages = list(dict.fromkeys(stage for stage, _ in seen))
    assert stages[:2] == ["loading", "indexing"]
    between = {position for stage, position in seen if stage == "loading"} - {0, 400}
    assert len(between) >= 2, "two seconds of loading are more than one step"
    with ledger.pool.connection() as connection:
        assert {one.stage for one in registry.status(connection)} == {None}


def test_who_waits_is_told_more_than_once_while_it_loads(ledger: Ledger) -> None:
    rebuilder = slow_rebuilder(ledger, 400)
    told: list[RebuildProgress] = []
    rebuilder.rebuild("tallies", told.append)
    loading = [progress.position for progress in told if progress.stage == "loading"]
    assert len(set(loading)) >= 3
    assert loading == sorted(loading)


def test_a_pace_grows_where_steps_are_quick_and_shrinks_where_they_are_slow() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(STEP_SECONDS / 100)
    assert pace.max_bytes == MOST_BYTES, "a quick machine is not slowed down by small steps"
    for _ in range(20):
        pace.took(STEP_SECONDS * 10)
    assert 0 < pace.max_bytes < FIRST_BYTES
    assert pace.limit >= 1
