"""How exported rows are written: JSON Lines for programs, CSV for spreadsheets, text for people."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

Row = Mapping[str, Any]  # every row of an export has the same keys, in the same order
Write = Callable[[Sequence[Row]], bytes]

MEDIA_TYPES: Mapping[str, str] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8; header=present",
    "txt": "text/plain; charset=utf-8",
}
LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
# A spreadsheet takes what begins so for a formula, and would run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# And does not see this before it.
UNSEEN = "".join(
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if (character.isspace() or unicodedata.category(character) == "Cf") and character not in FORMULA
)


def jsonl(rows: Sequence[Row]) -> bytes:
    return b"".join(orjson.dumps(row, option=LINE) for row in rows)


def csv_rows(rows: Iterable[Row]) -> bytes:
    return csv_lines([cell(value) for value in row.values()] for row in rows)


def csv_header(columns: Sequence[str]) -> bytes:
    return csv_lines([columns])


def csv_lines(lines: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(lines)  # RFC 4180: CRLF, quotes doubled
    return buffer.getvalue().encode()


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, dict | list | tuple):
        value = orjson.dumps(value).decode()
    text = str(value).replace("\x00", "\ufffd")
    return f"'{text}" if text.lstrip(UNSEEN).startswith(FORMULA) else text


def moment(at: datetime) -> str:
    """ISO 8601, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def conversation_text(rows: Sequence[Row]) -> bytes:
    """A line a message, as chat apps export it; further lines of a message are indented."""
    return "".join(text_line(row) for row in rows).encode()


def text_line(row: Row) -> str:
    at = row["sentAt"].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = f"{one_line(row['author'])}: " if row["author"] is not None else ""
    text = "\n    ".join(row["text"].splitlines())
    return f"[{at}] {who}{text}\n"


def one_line(text: str) -> str:
    return " ".join(text.split())
