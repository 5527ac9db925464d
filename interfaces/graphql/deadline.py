"""The threads in which operations wait for the database, and how long each may."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeVar

from infrastructure.postgres.patience import Patience

T = TypeVar("T")

# Searches at a time. More would only wait for each other: for cores, and for connections.
THREADS = 8
MAX_WAITING = 256  # pieces of work without a thread; more would only time out together
DEADLINE_SECONDS = 10.0
SOON_SECONDS = 0.05
GRACE_SECONDS = 0.5  # after the deadline, for an answer that says which part was late


class DeadlineExceededError(Exception):
    """The operation has taken too long."""

    is_quotable = True

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The operation took longer than {seconds:g} s and was given up. What it had begun to "
            "record may have been recorded: to repeat a mutation is harmless under its command id."
        )


class ClientGoneError(Exception):
    """Nobody waits for the answer."""

    def __init__(self) -> None:
        super().__init__("The client has hung up.")


class OverloadedError(Exception):
    """More work waits than could be done in time."""

    is_quotable = True

    def __init__(self) -> None:
        super().__init__("Too many requests are waiting already: try again in a second.")


class OperationThreads:
    """
    Of one process.

    Args:
        deadline_seconds: from an operation's beginning to its end; a subscription has as much
            for each of its items.
    """

    def __init__(
        self,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        threads: int = THREADS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._max_waiting = max_waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="graphql")
        self._lock = threading.Lock()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Pieces of work that have no thread yet."""
        return self._waiting

    @property
    def is_overloaded(self) -> bool:
        return self._waiting >= self._max_waiting

    def patience(self) -> Patience:
        """With an operation that begins now."""
        return Patience(self.deadline_seconds)

    async def run(self, work: Callable[[], T], patience: Patience) -> T:
        """
        Do in a thread what blocks.

        Whoever waits is told of the deadline at once; the thread is free when what it is at in
        the database has been cancelled, some tenths of a second later.

        Raises:
            DeadlineExceededError
            OverloadedError: it was not begun.
        """
        if self.is_overloaded:
            raise OverloadedError
        remaining = patience.remaining
        deadline = None if remaining is None else asyncio.get_running_loop().time() + remaining
        try:
            async with asyncio.timeout_at(deadline) as limit:
                return await asyncio.wrap_future(self._submit(work, patience))
        except asyncio.CancelledError:
            patience.abandon()  # the client has hung up
            raise
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceededError(self.deadline_seconds) from error

    def _submit(self, work: Callable[[], T], patience: Patience) -> Future[T]:
        is_started = False
        context = copy_context()

        def do() -> T:
            nonlocal is_started
            self._count(-1)
            is_started = True
            with patience.applied():
                return work()

        def settle(future: Future[Any]) -> None:
            if future.cancelled() and not is_started:
                self._count(-1)

        self._count(+1)
        future = self._executor.submit(context.run, do)
        future.add_done_callback(settle)
        return future

    def _count(self, change: int) -> None:
        with self._lock:
            self._waiting += change


async def unless_gone(
    receive: Callable[[], Awaitable[Any]], work: Coroutine[Any, Any, T], seconds: float
) -> T:
    """
    Args:
        receive: of ASGI; the request's body has been read.
        seconds: then work that has a deadline of its own should have ended.

    Raises:
        ClientGoneError, DeadlineExceededError: the work was cancelled.
    """
    watch = ClientWatch(receive)
    try:
        async with asyncio.timeout(seconds + GRACE_SECONDS) as limit, watch:
            return await work
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceededError(seconds) from error


class ClientWatch:
    """
    Around work: ends it when the client hangs up. Most work is done before it is worth to look.

    Raises:
        ClientGoneError
    """

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._is_gone = False

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SOON_SECONDS, self._watch, asyncio.current_task())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if not self._is_gone:
            return
        task = asyncio.current_task()
        is_asked_by_others = task is not None and task.uncancel() > 0
        if isinstance(error, asyncio.CancelledError) and not is_asked_by_others:
            raise ClientGoneError from error

    def _watch(self, working: asyncio.Task[Any] | None) -> None:
        self._watching = asyncio.ensure_future(self._wait(working))

    async def _wait(self, working: asyncio.Task[Any] | None) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        if working is not None:
            working.cancel()
