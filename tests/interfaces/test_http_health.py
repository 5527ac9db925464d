"""Probes: quick, cheap, and with reasons, whatever state the system is in."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from infrastructure.embedders.query_embedder import ModelState
from infrastructure.monitoring.database import DatabaseState, DatabaseStates
from infrastructure.monitoring.readiness import LAG_SECONDS, Readiness
from infrastructure.postgres.migrations import newest_revision
from infrastructure.projections.registry import VersionStatus
from interfaces.http.health import health_routes
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FINE = VersionStatus(
    name="vectors",
    version=1,
    code_version=3,
    position=40,
    status="live",
    created_at=NOW,
    updated_at=NOW,
    has_failed=False,
    head=42,
    lag_seconds=0.5,
    failed_position=None,
    failed_topic=None,
    error=None,
    failed_at=None,
)


class World:
    """What readiness looks at, as a test wants it."""

    def __init__(self) -> None:
        self.version = FINE
        self.facts: dict[str, Any] = {}
        self.is_answering = True
        self.is_listening = True
        self.faiss: int | None = 40
        self.model: ModelState = "loaded"
        self.folder = Path(__file__).parent
        self.looks = 0
        self.seconds = 0.0

    def state(self) -> DatabaseState | None:
        self.looks += 1
        time.sleep(self.seconds)
        if not self.is_answering:
            return None
        facts: dict[str, Any] = {
            "head": 42,
            "projections": [self.version],
            "queues": [],
            "workers": 2,
            "revision": newest_revision(),
        }
        return DatabaseState(**(facts | self.facts))

    def readiness(self) -> Readiness:
        return Readiness(
            self,
            code_versions={"vectors": 3},
            data_dir=self.folder,
            is_listening=lambda: self.is_listening,
            faiss_position=lambda: self.faiss,
            model_state=lambda: self.model,
        )

    def statuses(self) -> dict[str, str]:
        return {check.name: check.status for check in self.readiness().look().checks}


ALL = {
    "database": "ok",
    "disk": "ok",
    "faiss": "ok",
    "migrations": "ok",
    "model": "ok",
    "notifications": "ok",
    "read model vectors": "ok",
    "worker": "ok",
}


def test_all_is_well() -> None:
    assert World().statuses() == ALL


@pytest.mark.parametrize(
    ("changes", "name", "says"),
    [
        ({"status": "halted", "failed_position": 41}, "read model vectors", "41"),
        ({"code_version": 2}, "read model vectors", "rebuilt"),
        ({"status": "building"}, "read model vectors", "does not exist"),
        ({"lag_seconds": LAG_SECONDS + 1}, "read model vectors", "121 s behind"),
    ],
)
def test_a_read_model_that_cannot_answer_is_named(
    changes: dict[str, Any], name: str, says: str
) -> None:
    world = World()
    world.version = replace(FINE, **changes)
    [check] = [c for c in world.readiness().look().checks if c.status == "failed"]
    assert check.name == name
    assert says in check.reason
    assert not world.readiness().look().is_ready


def test_what_only_people_need_to_know_is_a_warning() -> None:
    world = World()
    world.faiss = 39
    world.facts = {"workers": 0}
    assert world.statuses() == ALL | {"faiss": "warning", "worker": "warning"}
    assert world.readiness().look().is_ready
    world.faiss = None
    assert world.statuses()["faiss"] == "ok"


def test_what_keeps_it_from_its_work_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.is_listening = False
    world.facts = {"revision": "0001"}
    assert world.statuses() == ALL | {"notifications": "failed", "migrations": "failed"}
    world.folder = Path("/nonexistent")
    assert world.statuses()["disk"] == "failed"
    full = SimpleNamespace(f_bavail=1, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _folder: full)
    assert world.statuses()["disk"] == "failed"
    world.is_answering = False
    assert world.statuses() == {
        "database": "failed",
        "disk": "failed",
        "model": "ok",
        "notifications": "failed",
    }


@pytest.mark.parametrize("state", ["loading", "broken"])
def test_without_its_model_it_wants_no_requests(state: ModelState) -> None:
    world = World()
    world.model = state
    assert world.statuses() == ALL | {"model": "failed"}
    world.model = "loaded"
    assert world.statuses() == ALL


@pytest.fixture
def probed() -> Iterator[tuple[World, TestClient]]:
    world = World()
    container: Any = SimpleNamespace(readiness=world.readiness())
    with TestClient(Starlette(routes=health_routes(container))) as client:
        yield world, client


def test_many_probes_are_one_look(
    probed: tuple[World, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.http.health.ANSWER_SECONDS", 30)
    world, client = probed
    world.seconds = 0.2
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: client.get("/readyz"), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert world.looks == 1


def test_a_look_that_does_not_end_keeps_nobody_waiting(
    probed: tuple[World, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client = probed
    monkeypatch.setattr("interfaces.http.health.ANSWER_SECONDS", 0.3)
    world.seconds = 1.0
    started = time.perf_counter()
    answer = client.get("/readyz")
    assert time.perf_counter() - started < 0.8
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "2"
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_database_that_hangs_is_said_to_within_two_and_a_half_seconds(tmp_path: Path) -> None:
    """It accepts connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        states = DatabaseStates(url)
        readiness = Readiness(
            states,
            code_versions={"vectors": 3},
            data_dir=tmp_path,
            is_listening=lambda: False,
            faiss_position=lambda: None,
            model_state=lambda: "unused",
        )
        container: Any = SimpleNamespace(readiness=readiness)
        with TestClient(Starlette(routes=health_routes(container))) as client:
            for _ in range(3):
                started = time.perf_counter()
                answer = client.get("/readyz")
                assert time.perf_counter() - started < 2.5
                assert answer.status_code == 503
                assert answer.json()["detail"] == "not ready: database, notifications"
        states.close()


