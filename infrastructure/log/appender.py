"""Group commit: what many ask to append at the same time goes in one transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError

from application.ports.event_log import CommandAnswer
from application.ports.jobs import JobAsked
from infrastructure.log.mapper import RecordableEvent
from infrastructure.observability.metrics import metrics

MAX_EVENTS = 500  # in one transaction
OUTAGE = frozenset({"08", "53", "57"})  # SQLSTATE: connection, resources, shut down
MAX_BYTES = 8 * 1024 * 1024  # of event states in one transaction


class AppenderClosedError(Exception):
    """The process is stopping; nothing more is appended."""

    is_quotable = True


@dataclass(slots=True, kw_only=True)
class AppendRequest:
    events: Sequence[RecordableEvent]
    jobs: Sequence[JobAsked] = ()
    answer: CommandAnswer | None = None
    submitted_at: float = field(default_factory=time.monotonic)
    loop: asyncio.AbstractEventLoop | None = None  # set: the future belongs to this loop
    future: Any = field(default_factory=Future)

    @property
    def size(self) -> int:
        return sum(len(event.state) for event in self.events)


# Appends all requests in one transaction; returns the positions, one list a request.
Write = Callable[[Sequence[AppendRequest]], list[list[int]]]


class GroupAppender:
    """
    One thread a process. While one group is being committed the next one gathers.

    A request that cannot be written fails alone: the others of its group are written without it.
    """

    def __init__(self, write: Write, *, on_commit: Callable[[], None] = lambda: None) -> None:
        self._write = write
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[AppendRequest | None] = queue.SimpleQueue()
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="log-appender", daemon=True)
        self._thread.start()

    def append(self, request: AppendRequest) -> list[int]:
        """Block until the events are durable. Returns their positions, in order."""
        return self.begin(request)()

    def begin(self, request: AppendRequest) -> Callable[[], list[int]]:
        """The same for who has something else to do meanwhile: what is returned blocks."""
        self._submit(request)
        wait: Callable[[], list[int]] = request.future.result
        return wait

    async def append_async(self, request: AppendRequest) -> list[int]:
        """The same without blocking the event loop."""
        request.loop = asyncio.get_running_loop()
        request.future = request.loop.create_future()
        self._submit(request)
        positions: list[int] = await request.future
        return positions

    def close(self) -> None:
        """Write what was accepted, then stop."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._queue.put(None)
        self._thread.join()

    def _submit(self, request: AppendRequest) -> None:
        with self._lock:
            if self._is_closed:
                raise AppenderClosedError("the log is closed")
            self._queue.put(request)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, is_last = self._gather(first)
            self._settle(group)
            if is_last:
                return

    def _gather(self, first: AppendRequest) -> tuple[list[AppendRequest], bool]:
        group = [first]
        events, size = len(first.events), first.size
        while events < MAX_EVENTS and size < MAX_BYTES:
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return group, True
            group.append(request)
            events += len(request.events)
            size += request.size
        return group, False

    def _settle(self, group: list[AppendRequest]) -> None:
        outcomes: list[list[int] | BaseException]
        try:
            outcomes = list(self._write(group))
        except Exception as error:  # noqa: BLE001 - it travels to whoever waits for this request
            if len(group) == 1 or is_outage(error):
                # Each alone would wait as long again, one after the other.
                outcomes = [error] * len(group)
            else:
                outcomes = [self._write_alone(request) for request in group]
        deliver(group, outcomes)
        count(group, outcomes)
        if any(isinstance(outcome, list) for outcome in outcomes):
            self._on_commit()

    def _write_alone(self, request: AppendRequest) -> list[int] | BaseException:
        try:
            return self._write([request])[0]
        except Exception as error:  # noqa: BLE001 - as above
            return error


def count(group: Sequence[AppendRequest], outcomes: Sequence[list[int] | BaseException]) -> None:
    """Once a group and not once a request: that would cost as much as a group can spare."""
    own = metrics()
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in errors:
        own.append_failures.labels(reason(error)).inc()
    if len(errors) < len(outcomes):
        own.appends.observe(time.monotonic() - group[0].submitted_at)
        own.group_requests.observe(len(outcomes) - len(errors))
        own.group_events.observe(sum(len(o) for o in outcomes if isinstance(o, list)))


def reason(error: BaseException) -> str:
    """Why nothing was stored, as a label."""
    if isinstance(error, IntegrityError):
        return "conflict"
    return "database_away" if isinstance(error, Exception) and is_outage(error) else "error"


def is_outage(error: Exception) -> bool:
    """The database is away, whatever is written; not that it refuses something too large."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state[:2] in OUTAGE


def deliver(group: Sequence[AppendRequest], outcomes: Sequence[list[int] | BaseException]) -> None:
    """Wake each waiting thread; each event loop is woken once for all of its requests."""
    by_loop = defaultdict(list)
    for request, outcome in zip(group, outcomes, strict=True):
        if request.loop is None:
            resolve(request.future, outcome)
        else:
            by_loop[request.loop].append((request.future, outcome))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve_all, pairs)


def resolve_all(pairs: Sequence[tuple[Any, list[int] | BaseException]]) -> None:
    for future, outcome in pairs:
        resolve(future, outcome)


def resolve(future: Any, outcome: list[int] | BaseException) -> None:
    if future.done():
        return  # the client went away; the events are stored all the same
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
