"""What `serve` and `worker` say on stderr: lines of JSON for programs, sentences for people."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import command
from tests.support.command import Running, run, servers_in, start
from tests.support.eventually import eventually


@pytest.fixture
def home() -> Iterator[Path]:
    with command.home() as folder:
        yield folder


def lines(said: str) -> list[dict[str, Any]]:
    """Fails if anything else than lines of JSON was said."""
    return [json.loads(line) for line in said.splitlines()]


def events(running: Running) -> list[str]:
    return [line["event"] for line in lines(running.text)]


def test_a_server_says_its_life_in_lines_of_json(home: Path) -> None:
    with start(home / "data", "serve", CHATLEDGER_LOG_FORMAT="json") as running:
        eventually(running.is_ready, 60)
        running.end(signal.SIGTERM, timeout_seconds=12)
        assert running.process.returncode == 0, running.text
    found = {line["event"]: line for line in lines(running.text)}
    assert found["master_key_created"]["level"] == "warning"
    started = found["server_started"]
    assert started["address"] == f"http://127.0.0.1:{running.port}/"
    assert started["processes"] == 1
    said = events(running)
    assert said.index("server_started") < said.index("server_stopping")
    assert said[-1] == "server_stopped"


def test_the_end_of_a_child_is_a_line_with_its_status(home: Path) -> None:
    arguments = ("serve", "--processes", "2")
    with start(home / "data", *arguments, CHATLEDGER_LOG_FORMAT="json") as running:
        eventually(lambda: "server_started" in running.text, 90)
        started = next(line for line in lines(running.text) if line["event"] == "server_started")
        assert started["processes"] == 2
        [worker] = [
            child
            for child in psutil.Process(running.process.pid).children()
            if "worker" in child.cmdline()
        ]
        worker.kill()
        eventually(lambda: "child_ended" in running.text, 10)
        running.end(signal.SIGTERM, timeout_seconds=12)
        [ended] = [line for line in lines(running.text) if line["event"] == "child_ended"]
        assert (ended["level"], ended["role"]) == ("warning", "The worker")
        assert ended["status"] == -signal.SIGKILL


def test_a_worker_says_its_life_in_lines_of_json(home: Path) -> None:
    with start(home / "data", "worker", CHATLEDGER_LOG_FORMAT="json") as running:
        eventually(lambda: "worker_started" in running.text, 60)
        running.end(signal.SIGTERM, timeout_seconds=12)
    said = events(running)
    assert said.index("worker_started") < said.index("worker_stopping")
    assert said[-1] == "worker_stopped"


def test_people_read_sentences(home: Path) -> None:
    with start(home / "data", "serve", CHATLEDGER_LOG_FORMAT="text") as running:
        eventually(running.is_ready, 60)
        running.end(signal.SIGINT, timeout_seconds=12)
    said = running.text.splitlines()
    assert f"Serving on http://127.0.0.1:{running.port}/ until stopped." in said
    assert any(line.startswith("Stopping") for line in said)
    assert said[-1] == "Stopped."


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_where_somebody_else_serves_nothing_is_made(home: Path, form: str, processes: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {"CHATLEDGER_PORT": port, "CHATLEDGER_LOG_FORMAT": form}
        ended = run(home / "data", "serve", "--processes", processes, **settings)
    assert ended.returncode == 1
    assert "choose another CHATLEDGER_PORT" in ended.stderr
    assert not (home / "data" / "postgres").exists()
    assert not (home / "data" / "keys").exists()
    if form == "json":
        [line] = lines(ended.stderr)
        assert (line["event"], line["level"]) == ("command_failed", "error")
    else:
        assert ended.stderr.startswith("Error: cannot serve on")


def test_a_wrong_option_is_a_line_with_its_status(home: Path) -> None:
    ended = run(home / "data", "serve", "--processes", "0", CHATLEDGER_LOG_FORMAT="json")
    [line] = lines(ended.stderr)
    assert (ended.returncode, line["event"]) == (2, "command_failed")


@pytest.mark.parametrize("form", ["text", "json"])
def test_who_ends_at_once_is_told_that_the_database_runs_on(home: Path, form: str) -> None:
    """Until the next command, which takes it over and stops it."""
    with start(home / "data", "serve", CHATLEDGER_LOG_FORMAT=form) as running:
        eventually(running.is_ready, 60)
        with socket.create_connection(("127.0.0.1", running.port)) as waiting:
            # A request that comes in slowly: there is something to wait for.
            waiting.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            os.kill(running.process.pid, signal.SIGINT)
            eventually(lambda: "topping" in running.text, 5)
            running.end(signal.SIGINT, timeout_seconds=5)
    assert "runs on: the next command that needs it takes it over" in running.text
    if form == "json":
        assert lines(running.text)[-1]["event"] == "left_behind"
    assert servers_in(home)
    assert run(home / "data", "projection", "list").returncode == 0
    assert not servers_in(home)