def test_a_real_process_says_what_it_can_do(site: RestSite) -> None:
    site.container.follower.start()
    answer = ready_or_not(site, lambda checks: checks["faiss"]["reason"].startswith("at position"))
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert {name for name in checks if name.startswith("read model")} == {
        f"read model {name}" for name in site.container.runner.names
    }
    assert {check["status"] for name, check in checks.items() if name != "worker"} == {"ok"}
    assert checks["worker"]["status"] == "warning"  # none runs in this test
    assert site.archive.workspace not in answer.text


def test_a_worker_that_was_seen_lately_is_said(site: RestSite) -> None:
    with site.container.pool.connection() as connection:
        connection.execute("INSERT INTO jobs.procrastinate_workers DEFAULT VALUES")
    answer = ready_or_not(site, lambda checks: checks["worker"]["status"] == "ok")
    assert answer.status_code == 200


def test_a_halted_read_model_turns_requests_away(site: RestSite) -> None:
    statement = "UPDATE projection.projection SET status = %s WHERE name = 'messages'"
    with site.container.pool.connection() as connection:
        connection.execute(statement, ("halted",))
        answer = ready_or_not(
            site, lambda checks: checks["read model messages"]["status"] == "failed"
        )
        connection.execute(statement, ("live",))
    assert answer.status_code == 503
    assert answer.json()["detail"] == "not ready: read model messages"
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_exhausted_pool_does_not_hide_what_is_well(site: RestSite) -> None:
    pool = site.container.pool
    taken = [pool.getconn() for _ in range(pool.max_size)]
    try:
        time.sleep(1.1)  # what is known already is too old then
        assert site.client.get("/readyz").status_code == 200
    finally:
        for connection in taken:
            pool.putconn(connection)


def ready_or_not(site: RestSite, until: Any) -> httpx.Response:
    """The first answer that shows it; each look is a second old at most."""
    deadline = time.monotonic() + 10
    while True:
        answer = site.client.get("/readyz")
        if until({check["name"]: check for check in answer.json()["checks"]}):
            return answer
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def test_this_disk_is_not_full() -> None:
    """Else the tests above show nothing."""
    assert shutil.disk_usage(Path(__file__)).free > 2**28
