"""What is known of the read models' positions, and who waits for one of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

import psycopg

from infrastructure.discretion import describe

log = logging.getLogger(__name__)

OnMove = Callable[[str, int], None]


class Waiter:
    """Waits for read models to reach a position; in a thread or in an event loop."""

    def __init__(self, names: Collection[str], position: int) -> None:
        self.names = frozenset(names)
        self.position = position
        self.was_looked_at = False  # it is not there yet, or was not a moment ago
        self.future: Future[bool] = Future()
        self.future.set_running_or_notify_cancel()  # so that nobody cancels it

    def settled(self, timeout_seconds: float) -> bool:
        """Whether it is by then. Blocks that long at most."""
        try:
            self.future.exception(timeout_seconds)
        except TimeoutError:
            return False
        return True

    def outcome(self) -> bool:
        """Of a settled one. Raises what made it impossible to know."""
        return self.future.result(0)

    def is_reached(self, positions: Mapping[str, int]) -> bool:
        return all(positions.get(name, -1) >= self.position for name in self.names)


class Reading(NamedTuple):
    """The state of this memory when somebody began to read the table."""

    moves: Mapping[str, int]
    connections: int


class KnownPositions:
    """
    Thread-safe. Nobody is told that a position is reached by a memory that may have missed a step
    back, such as a restored database: only while it is complete, or by what was just read.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._positions: dict[str, int] = {}
        self._moves: dict[str, int] = {}  # by name, how many notifications have come
        self._connections = 0  # how often notifications began to be heard
        self._is_heard = False
        self._is_complete = False  # read since notifications are heard
        self._waiters: set[Waiter] = set()
        self._listeners: tuple[OnMove, ...] = ()

    @property
    def is_anybody_waiting(self) -> bool:
        return bool(self._waiters)

    def enter(self, names: Collection[str], position: int) -> Waiter:
        """Whoever enters leaves, too. It may be settled at once."""
        waiter = Waiter(names, position)
        with self._lock:
            if self._is_complete and waiter.is_reached(self._positions):
                waiter.future.set_result(True)
            else:
                self._waiters.add(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        with self._lock:
            self._waiters.discard(waiter)

    def listen(self, on_move: OnMove) -> Callable[[], None]:
        with self._lock:
            self._listeners = (*self._listeners, on_move)

        def end() -> None:
            with self._lock:
                kept = tuple(one for one in self._listeners if one is not on_move)
                self._listeners = kept

        return end

    def connected(self) -> None:
        """From now on, what moves is heard."""
        with self._lock:
            self._connections += 1
            self._is_heard, self._is_complete = True, False

    def disconnected(self) -> None:
        with self._lock:
            self._is_heard = self._is_complete = False

    def moved(self, name: str, position: int) -> bool:
        """What a notification says. False if somebody goes on waiting for this read model."""
        with self._lock:
            self._moves[name] = self._moves.get(name, 0) + 1
            self._positions[name] = position
            concerned = {waiter for waiter in self._waiters if name in waiter.names}
            reached = {waiter for waiter in concerned if waiter.is_reached(self._positions)}
            if not self._is_complete:
                reached.clear()
            self._waiters -= reached
        settle(reached, is_reached=True)
        self._tell([(name, position)])
        return len(reached) == len(concerned)

    def begin_reading(self) -> Reading:
        with self._lock:
            return Reading(dict(self._moves), self._connections)

    def end_reading(
        self, reading: Reading, positions: Mapping[str, int], halted: Collection[str]
    ) -> None:
        """What stood in the table. Notifications that came meanwhile are the later word."""
        with self._lock:
            later = {
                name: position
                for name, position in self._positions.items()
                if self._moves.get(name) != reading.moves.get(name)
            }
            now = {**positions, **later}
            changed = [pair for pair in now.items() if self._positions.get(pair[0]) != pair[1]]
            self._positions = now
            self._is_complete = self._is_heard and reading.connections == self._connections
            reached = {waiter for waiter in self._waiters if waiter.is_reached(now)}
            vain = {
                waiter
                for waiter in self._waiters - reached
                if any(now.get(name, -1) < waiter.position for name in waiter.names & set(halted))
            }
            self._waiters -= reached | vain
            for waiter in self._waiters:
                waiter.was_looked_at = True
        settle(reached, is_reached=True)
        settle(vain, is_reached=False)
        self._tell(changed)

    def give_up(self, error: Exception | None) -> None:
        """Nobody can know: every wait ends, with an error if there is one."""
        with self._lock:
            waiters, self._waiters = self._waiters, set()
        if error is None:
            settle(waiters, is_reached=False)
            return
        for waiter in waiters:
            said = psycopg.OperationalError("the positions of the read models cannot be read")
            said.__cause__ = error
            waiter.future.set_exception(said)

    def _tell(self, moves: Iterable[tuple[str, int]]) -> None:
        with self._telling:
            for name, position in moves:
                for on_move in self._listeners:
                    try:
                        on_move(name, position)
                    except Exception as error:  # noqa: BLE001 - the others want to know, too
                        log.warning("a listener to positions failed: %s", describe(error))


def settle(waiters: Iterable[Waiter], *, is_reached: bool) -> None:
    for waiter in waiters:
        waiter.future.set_result(is_reached)
