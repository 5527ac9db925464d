"""How a command's process ends: in order, whatever ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from infrastructure.jobs.threads import are_jobs_running
from infrastructure.saying import say_what_is_left

log = logging.getLogger(__name__)

# Names of threads: the model of queries is loaded, lists of vectors are made.
DEEP = frozenset({"warming", "faiss-retrain"})
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signalled(SystemExit):
    """Unwinds the command, so that all it has opened is closed. The status is the shell's usual."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


@contextmanager
def ending() -> Iterator[None]:
    """
    Around everything that a process does: SIGTERM and Ctrl-C unwind it, and jobs that did not
    stop when asked to are left behind.

    Such a job may be deep in a model's code, which would not survive the interpreter's end. The
    queue knows that it has to run again. What else may be as deep is left behind, too.
    """
    before = {number: signal.signal(number, unwind) for number in SIGNALS}
    try:
        yield
    except SystemExit as end:
        if is_anything_deep():
            end_at_once(end)
        raise
    except BaseException:
        if is_anything_deep():
            sys.excepthook(*sys.exc_info())
            end_at_once(SystemExit(1))  # a defect, which no signal must be taken for
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_anything_deep() -> bool:
    """Whether a thread is in a library's code that aborts the process if Python ends under it."""
    return are_jobs_running() or any(thread.name in DEEP for thread in threading.enumerate())


def unwind(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    let_second_end_now()
    raise Signalled(number)


def let_second_end_now() -> None:
    """A second signal does not interrupt the closing: it ends the process."""
    for each in SIGNALS:
        signal.signal(each, end_now)


def end_now(number: int, frame: FrameType | None) -> NoReturn:
    """As if killed: what was acknowledged is in the database, and the next start finds the rest."""
    del frame
    say_what_is_left()
    os._exit(128 + number)


def end_within(seconds: float) -> None:
    """
    Whatever the closing waits for, the process ends by then.

    Something deep in a driver or in a model's code may never come back. The queue, the log and
    the embedded server know how to go on after a kill, so that is better than a process that
    has to be killed.
    """
    timer = threading.Timer(seconds, give_up, (seconds,))
    timer.daemon = True
    timer.start()


def give_up(seconds: float) -> NoReturn:
    log.error("the process did not end within %s s: it is ended as it is", seconds)
    say_what_is_left()
    end_at_once(SystemExit(128 + signal.SIGTERM))


def end_at_once(end: SystemExit) -> NoReturn:
    """Without the interpreter's end, but with what was said so far."""
    if isinstance(end.code, str):
        sys.stderr.write(f"{end.code}\n")
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
