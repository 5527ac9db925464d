"""How a command's process ends: in order, whatever ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from infrastructure.jobs.threads import are_jobs_running

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
    queue knows that it has to run again.
    """
    before = {number: signal.signal(number, unwind) for number in SIGNALS}
    try:
        yield
    except SystemExit as end:
        if are_jobs_running():
            end_at_once(end)
        raise
    except BaseException:
        if are_jobs_running():
            sys.excepthook(*sys.exc_info())
            end_at_once(SystemExit(1))
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def unwind(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    # Once is enough: a second signal must not interrupt the closing.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Signalled(number)


def end_at_once(end: SystemExit) -> NoReturn:
    """Without the interpreter's end, but with what was said so far."""
    if isinstance(end.code, str):
        sys.stderr.write(f"{end.code}\n")
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
