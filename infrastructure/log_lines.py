"""A log line as JSON for programs, or as text for people: one line, whatever its values hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import orjson

MAX_TEXT = 20_000  # characters of one value
MAX_ITEMS = 50  # of one list
# Never shown, should somebody pass them by mistake.
HIDDEN = frozenset(
    {
        "authorization",
        "body",
        "cookie",
        "document",
        "filename",
        "key",
        "password",
        "query",
        "secret",
        "text",
        "token",
        "user_agent",
        "variables",
    }
)
DELETE = b"\x7f"  # the one control character that JSON takes as it is
RESET, BOLD, DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
COLOURS = {"debug": "\x1b[2m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}
# Only for programs: to a person at a terminal it says nothing.
FOR_PROGRAMS = frozenset({"timestamp", "level", "event", "message", "logger", "traceback"})


def as_json(line: Mapping[str, Any]) -> str:
    """ASCII only: no character of it ends a line, moves a cursor or turns the text around."""
    shown = {name: hidden(name, value) for name, value in line.items()}
    try:
        quick = orjson.dumps(shown)
    except TypeError:  # a number of more than 64 bits, half of a surrogate pair
        return ENCODER.encode(shown)
    if quick.isascii() and DELETE not in quick:
        return quick.decode()
    return ENCODER.encode(shown)


def as_text(line: Mapping[str, Any], is_coloured: bool = False) -> str:  # noqa: FBT001, FBT002
    """With a traceback below, indented, where there is one."""
    level, event = str(line["level"]), escaped(str(line["event"]))
    time = str(line["timestamp"])[11:]
    said = escaped(str(line["message"])) if "message" in line else ""
    label = f"{line['logger']}: {said}" if said else event
    shown = [f"{label}"]
    shown += [
        f"{name}={quoted(hidden(name, value))}"
        for name, value in line.items()
        if name not in FOR_PROGRAMS and not is_said_already(line, name)
    ]
    if is_coloured:
        shown[0] = f"{BOLD}{shown[0]}{RESET}"
        head = f"{DIM}{time}{RESET} {COLOURS.get(level, '')}{level:<7}{RESET}"
    else:
        head = f"{time} {level:<7}"
    below = [f"    {escaped(part)}" for part in str(line.get("traceback", "")).splitlines()]
    return "\n".join([" ".join([head, *shown]), *below])


def is_said_already(line: Mapping[str, Any], name: str) -> bool:
    return name == "correlation_id" and line.get("request_id") == line[name]


def hidden(name: str, value: Any) -> Any:
    if name in HIDDEN:
        return "[hidden]"
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "…"
    if isinstance(value, int | float | None):
        return value
    return plain(value)


def plain(value: Any) -> Any:
    """What JSON knows. Of anything else only the class: its text may be anything."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return [hidden("", item) for _, item in zip(range(MAX_ITEMS), value, strict=False)]
    return type(value).__name__


def quoted(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if not isinstance(value, str):
        return json.dumps(value, default=plain)
    text = escaped(value)
    return f'"{text}"' if not text or any(mark in text for mark in ' "=') else text


def escaped(text: str) -> str:
    """As Python writes it in a literal, where it would not just be seen."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


ENCODER = json.JSONEncoder(default=plain, separators=(",", ":"))
