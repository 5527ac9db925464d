"""How a process ends whose jobs do not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# The stuck job stands for native code, which would not survive the end of the interpreter.
PROGRAM = """
import atexit, os, signal, sys, time
from infrastructure.jobs.threads import JobThreads
from interfaces.cli.ending import ending

atexit.register(lambda: print("the interpreter ended"))
with ending():
    if {is_stuck}:
        JobThreads().submit(time.sleep, 60)
    print("said before", end=" ")
    {end}
"""


def run(end: str, *, is_stuck: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end, is_stuck=is_stuck)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        ("sys.exit(0)", 0, ""),
        ("sys.exit(4)", 4, ""),
        ("sys.exit('no such file')", 1, "no such file"),
        ("{}['key']", 1, "KeyError"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 128 + signal.SIGTERM, ""),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", 128 + signal.SIGINT, ""),
    ],
)
def test_a_stuck_job_is_left_behind_and_changes_nothing_of_what_is_told(
    end: str, status: int, told: str
) -> None:
    stuck, free = run(end, is_stuck=True), run(end, is_stuck=False)

    assert (stuck.returncode, free.returncode) == (status, status)
    assert "the interpreter ended" not in stuck.stdout
    assert "the interpreter ended" in free.stdout
    for ended in (stuck, free):
        assert ended.stdout.startswith("said before ")
        assert told in ended.stderr
        assert bool(ended.stderr) == bool(told)


def test_a_second_signal_ends_at_once_in_the_middle_of_the_closing() -> None:
    """Whoever is impatient gets what he wants; the status names the signal that did it."""
    end = (
        "\n    try: signal.raise_signal(signal.SIGTERM)"
        "\n    finally: signal.raise_signal(signal.SIGINT); print('closed')"
    )
    ended = run(end, is_stuck=False)
    assert ended.returncode == 128 + signal.SIGINT
    assert "closed" not in ended.stdout
    assert "the interpreter ended" not in ended.stdout
