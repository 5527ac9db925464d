"""What is logged, and what never is: no message of a chat, no secret, no local variables."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

import structlog

from infrastructure.discretion import describe

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class DiscreetFormatter(logging.Formatter):
    """
    Shows an exception's class, its causes and its place instead of its message and traceback.

    An exception's message may quote what somebody wrote: a driver quotes the row that it refuses.
    """

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        return "" if ei[1] is None else describe(ei[1])


def configure_logging(*, is_verbose: bool = False) -> None:
    """Everything to stderr, so that a command's answer on stdout stays clean."""
    handler = logging.StreamHandler(sys.stderr)
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(form) if is_verbose else DiscreetFormatter(form))
    logging.basicConfig(
        level=logging.DEBUG if is_verbose else logging.WARNING, handlers=[handler], force=True
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
