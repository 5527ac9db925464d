"""SIGTERM ends a command as Ctrl-C does: by unwinding, so that everything is closed in order."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

TERMINATED = 128 + signal.SIGTERM


def exit_on_sigterm() -> None:
    signal.signal(signal.SIGTERM, leave)


def leave(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    # Once is enough: a second signal must not interrupt the closing.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(TERMINATED)
