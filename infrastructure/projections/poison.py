"""What to make of an exception: is it the event's fault, and what may be said about it."""

from __future__ import annotations

import traceback
from pathlib import Path

import psycopg

from infrastructure.keys.master import MasterKeyError

# SQLSTATE classes that say nothing about the event: connection, transaction rollback (deadlock),
# resources, locks, operator intervention, system. Not 54: a word too long for an index is data.
SURROUNDINGS = frozenset({"08", "40", "53", "55", "57", "58"})
MAX_CAUSES = 5


def is_surroundings(error: BaseException) -> bool:
    """True if the same event may well be digested later: the database, the memory, the key."""
    if isinstance(error, MemoryError | MasterKeyError | psycopg.InterfaceError):
        return True
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is None:
            return isinstance(error, psycopg.OperationalError)
        return state[:2] in SURROUNDINGS
    return False


def describe(error: BaseException) -> str:
    """
    The class of the exception and of its causes, what the database names, and the place.

    Never the exception's own message: it may quote what somebody wrote.
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
        diag = error.diag
        named = {
            "sqlstate": error.sqlstate,
            "schema": diag.schema_name,
            "table": diag.table_name,
            "column": diag.column_name,
            "constraint": diag.constraint_name,
            "type": diag.datatype_name,
        }
        facts = ", ".join(f"{key} {value}" for key, value in named.items() if value)
        text = f"{text} ({facts})" if facts else text
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    if ours:
        place = ours[-1]
        text += f" at {Path(place.filename).name}:{place.lineno} in {place.name}"
    return text
