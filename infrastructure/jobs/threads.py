"""Where jobs run: threads that do not keep a process from ending."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


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

        Thread(target=run, name="job", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        """Nothing to wait for: the process takes its threads along."""
