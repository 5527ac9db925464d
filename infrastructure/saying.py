"""What a command says about itself: a sentence for people, a line of the log for programs."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Protocol

STDERR = 2

Level = Literal["info", "warning", "error"]


class Say(Protocol):
    def __call__(
        self, text: str, event: str = "notice", *, level: Level = "info", **facts: Any
    ) -> None: ...


class Voice:
    """How this process speaks, and what it would leave behind if it ended at once."""

    is_structured = False  # whether all that it says is a line of JSON
    left_behind: str | None = None  # a sentence


def announce(text: str, event: str = "notice", *, level: Level = "info", **facts: Any) -> None:
    """On stderr: never mixed into output that a program may read."""
    if Voice.is_structured:
        # Imported here: commands that never log start quickly without it.
        from infrastructure.logging import get_logger

        getattr(get_logger(__name__), level)(event, message=text, **facts)
    else:
        print(text, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def leaving_behind(text: str) -> Iterator[None]:
    """As long as this is open, an end without closing leaves behind what `text` says."""
    Voice.left_behind = text
    try:
        yield
    finally:
        Voice.left_behind = None


def say_what_is_left() -> None:
    """
    Right before the process ends without closing. Harmless in a signal handler: the logger's
    locks may be held by whoever was interrupted.
    """
    text = Voice.left_behind
    if text is None:
        return
    line = text
    if Voice.is_structured:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"timestamp": now, "level": "warning", "event": "left_behind", "logger": __name__}
        line = json.dumps({**head, "message": text})
    os.write(STDERR, f"{line}\n".encode(errors="backslashreplace"))


def speak(*, in_lines: bool) -> None:
    """In lines of JSON, crashes included, or as people like it; from now on."""
    Voice.is_structured = in_lines
    if in_lines:
        sys.excepthook = log_crash


def log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    from infrastructure.discretion import describe
    from infrastructure.logging import get_logger

    where = "".join([*traceback.format_tb(trace), describe(error)])
    get_logger(__name__).error("crashed", exc_info=error, traceback=where)
