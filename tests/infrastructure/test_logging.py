"""Log lines: one line each, whatever is in it, and nothing that people wrote."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import unicodedata
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from structlog.contextvars import bound_contextvars

from infrastructure.log_lines import as_text
from infrastructure.logging import configure_logging, get_logger
from infrastructure.settings import LogFormat, LogLevel, SettingError, Settings

SECRET = "Ada wrote that she is ill"
# What could end a line, drive a terminal, or turn the reading direction around.
EVIL = "a\nb\rc\x1b[31md\u2028e\u2029f\x85g\x00h\x9bi\u202ej\u2066k\x7f"


class Lines:
    """What was logged, as it came out."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n")[:-1]]

    def one(self) -> dict[str, Any]:
        [line] = self.all()
        return line


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


def logged(form: LogFormat = "json", level: LogLevel = "info", **facts: Any) -> Lines:
    stream = io.StringIO()
    configure_logging(form=form, level=level, stream=stream, **facts)
    return Lines(stream)


def failing(error: Exception) -> Exception:
    """The same, raised."""
    try:
        raise error
    except type(error) as raised:
        return raised


def test_a_line_has_a_time_a_level_an_event_and_its_facts() -> None:
    lines = logged()
    get_logger("infrastructure.test").info(
        "thing_done", count=3, took=0.5, id=UUID(int=7), names=("a", "b"), nothing=None
    )
    line = lines.one()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "thing_done",
        "logger": "infrastructure.test",
        "count": 3,
        "took": 0.5,
        "id": "00000000-0000-0000-0000-000000000007",
        "names": ["a", "b"],
        "nothing": None,
    }


def test_all_that_happens_for_a_request_says_so_whoever_logs_it() -> None:
    lines = logged()
    with bound_contextvars(request_id="r-1"):
        get_logger("a").info("ours")
        logging.getLogger("library").warning("theirs")
    get_logger("a").info("later")
    assert [line.get("request_id") for line in lines.all()] == ["r-1", "r-1", None]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("where", ["event", "value", "message", "context", "argument"])
def test_nobody_can_write_a_line_of_ours(form: LogFormat, where: str) -> None:
    lines = logged(form)
    match where:
        case "event":
            get_logger("a").info(EVIL)
        case "value":
            get_logger("a").info("x", name=EVIL, inner={"deep": [EVIL]})
        case "message":
            logging.getLogger("library").warning(EVIL)
        case "argument":
            logging.getLogger("library").warning("said %s", EVIL)
        case "context":
            with bound_contextvars(request_id=EVIL):
                get_logger("a").info("x")
    [line, rest] = lines.text.split("\n")
    assert rest == ""
    assert len(line.splitlines()) == 1
    assert not [char for char in line if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}]


def test_json_lines_hold_the_very_value_that_they_escape() -> None:
    lines = logged()
    get_logger("a").info("x", name=EVIL + "ü😀\ud800")
    assert lines.text.isascii()
    assert lines.one()["name"] == EVIL + "ü😀\ud800"


def test_an_exception_is_told_by_its_class_and_place_and_not_by_its_message() -> None:
    lines = logged()
    error = failing(ValueError(SECRET))
    get_logger("a").error("failed", exc_info=error)
    logging.getLogger("library").error("went wrong", exc_info=error)
    logging.getLogger("library").warning("cannot connect: %s", error)
    logging.getLogger("library").warning("cannot connect: %(error)s", {"error": "harmless"})
    assert "Ada" not in lines.text
    first, second, third, _ = lines.all()
    assert first["error"].startswith("ValueError at tests/infrastructure/test_logging.py:")
    assert second["error"] == first["error"]
    assert third["message"].startswith("cannot connect: ValueError at ")


def test_what_asyncio_says_of_a_forgotten_task_does_not_quote_its_exception() -> None:
    lines = logged()

    async def forgetful() -> None:
        async def fail() -> None:
            raise ValueError(SECRET)

        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        loop.default_exception_handler(
            {
                "message": "Task exception was never retrieved",
                "exception": task.exception(),
                "task": task,
            }
        )

    asyncio.run(forgetful())
    assert "never retrieved" in lines.one()["message"]
    assert "Ada" not in lines.text


