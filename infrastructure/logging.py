"""What is logged, and what never is: no message of a chat, no secret, no local variables."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from structlog.contextvars import get_contextvars, merge_contextvars

from infrastructure.discretion import MAX_CAUSES, describe
from infrastructure.log_lines import as_json, as_text
from infrastructure.settings import LogFormat, LogLevel

OURS = ("infrastructure", "interfaces", "application", "projections", "domain")
# What Procrastinate says of a job's end: `job_ended` has said it, with more.
SAID_BETTER = frozenset({"job_error", "job_error_retry", "job_aborted", "job_aborted_retry"})
# Would say every second that a collector is away.
REPETITIVE = "opentelemetry"
REPEAT_SECONDS = 60.0


class LineFormatter(logging.Formatter):
    """
    One record as one line, whatever is in it: ours, with facts, and those of libraries.

    Shows an exception's class, its causes and its place instead of its message and traceback:
    the message may quote what somebody wrote, as a driver quotes the row that it refuses.

    Args:
        is_verbose: shows exceptions with their messages and tracebacks, for whoever asks for it.
    """

    def __init__(
        self, form: LogFormat, *, is_verbose: bool = False, is_coloured: bool = False
    ) -> None:
        super().__init__()
        self._form = form
        self._is_verbose = is_verbose
        self._is_coloured = is_coloured
        self._second, self._shown = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        line = self.line(record)
        return as_json(line) if self._form == "json" else as_text(line, self._is_coloured)

    def line(self, record: logging.LogRecord) -> dict[str, Any]:
        line: dict[str, Any] = {
            "timestamp": self._time(record.created),
            "level": record.levelname.lower(),
        }
        facts = cast("Mapping[str, Any] | None", getattr(record, "facts", None))
        if facts is None:
            line |= {"event": "log", "logger": record.name, "message": self._message(record)}
            line |= get_contextvars()
        else:
            line |= {"event": record.msg, "logger": record.name, **facts}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = describe(error)
            if self._is_verbose and record.exc_info:
                line["traceback"] = self.formatException(record.exc_info)
        return line

    def _time(self, created: float) -> str:
        """Most lines are of the same second as the one before."""
        second = int(created)
        if second != self._second:
            at = datetime.fromtimestamp(second, UTC)
            self._second, self._shown = second, f"{at:%Y-%m-%dT%H:%M:%S}"
        return f"{self._shown}.{int((created - second) * 1000):03d}Z"

    def _message(self, record: logging.LogRecord) -> str:
        if self._is_verbose or record.name.startswith(OURS):
            return record.getMessage()
        return discreet_message(record)


def discreet_message(record: logging.LogRecord) -> str:
    """A library's message, without the messages of the exceptions that it puts in."""
    errors = list(causes(record.exc_info[1])) if record.exc_info and record.exc_info[1] else []
    args = record.args
    if isinstance(args, tuple):
        errors += [arg for arg in args if isinstance(arg, BaseException)]
        args = tuple(describe(arg) if isinstance(arg, BaseException) else arg for arg in args)
    try:
        text = str(record.msg) % args if args else str(record.msg)
    except (TypeError, ValueError, KeyError):
        text = str(record.msg)
    for error in errors:
        for quote in (repr(error), str(error)):
            if quote:
                text = text.replace(quote, type(error).__name__)
    return text


def causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and len(found) < MAX_CAUSES:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


class Quiet(logging.Filter):
    """
    Of libraries only what is wrong, and that not twice: what they tell besides, our own lines
    say better, and without quoting requests.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "facts") or record.name.startswith(OURS):
            return True
        if record.levelno < logging.WARNING or getattr(record, "action", None) in SAID_BETTER:
            return False
        if record.name.startswith(REPETITIVE):
            said_at = self._said_at.get(record.name, float("-inf"))
            if record.created - said_at < REPEAT_SECONDS:
                return False
            self._said_at[record.name] = record.created
        return True


def as_record(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    """To the standard library's logging, which every library uses: one way out for all."""
    facts = dict(event)
    name = facts.pop("event")
    exc_info = facts.pop("exc_info", None)
    return (name,), {"extra": {"facts": facts}, "exc_info": exc_info}


PROCESSORS: list[Any] = [structlog.stdlib.filter_by_level, merge_contextvars, as_record]


class EventLogger:
    """
    Says what happened, with facts. As a logger of structlog's would, with the same facts bound,
    at a third of the cost: a request waits for its line.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **facts: Any) -> None:
        self._say(logging.DEBUG, event, facts)

    def info(self, event: str, **facts: Any) -> None:
        self._say(logging.INFO, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._say(logging.WARNING, event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._say(logging.ERROR, event, facts)

    def _say(self, level: int, event: str, facts: dict[str, Any]) -> None:
        if not self._logger.isEnabledFor(level):
            return
        error = facts.pop("exc_info", None)
        info = None if error is None else (type(error), error, error.__traceback__)
        record = logging.LogRecord(self._logger.name, level, "", 0, event, (), info)
        # What happened comes first, and for whom after it.
        record.facts = {**facts, **get_contextvars(), **facts}
        self._logger.handle(record)


# Each record would be told its thread, its process and its task; no line of ours shows them.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def get_logger(name: str) -> EventLogger:
    """A logger for `log.info("what_happened", fact=value)`; silent until logging is configured."""
    return EventLogger(name)


def configure_logging(
    *,
    form: LogFormat | None = None,
    level: LogLevel = "warning",
    is_verbose: bool = False,
    stream: TextIO | None = None,
) -> None:
    """
    Everything to stderr, so that a command's answer on stdout stays clean.

    Args:
        form: None: text on a terminal, else JSON.
        is_verbose: everything from debug on, exceptions with their messages.
    """
    out = stream or sys.stderr
    is_terminal = out.isatty()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        LineFormatter(
            form or ("text" if is_terminal else "json"),
            is_verbose=is_verbose,
            is_coloured=is_terminal,
        )
    )
    if not is_verbose:
        handler.addFilter(Quiet())
    chosen = logging.DEBUG if is_verbose else getattr(logging, level.upper())
    logging.basicConfig(level=chosen, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
