"""`chatledger status`: with and without a server, well and unwell."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from infrastructure.container import Container
from infrastructure.monitoring.scrape import Scrape
from infrastructure.monitoring.status import SystemStatus
from infrastructure.projections import registry
from interfaces.cli.main import main
from interfaces.cli.render_status import server_facts
from interfaces.cli.render_timings import timings
from tests.support.archive_fixture import MASTER_KEY, export, ingest, open_test_container
from tests.support.command import PROGRAM, REPOSITORY, environment, free_port, home, run, start
from tests.support.eventually import eventually
from tests.support.jobs import outage

Invoke = Callable[..., Result]
WORKER = "INSERT INTO procrastinate_workers DEFAULT VALUES"  # one that was seen just now
MARKUP = "[bold]Trip [31m.jsonl"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def container(database_url: str, tmp_path: Path) -> Iterator[Container]:
    with open_test_container(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def invoke(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """On a port where no server is."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHATLEDGER_PORT", str(free_port()))

    def ask(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["status", *arguments], env={"COLUMNS": "140"})

    return ask


def change_jobs(url: str, statement: str) -> None:
    """As if workers had done it."""
    with psycopg.connect(url, options="-c search_path=jobs,public") as connection:
        connection.execute(statement.encode())


def facts(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_system_at_rest_is_healthy(
    container: Container, invoke: Invoke, database_url: str
) -> None:
    done = ingest(container)
    change_jobs(database_url, "DELETE FROM procrastinate_jobs")
    change_jobs(database_url, WORKER)
    result = invoke("--json")
    assert result.exit_code == 0, result.output
    assert facts(result)["down"] is False
    found = facts(result)
    assert (found["healthy"], found["problems"], found["server"]) == (True, [], None)
    assert found["log"] == {"position": done.position, "events_last_minute": done.position}
    assert {model["name"] for model in found["read_models"]} == set(container.runner.names)
    assert all(model["lag_events"] == 0 for model in found["read_models"])
    assert found["uploads_in_work"] == []

    said = invoke("--once").stdout
    assert "healthy" in said
    assert f"position {done.position}" in said
    for name in container.runner.names:
        assert name in said


def test_where_nothing_runs_it_says_so(container: Container, invoke: Invoke) -> None:
    ingest(container)
    result = invoke("--once")
    assert result.exit_code == 1
    assert "nothing runs, the data is healthy" in result.stdout
    assert "none answers at the configured address" in result.stdout
    found = facts(invoke("--json"))
    assert (found["down"], found["healthy"], found["server"]) == (True, True, None)


def test_a_rebuild_in_progress_is_shown(
    container: Container, invoke: Invoke, database_url: str
) -> None:
    ingest(container)
    model = next(model for model in container.runner.models if model.name == "authors")
    with psycopg.connect(database_url, autocommit=True) as owner:
        registry.create_version(owner, model, "building")
    [rebuild] = facts(invoke("--json"))["rebuilds"]
    assert (rebuild["name"], rebuild["stage"], rebuild["progress"]) == ("authors", "loading", 0.0)
    assert "Rebuild of authors: loading, 0% of the log" in invoke("--once").stdout


HISTOGRAM = """
chatledger_http_request_duration_seconds_bucket{route="/a",le="0.1"} 50
chatledger_http_request_duration_seconds_bucket{route="/a",le="0.2"} 90
chatledger_http_request_duration_seconds_bucket{route="/a",le="+Inf"} 100
chatledger_pool_connections{pool="reads",state="open"} 6
chatledger_pool_connections{pool="reads",state="idle"} 4
chatledger_append_group_requests_count 4
chatledger_append_group_requests_sum 10
chatledger_embedded_texts_total{purpose="uploads"} 300
chatledger_embedding_seconds_total{purpose="uploads"} 2
"""


def test_what_a_server_measured_is_shown_in_its_own_numbers() -> None:
    """A connection that is idle is open, too: it is not counted twice."""
    found = server_facts(Scrape(HISTOGRAM))
    assert found["pool_connections"] == {"reads": {"open": 6.0, "idle": 4.0}}
    assert found["request_seconds"] == {"p50": 0.1, "p95": 0.2}, "beyond the last bound: that bound"
    assert found["operation_seconds"] == {"p50": None, "p95": None}
    assert (found["append_groups"], found["append_group_mean"]) == (4.0, 2.5)
    assert found["embedded_texts_a_second"] == 150.0

    look = SystemStatus(at=datetime(2026, 1, 1, tzinfo=UTC), server=Scrape(HISTOGRAM))
    said = " ".join(timings(Scrape(HISTOGRAM), look, None))
    assert "Requests: p50 100.0 ms, p95 200.0 ms; GraphQL: none yet" in said
    assert "2.5 requests each" in said
    assert "150.0 texts a second" in said


def test_without_a_terminal_it_looks_once(container: Container, invoke: Invoke) -> None:
    began = time.monotonic()
    assert "Chatledger at" in invoke().stdout
    assert time.monotonic() - began < 10


def test_what_needs_care_is_said_with_what_to_do(
    container: Container, invoke: Invoke, database_url: str
) -> None:
    ingest(container)
    change_jobs(database_url, "UPDATE procrastinate_jobs SET status = 'failed'")
    with psycopg.connect(database_url, autocommit=True) as owner:
        registry.fail(owner, "messages", 1, 3, "transcript.recorded", "builtins.ValueError")
        registry.set_status(owner, "messages", 1, "halted")
    result = invoke("--once")
    assert result.exit_code == 1
    assert "needs care" in result.stdout
    assert "`chatledger jobs list --failed`" in result.stdout
    assert "the read model messages is halted" in result.stdout
    assert len(facts(invoke("--json"))["problems"]) == 2
    assert [job["task"] for job in facts(invoke("--json"))["failed_jobs"]]


def test_jobs_that_nobody_works_on_need_care(
    container: Container, invoke: Invoke, database_url: str
) -> None:
    ingest(container)
    assert facts(invoke("--json"))["problems"] == [], "they have only just begun to wait"
    change_jobs(
        database_url, "UPDATE procrastinate_jobs SET scheduled_at = now() - interval '2 minutes'"
    )
    result = invoke("--once")
    assert result.exit_code == 1
    assert "start `chatledger worker`" in " ".join(result.stdout.split())


def test_an_upload_in_work_is_shown_by_its_very_name(container: Container, invoke: Invoke) -> None:
    done = ingest(container)
    context = Context(actor_id=LOCAL_OWNER, workspace_id=done.workspace_id)
    container.receive_upload(ReceiveUpload(filename=MARKUP), [b"{}"], context)
    container.runner.advance("uploads")
    assert MARKUP in invoke("--once").stdout
    [upload] = facts(invoke("--json"))["uploads_in_work"]
    assert (upload["filename"], upload["stage"]) == (MARKUP, "received")


def test_a_database_that_is_away_is_a_problem_and_no_crash(
    container: Container, invoke: Invoke, database_url: str
) -> None:
    container.close()
    with outage(database_url):
        result = invoke("--json")
        assert result.exit_code == 1
        assert facts(result)["database"] is False
        assert "does not answer" in facts(result)["problems"][0]
        assert "does not answer" in invoke("--once").stdout
    assert facts(invoke("--json"))["problems"] == []


def test_a_database_without_an_archive_says_what_to_do(
    postgres_server: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_server)
    result = invoke("--once")
    assert result.exit_code == 1
    assert "`chatledger migrate`" in result.stdout


def test_at_a_terminal_it_goes_on_until_it_is_told_to_stop(
    container: Container, database_url: str, tmp_path: Path
) -> None:
    """New events are seen as they come; Ctrl-C leaves a terminal that can be used."""
    ingest(container)
    own, other = pty.openpty()
    settings = {
        "DATABASE_URL": database_url,
        "CHATLEDGER_MASTER_KEY": MASTER_KEY,
        "CHATLEDGER_PORT": str(free_port()),
        "TERM": "xterm",
        "COLUMNS": "120",
        "LINES": "60",
    }
    process = subprocess.Popen(
        [*PROGRAM, "status", "--every", "0.2"],
        cwd=REPOSITORY,
        env=environment(tmp_path, settings),
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    screen = Screen(own)
    try:
        head = container.archive.event_log.head()
        eventually(lambda: f"position {head:,}" in screen.text(), timeout_seconds=20)
        ingest(container, workspace="another")
        head = container.archive.event_log.head()
        eventually(lambda: f"position {head:,}" in screen.text(), timeout_seconds=20)
        assert "a second now" in screen.text()
        os.write(own, b"\x03")
        process.send_signal(2)
        eventually(lambda: screen.text() is not None and process.poll() is not None)
        screen.text()  # what it wrote last of all
        assert screen.raw.rstrip().endswith((b"\x1b[?25h", b"\x1b[?1049l")), "the cursor is back"
        assert b"Traceback" not in screen.raw
    finally:
        process.kill()
        process.wait()
        os.close(own)


class Screen:
    """What a terminal was sent."""

    def __init__(self, file: int) -> None:
        self._file = file
        self.raw = b""

    def text(self) -> str:
        while select.select([self._file], [], [], 0)[0]:
            try:
                self.raw += os.read(self._file, 65536)
            except OSError:
                break  # the other end is closed
        return ESCAPES.sub("", self.raw.decode(errors="replace"))


def test_several_processes_show_one_sum_whoever_answers() -> None:
    """A scrape of any process counts the requests of all, and `status` adds it to what it says."""
    with home() as folder, start(folder, "serve", "--processes", "2") as server:
        port = {"CHATLEDGER_PORT": str(server.port)}
        eventually(server.is_ready, timeout_seconds=60)
        eventually(lambda: processes_of(folder, port) == {"serve": 2.0, "worker": 1.0}, 30)
        for _ in range(40):
            server.get("/openapi.json")
        counts = {requests_to("/openapi.json", server.port) for _ in range(12)}
        assert counts == {40.0}

        server.upload(export([("Talk", "Ada", "What a lovely day")]), "talk.jsonl", "people")
        eventually(lambda: uploads_read(server.port) == 1, timeout_seconds=60)
        shown = run(folder, "status", "--once", **port)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "healthy" in shown.stdout
        assert "serve" in shown.stdout
        lines = [json.loads(line) for line in server.text.splitlines() if line.startswith("{")]
        events = {line["event"] for line in lines}
        assert {"http_request", "job_ended", "projection_stepped"} <= events
        assert "lovely" not in server.text
        server.end(15, 20)


def scrape_of(port: int) -> Any:
    from infrastructure.monitoring.scrape import scrape

    found = scrape(f"http://127.0.0.1:{port}")
    assert found is not None
    return found


def requests_to(route: str, port: int) -> float:
    name = "chatledger_http_request_duration_seconds_count"
    return float(scrape_of(port).total(name, route=route))


def uploads_read(port: int) -> float:
    """What the worker counted, shown by an API process."""
    name = "chatledger_job_duration_seconds_count"
    return float(scrape_of(port).total(name, task="uploads:read", outcome="succeeded"))


def processes_of(folder: Path, port: dict[str, str]) -> Any:
    done = run(folder, "status", "--json", **port)
    found = json.loads(done.stdout)
    return found["server"] and found["server"]["processes"]