def test_a_drivers_error_shows_what_the_database_calls_by_name_and_no_row(
    database_url: str,
) -> None:
    lines = logged()
    with psycopg.connect(database_url) as connection:
        try:
            connection.execute("SELECT %s::uuid", (SECRET,))
        except psycopg.Error as error:
            get_logger("a").error("failed", exc_info=error)
    assert "sqlstate 22P02" in lines.one()["error"]
    assert "Ada" not in lines.text


@pytest.mark.parametrize("name", ["text", "query", "variables", "filename", "password", "document"])
def test_what_must_not_be_logged_is_not_even_if_somebody_passes_it(name: str) -> None:
    for form in ("json", "text"):
        lines = logged(form)
        get_logger("a").info("x", **{name: SECRET}, inner={name: SECRET})
        assert "Ada" not in lines.text
        assert "hidden" in lines.text


def test_an_object_is_told_by_its_class() -> None:
    class Person:
        def __repr__(self) -> str:
            return SECRET

    lines = logged()
    get_logger("a").info("x", who=Person(), inner=[Person()], raw=b"Ada")
    assert lines.one()["who"] == "Person"
    assert "Ada" not in lines.text


def test_whoever_asks_for_all_gets_the_messages_of_exceptions_too() -> None:
    lines = logged(is_verbose=True)
    get_logger("a").error("failed", exc_info=failing(ValueError(SECRET)))
    assert f"ValueError: {SECRET}" in lines.one()["traceback"]


def test_libraries_are_heard_from_a_warning_on_and_jobs_once() -> None:
    lines = logged()
    logging.getLogger("procrastinate.worker").info("Starting job")
    logging.getLogger("procrastinate.worker").error("Job ended", extra={"action": "job_error"})
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("uvicorn.error").warning("odd")
    assert [line["message"] for line in lines.all()] == ["odd"]


def test_a_collector_that_is_away_is_mentioned_once_a_minute() -> None:
    lines = logged()
    for _ in range(50):
        logging.getLogger("opentelemetry.exporter").error("no connection")
    assert len(lines.all()) == 1


def test_levels() -> None:
    for level, events in (
        ("debug", ["d", "i", "w", "e"]),
        ("info", ["i", "w", "e"]),
        ("warning", ["w", "e"]),
        ("error", ["e"]),
    ):
        lines = logged(level=level)  # type: ignore[arg-type]
        log = get_logger("levels")
        log.debug("d")
        log.info("i")
        log.warning("w")
        log.error("e")
        assert [line["event"] for line in lines.all()] == events


def test_text_is_for_people() -> None:
    line = {
        "timestamp": "2026-11-22T20:29:16.123Z",
        "level": "warning",
        "event": "http_request",
        "logger": "interfaces.http",
        "route": "/api/uploads",
        "name": "two words",
        "duration_ms": 1.5,
        "ids": ["a"],
        "traceback": "first\n  second\x1b[31m",
    }
    assert as_text(line) == (
        "20:29:16.123Z warning http_request route=/api/uploads "
        'name="two words" duration_ms=1.5 ids=["a"]\n'
        "    first\n      second\\x1b[31m"
    )


def test_a_terminal_gets_text_and_a_pipe_gets_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure_logging(level="info", stream=terminal)
    get_logger("a").info("seen", name=EVIL)
    assert "\x1b[1mseen\x1b[0m" in terminal.getvalue()
    assert "\x1b[31md" not in terminal.getvalue()

    configure_logging(form="json", level="info", stream=terminal)
    get_logger("a").info("asked_for_json")
    assert json.loads(terminal.getvalue().splitlines()[-1])["event"] == "asked_for_json"


def test_settings_of_logs_and_traces() -> None:
    found = Settings.from_env(
        {
            "CHATLEDGER_LOG_FORMAT": "JSON",
            "CHATLEDGER_LOG_LEVEL": "debug",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/",
        }
    )
    assert (found.log_format, found.log_level) == ("json", "debug")
    assert found.otlp_endpoint == "http://127.0.0.1:4318"
    assert Settings.from_env({}).otlp_endpoint is None
    for name in ("CHATLEDGER_LOG_FORMAT", "CHATLEDGER_LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        with pytest.raises(SettingError, match=name):
            Settings.from_env({name: "loud"})
