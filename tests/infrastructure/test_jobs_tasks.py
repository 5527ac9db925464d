"""A job becomes a command, no more; a projection's job goes on until the log's end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from procrastinate import App
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from application.commands.embed_upload import EmbedUpload
from application.commands.read_upload import ReadUpload
from application.commands.record_upload_failure import RecordUploadFailure
from application.ports.jobs import Stopped
from infrastructure.jobs.app import make_app
from infrastructure.jobs.sweeper import SWEEP_BLOBS
from infrastructure.jobs.worker_settings import LANES
from interfaces.jobs import projections
from interfaces.jobs.registry import register_tasks
from tests.support.archive import app_conninfo
from tests.support.eventually import eventually
from tests.support.jobs import HURRIED, Lab, working

pytest_plugins = ["tests.support.job_fixtures"]


SETTINGS = replace(HURRIED, lanes=LANES, stop_seconds=10.0)


class FakeContainer:
    """Its handlers note what they are asked for."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self.pool = pool
        self.runner = self
        self.commands: list[object] = []
        self.failures: list[RecordUploadFailure] = []
        self.advanced: list[str] = []
        self.maintained: list[str] = []
        self.work_left = 0
        self.is_polite = False

    def read_upload(self, command: ReadUpload, *, should_stop: Callable[[], bool]) -> None:
        self.commands.append(command)
        while self.is_polite:
            if should_stop():
                raise Stopped

    @property
    def embed_upload(self) -> Callable[..., None]:
        def embed(command: EmbedUpload, *, should_stop: Callable[[], bool]) -> None:
            assert not should_stop()
            self.commands.append(command)

        return embed

    def record_upload_failure(self, command: RecordUploadFailure) -> None:
        self.failures.append(command)

    def advance(self, name: str, *, budget_seconds: float) -> bool:
        assert budget_seconds <= 20
        self.advanced.append(name)
        self.work_left -= 1
        return self.work_left > 0

    def sweep_withdrawn_blobs(self, *, should_stop: Callable[[], bool]) -> None:
        assert not should_stop()

    def maintain(self, name: str, *, should_stop: Callable[[], bool]) -> bool:
        assert not should_stop()
        self.maintained.append(name)
        return len(self.maintained) < 3


@pytest.fixture
def container(lab_url: str) -> Iterator[FakeContainer]:
    conninfo = app_conninfo(lab_url)
    with ConnectionPool(conninfo, min_size=1, kwargs={"autocommit": True}) as pool:
        yield FakeContainer(pool)


@pytest.fixture
def app(lab_url: str, container: FakeContainer) -> App:
    app = make_app(lab_url)
    register_tasks(app, container)
    return app


def test_an_upload_is_read_and_embedded_whatever_else_newer_code_says_about_it(
    lab: Lab, container: FakeContainer, app: App
) -> None:
    upload_id = uuid4()
    arguments = Jsonb({"upload_id": str(upload_id), "since_next_year": 1})
    with working(app, SETTINGS):
        lab.defer("uploads:read", queue="reading", args=arguments)
        eventually(lambda: lab.jobs() == [])
        lab.defer("uploads:embed", queue="embedding", args=arguments)
        eventually(lambda: lab.jobs() == [])
    assert container.commands == [
        ReadUpload(upload_id=upload_id),
        EmbedUpload(upload_id=upload_id),
    ]


def test_reading_that_is_stopped_waits_for_the_next_worker(
    lab: Lab, container: FakeContainer, app: App
) -> None:
    container.is_polite = True
    read = lab.defer("uploads:read", queue="reading", args=Jsonb({"upload_id": str(UUID(int=1))}))
    with working(app, SETTINGS) as worker:
        eventually(lambda: container.commands)
        assert worker.stop()
    job = lab.job(read)
    assert job is not None
    assert (job["status"], job["attempts"]) == ("todo", 0)
    assert container.failures == []


def test_an_upload_that_took_down_its_workers_too_often_is_given_up(
    lab: Lab, container: FakeContainer, app: App
) -> None:
    arguments = Jsonb({"upload_id": str(UUID(int=1))})
    read = lab.defer("uploads:read", queue="reading", args=arguments, attempts=100)
    with working(app, SETTINGS):
        eventually(lambda: lab.status(read) == "failed")
    assert container.commands == []
    [failure] = container.failures
    assert (failure.stage, failure.attempt, failure.is_final) == ("reading", 101, True)
    assert "the last of which ended with the worker's process" in failure.reason


def test_a_commit_advances_the_projection_until_nothing_is_left(
    lab: Lab, container: FakeContainer, app: App
) -> None:
    container.work_left = 3
    lab.add_event()
    lab.add_projection("uploads")
    with working(app, SETTINGS):
        eventually(lambda: container.work_left <= 0)
    assert set(container.advanced) == {"uploads"}


def test_a_projection_whose_turn_is_over_queues_itself_again(
    lab: Lab, container: FakeContainer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projections, "BUDGET_SECONDS", 0.0)
    app.tasks.pop(SWEEP_BLOBS)  # jobs are counted here
    container.work_left = 4
    first = lab.defer(
        "projections:advance",
        queue="projections",
        args=Jsonb({"name": "uploads"}),
        lock="projection:uploads",
        queueing_lock="projection:uploads",
    )
    with working(app, SETTINGS):
        eventually(lambda: container.work_left == 0 and lab.jobs() == [])
    assert container.advanced == ["uploads"] * 4
    sequence = "SELECT last_value FROM jobs.procrastinate_jobs_id_seq"
    row = lab.connection.execute(sequence).fetchone()
    assert row is not None
    assert row["last_value"] == first + 3


def test_housekeeping_goes_on_while_there_is_more_to_do(
    lab: Lab, container: FakeContainer, app: App
) -> None:
    lab.add_projection("uploads")
    with working(app, SETTINGS):
        eventually(lambda: container.maintained == ["uploads"] * 3)
