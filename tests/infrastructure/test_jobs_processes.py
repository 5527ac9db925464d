"""Worker processes that are killed, and that are told to stop."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.jobs import Lab, make_marking_app, working
from tests.support.worker_process import ABANDONED

pytest_plugins = ["tests.support.job_fixtures"]


REPOSITORY = Path(__file__).parents[2]


@contextlib.contextmanager
def process(kind: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.worker_process", kind, *arguments]
    with subprocess.Popen(command, cwd=REPOSITORY) as started:
        try:
            yield started
        finally:
            started.kill()


def seconds_to_end(running: subprocess.Popen[bytes], number: signal.Signals) -> float:
    started = time.monotonic()
    running.send_signal(number)
    running.wait(timeout=15)
    return time.monotonic() - started


def test_the_job_of_a_killed_worker_runs_again_elsewhere(lab: Lab) -> None:
    deferred = lab.defer("stubborn", lock="upload")
    with process("alone", lab.url) as killed:
        eventually(lambda: lab.marks("stubborn"), 20)
        killed.kill()
        killed.wait()
    assert lab.status(deferred) == "doing"
    with working(make_marking_app(lab.url)):
        eventually(lambda: lab.job(deferred) is None)
    assert [mark["attempts"] for mark in lab.marks("stubborn")] == [0, 1]
    assert len({mark["pid"] for mark in lab.marks("stubborn")}) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_whose_jobs_stop_when_asked(
    lab: Lab, number: signal.Signals
) -> None:
    deferred = lab.defer("polite")
    with process("alone", lab.url) as worker:
        eventually(lambda: lab.marks("polite"), 20)
        assert seconds_to_end(worker, number) < 5
        assert worker.returncode == 0
    assert lab.status(deferred) == "todo"


def test_a_signal_ends_a_worker_whose_job_does_not_stop(lab: Lab) -> None:
    """Another worker takes the job at once: it need not wait for the heart to have stopped."""
    deferred = lab.defer("stubborn")
    with process("alone", lab.url) as worker:
        eventually(lambda: lab.marks("stubborn"), 20)
        assert seconds_to_end(worker, signal.SIGTERM) < 5
        assert worker.returncode == ABANDONED
    job = lab.job(deferred)
    assert job is not None
    assert (job["status"], job["worker_id"]) == ("doing", None)


def test_a_signal_ends_a_web_server_that_works_on_jobs_beside(lab: Lab, tmp_path: Path) -> None:
    """Procrastinate's own handlers would swallow the signal that the server waits for."""
    deferred = lab.defer("polite")
    path = str(tmp_path / "socket")
    with process("beside", lab.url, path) as server:
        eventually(lambda: lab.marks("polite"), 20)
        eventually(lambda: answers(path))
        assert seconds_to_end(server, signal.SIGTERM) < 5
    assert lab.status(deferred) == "todo"


def answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0
