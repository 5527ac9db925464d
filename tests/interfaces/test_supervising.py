"""When a child that ends is started anew, and when all is given up."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import click
import pytest

from interfaces.cli import supervising
from interfaces.cli.supervising import Role, Supervisor
from tests.support.eventually import eventually

VAIN = "import sys; sys.exit(3)"
READY = """
import socket, sys, time
life = socket.socket(fileno=int(sys.argv[-1]))
life.send(b"1")
life.recv(1)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(supervising, "DATABASE_SECONDS", 0.05)


class Stage:
    """A supervisor in a thread, and a database that is there or not."""

    def __init__(self, program: str) -> None:
        self.said: list[str] = []
        self.looks = 0
        self.is_database_there = True
        self.reason: str | None = None
        self.supervisor = Supervisor(
            [Role(name="The child", arguments=())],
            environment=dict(os.environ),
            say=self._say,
            is_database_there=self._look,
        )
        supervising.PROGRAM = (sys.executable, "-c", program)
        self._is_over = False
        self.thread = threading.Thread(target=self._run)

    def end(self) -> None:
        self._is_over = True
        self.thread.join(20)
        assert not self.thread.is_alive()

    def _look(self) -> bool:
        if self._is_over:
            raise click.ClickException("over")
        self.looks += 1
        return self.is_database_there

    def _say(self, text: str, *_: Any, **__: Any) -> None:
        self.said.append(text)

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except click.ClickException as error:
            self.reason = error.message


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(supervising, "PROGRAM", ())  # put back at the end
    stage = Stage(VAIN)
    yield stage
    stage.end()


def test_five_starts_in_vain_end_all_with_a_reason(stage: Stage) -> None:
    stage.thread.start()
    stage.thread.join(20)
    assert stage.reason is not None
    assert "The child ended 5 times before it was ready, at last with status 3" in stage.reason
    assert len(stage.said) == 4


def test_starts_are_neither_tried_nor_counted_while_the_database_is_away(stage: Stage) -> None:
    stage.is_database_there = False
    stage.thread.start()
    eventually(lambda: stage.looks > 10, 20)
    [said] = stage.said
    assert said.startswith("The child ended with status 3: the database does not answer.")
    assert stage.thread.is_alive()

    supervising.PROGRAM = (sys.executable, "-c", READY)
    stage.is_database_there = True
    [child] = stage.supervisor.children
    eventually(lambda: child.is_ready, 20)
    # It ends while all is well: that is another matter, and needs no look at the database.
    looks = stage.looks
    before = child.pid
    child.tell(9)
    eventually(lambda: child.is_ready and child.pid != before, 20)
    assert stage.looks == looks
    assert stage.said[-1] == "The child ended with status -9, and is started anew."
    supervising.PROGRAM = (sys.executable, "-c", VAIN)
    child.tell(9)
    eventually(lambda: stage.reason is not None, 20)


def test_an_outage_between_starts_in_vain_does_not_add_to_them(stage: Stage) -> None:
    stage.thread.start()
    eventually(lambda: len(stage.said) >= 2, 20)
    stage.is_database_there = False
    eventually(lambda: "does not answer" in stage.said[-1], 20)
    counted = len(stage.said) - 1
    time.sleep(0.5)
    assert stage.thread.is_alive()
    stage.is_database_there = True
    stage.thread.join(20)
    assert stage.reason is not None
    assert len(stage.said) == 1 + 4, (counted, stage.said)
