"""Several processes as one: started, watched, started anew, and ended together."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from infrastructure.saying import Say, announce

PROGRAM = (sys.executable, "-c", "from interfaces.cli.main import main; main()")
READY = b"1"  # what a child says as soon as it can do its work
FIRST_WAIT_SECONDS = 0.5  # before a child is started anew, doubled each time
LONGEST_WAIT_SECONDS = 10.0
DATABASE_SECONDS = 1.0  # between two looks whether a database that was away is back
STEADY_SECONDS = 30.0  # after so long a life, the waits begin anew
MOST_FAILED_STARTS = 5  # in a row, while the database answers
ORPHANED = (
    "The process that started this one is gone, so it ends, too. PostgreSQL, if it was started "
    "with them, runs on: the next command that needs it takes it over, and stops it at its end."
)
STOP_SECONDS = 9.0  # then children are killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a child is for: a command of ours, which takes `--life-fd`."""

    name: str
    arguments: Sequence[str]
    pass_fds: Sequence[int] = ()


class Child:
    """One role, in one life after the other."""

    def __init__(self, role: Role, environment: Mapping[str, str]) -> None:
        self.role = role
        self.is_ready = False
        self.waits_for_database = False
        self.starts_at: float | None = 0.0  # of `time.monotonic`; None while it lives
        self.life: socket.socket | None = None  # our end; the other end closes with the child
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failed_starts = 0
        self._wait_seconds = FIRST_WAIT_SECONDS

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        ours, theirs = socket.socketpair()
        self.life, self.is_ready, self.waits_for_database = ours, False, False
        self.starts_at, self._started = None, time.monotonic()
        try:
            self._process = subprocess.Popen(  # noqa: S603 # our own program, no shell
                [*PROGRAM, *self.role.arguments, "--life-fd", str(theirs.fileno())],
                env=self._environment,
                pass_fds=[*self.role.pass_fds, theirs.fileno()],
                # Ctrl-C in our terminal is for us alone: we tell the children in order.
                start_new_session=True,
            )
        finally:
            theirs.close()

    def hear(self) -> bool:
        """What it says. False: it has ended."""
        if self.life is None or not self.life.recv(16):
            return False
        self.is_ready = True
        self._failed_starts = 0
        return True

    def bury(self, is_database_there: Callable[[], bool]) -> int:
        """
        After its end: clear away, and decide when it starts anew. Returns its status.

        It cannot start without the database, which is no failure of its own.

        Raises:
            click.ClickException: if it has failed to start too often in a row.
        """
        status = self._reap(1.0)
        lived = time.monotonic() - self._started
        if lived > STEADY_SECONDS:
            self._wait_seconds = FIRST_WAIT_SECONDS
        if not self.is_ready and not is_database_there():
            self.waits_for_database = True
            self.starts_at = time.monotonic() + DATABASE_SECONDS
            return status
        if not self.is_ready:
            self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            raise click.ClickException(
                f"{self.role.name} ended {self._failed_starts} times before it was ready, at last "
                f"with status {status}: what it said above tells why"
            )
        self.starts_at = time.monotonic() + self._wait_seconds
        self._wait_seconds = min(self._wait_seconds * 2, LONGEST_WAIT_SECONDS)
        return status

    def tell(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def end(self, deadline: float) -> bool:
        """Wait for its end. False if it had to be killed."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._reap(0.0)
            return False
        return True

    def _reap(self, patience_seconds: float) -> int:
        if self.life is not None:
            self.life.close()
            self.life = None
        if self._process is None:
            return 0
        try:
            return self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Supervisor:
    """
    Args:
        environment: of the children, complete.
        is_database_there: asked when a child has failed to start; may take seconds.
        say: for the person at the terminal.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        *,
        environment: Mapping[str, str],
        say: Say,
        is_database_there: Callable[[], bool] = lambda: True,
        on_ready: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.children = [Child(role, environment) for role in roles]
        self._say = say
        self._is_database_there = is_database_there
        self._on_ready = on_ready  # called once, when every child is ready for the first time
        self._on_stop = on_stop
        self._was_ready = False

    def run(self) -> NoReturn:
        """Until an exception, such as that of a signal, unwinds it: then the children end, too."""
        try:
            while True:
                self._start_due()
                self._listen()
        finally:
            self._stop()

    def _start_due(self) -> None:
        for child in self.children:
            if child.starts_at is None or child.starts_at > time.monotonic():
                continue
            if child.waits_for_database and not self._is_database_there():
                child.starts_at = time.monotonic() + DATABASE_SECONDS
            else:
                child.start()

    def _listen(self) -> None:
        """Until a child says something, or is to be started."""
        with selectors.DefaultSelector() as selector:
            for child in self.children:
                if child.life is not None:
                    selector.register(child.life, selectors.EVENT_READ, child)
            due = [child.starts_at for child in self.children if child.starts_at is not None]
            wait = max(0.0, min(due) - time.monotonic()) if due else None
            for key, _ in selector.select(wait):
                self._hear(key.data)

    def _hear(self, child: Child) -> None:
        if child.hear():
            if not self._was_ready and all(one.is_ready for one in self.children):
                self._was_ready = True
                self._on_ready()
            return
        status = child.bury(self._is_database_there)
        name = child.role.name
        text = f"{name} ended with status {status}, and is started anew."
        if child.waits_for_database:
            text = (
                f"{name} ended with status {status}: the database does not answer. As soon as it "
                "does, it is started anew."
            )
        self._say(text, "child_ended", level="warning", role=name, status=status)

    def _stop(self) -> None:
        self._on_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.tell(signal.SIGTERM)
        for child in self.children:
            if not child.end(deadline):
                name = child.role.name
                text = f"{name} did not stop in time, and was killed."
                self._say(text, "child_killed", level="warning", role=name)


class Life:
    """A child's side: says when it is ready, and ends with its parent, however that ends."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        # Not for programs that this process starts.
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the library's own
        threading.Thread(target=self._watch, name="life", daemon=True).start()

    def say_ready(self) -> None:
        try:
            self._socket.send(READY)
        except OSError:
            return  # the parent is gone, which is noticed elsewhere

    def _watch(self) -> None:
        try:
            self._socket.recv(1)  # nothing is ever said: it returns when the parent has ended
            announce(ORPHANED, "parent_gone", level="warning")
        finally:
            main = threading.main_thread().ident
            if main is not None:
                signal.pthread_kill(main, signal.SIGTERM)


def life_of(descriptor: int | None) -> Life | None:
    return None if descriptor is None else Life(descriptor)
