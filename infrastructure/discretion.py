"""What may be said of an exception where it is kept or logged: never its own message."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Protocol, runtime_checkable

import psycopg

MAX_CAUSES = 5
PROJECT_FOLDER = Path(__file__).parents[1]


# From the root; a home folder is named after a person.
PATH = re.compile(r"(?<![\w.…/\\])(?:[A-Za-z]:)?[/\\][^\s'\"]*[^\s'\":,;.)]")


@runtime_checkable
class Quotable(Protocol):
    """An exception class whose messages never quote what somebody wrote, and may be shown."""

    is_quotable: bool


def describe(error: BaseException) -> str:
    """
    The classes of the exception and of its causes, what is harmless of them, and the place.

    An exception's message may quote what somebody wrote: a driver quotes the row it refuses.
    """
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < MAX_CAUSES:
        parts.append(describe_one(current))
        current = current.__cause__
    return ", caused by ".join(parts)


def describe_one(error: BaseException) -> str:
    kind = type(error)
    text = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    if isinstance(error, psycopg.Error):
        facts = database_facts(error)
        text = f"{text} ({facts})" if facts else text
    elif harmless := harmless_message(error):
        text += f": {harmless}"
    return text + place_of(error)


def database_facts(error: psycopg.Error) -> str:
    diag = error.diag
    named = {
        "sqlstate": error.sqlstate,
        "schema": diag.schema_name,
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
        "type": diag.datatype_name,
    }
    return ", ".join(f"{key} {value}" for key, value in named.items() if value)


def harmless_message(error: BaseException) -> str:
    """Without file names and values: a person may be called by them."""
    if isinstance(error, Quotable) and error.is_quotable:
        return PATH.sub("…", str(error))
    if isinstance(error, OSError):
        return error.strerror or ""
    return ""


def place_of(error: BaseException) -> str:
    """The innermost line of ours that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT_FOLDER)]
    ours = [frame for frame in ours if "site-packages" not in frame.filename]
    if not ours:
        return ""
    place = ours[-1]
    path = Path(place.filename).relative_to(PROJECT_FOLDER)
    return f" at {path.as_posix()}:{place.lineno} in {place.name}"
