"""Where jobs run: threads that do not keep a process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
NAME = "job"


class JobThreads(ThreadPoolExecutor):
    """
    The event loop's executor: a thread of its own for each call, as a daemon.

    The stock one has few threads (six on two cores), which long jobs would keep from short ones
    and from the driver's own look-ups; and at the end it waits for every thread, however long.
    How many jobs run at a time is the workers' concern.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it travels to whoever awaits
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name=NAME, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        """Nothing to wait for: the process takes its threads along."""


def are_jobs_running() -> bool:
    """In this process, still: after its workers have stopped, jobs that did not stop in time."""
    return any(thread.name == NAME for thread in threading.enumerate())
