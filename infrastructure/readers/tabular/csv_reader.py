"""Reader of CSV files: any separator, any columns, quoted line breaks."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from application.ports.chat_reader import (
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.archive import is_archive
from infrastructure.readers.limits import MESSAGE_LIMIT, SNIFF
from infrastructure.readers.reading import or_unreadable
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.stamps import looks_like_time
from infrastructure.readers.tabular.columns import NAMES, Row, guess, is_complete
from infrastructure.readers.tabular.table import read_table
from infrastructure.readers.text_stream import read_lines, sniff_text

_SEPARATORS = ",;\t|"
_ROWS_ASKED = 100
_MAX_COLUMNS = 500
_KNOWN_NAMES = frozenset(name for names in NAMES.values() for name in names)


class CsvReader:
    """The first row names the columns, unless it already holds a time."""

    format = "csv"
    version = 1

    def recognise(self, file: ExportFile) -> Recognition | None:
        if is_archive(file):
            return None
        text = sniff_text(file, SNIFF)
        separator = _separator(text)
        if separator is None:
            return None
        rows = _parsed(text, separator)
        header, body = _header(rows)
        if not body:
            return None
        dicts = [dict(zip(header, row, strict=False)) for row in body]
        found = guess(header, dicts, {})
        if is_complete(found) and len(header) > 2:
            shown = {"\t": "tab"}.get(separator, separator)
            reason = f"a table with {len(header)} columns separated by “{shown}”, with a time"
            return Recognition(self.format, 0.7, reason)
        if len(header) > 2 and len(rows) > 2 and any(len(row) > 2 for row in body):
            return Recognition(self.format, 0.3, f"a table with {len(header)} columns")
        return None

    def read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        separator = _separator(sniff_text(file, SNIFF)) or ","
        table = read_table(file, lambda: _rows(file, separator), options, facts)
        yield from or_unreadable(table, file)


def _parsed(text: str, separator: str) -> list[list[str]]:
    """The first rows of a beginning whose last row may be cut off."""
    lines = iter(text.replace("\0", "").split("\n"))
    rows: list[list[str]] = []
    try:
        for row in csv.reader((f"{line}\n" for line in lines), delimiter=separator):
            rows.append(row)
            if len(rows) > _ROWS_ASKED:
                break
    except csv.Error:
        return rows
    if len(text.encode()) >= SNIFF and len(rows) <= _ROWS_ASKED:
        rows = rows[:-1]
    return [row for row in rows if row]


def _separator(text: str) -> str | None:
    """The one that cuts the most rows into the same number of fields, three or more."""
    best: tuple[float, int] = (0.6, 0)
    found = None
    for separator in _SEPARATORS:
        rows = _parsed(text, separator)
        if not rows or not 2 <= len(rows[0]) <= _MAX_COLUMNS:
            continue
        width = len(rows[0])
        share = sum(len(row) == width for row in rows) / len(rows)
        if (share, width) > best:
            best, found = (share, width), separator
    return found


def _header(rows: Sequence[list[str]]) -> tuple[list[str], list[list[str]]]:
    if not rows:
        return [], []
    first = rows[0]
    if any(looks_like_time(cell) for cell in first):
        return [f"column {number}" for number in range(1, len(first) + 1)], list(rows)
    return _unique(first), list(rows[1:])


def _unique(names: Sequence[str]) -> list[str]:
    """Column names stripped; an empty or a repeated one gets its number."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        plain = name.strip().lstrip("\ufeff")
        found.append(plain if plain and plain not in found else f"{plain or 'column'} {number}")
    return found


class _Feed:
    """Lines for the parser; knows whether it wanted more than there was."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.is_exhausted = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            yield f"{line}\n"
        self.is_exhausted = True


def _rows(file: ExportFile, separator: str) -> Iterator[tuple[int, Row] | ReadWarning]:
    repairs = Repairs()
    # The parser's limit holds for the process; no field is larger than a message may be.
    csv.field_size_limit(MESSAGE_LIMIT)
    feed = _Feed(read_lines(file, repairs))
    reader = csv.reader(iter(feed), delimiter=separator)
    header: list[str] | None = None
    line = 1
    odd_rows = 0
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not cells:
                continue
            if header is None:
                if len(cells) > _MAX_COLUMNS:
                    reason = f"{len(cells)} columns; the limit is {_MAX_COLUMNS}"
                    yield ReadWarning(file.name, start, reason, is_fatal=True)
                    return
                header, body = _header([cells])
                if not body:
                    continue
            if feed.is_exhausted:
                reason = "a quotation mark is never closed; the rest of the file is this message"
                yield ReadWarning(file.name, start, reason)
                cells[-1] = cells[-1].removesuffix("\n")  # the feed's own, after the last line
            row = dict(zip(header, cells, strict=False))
            if len(cells) > len(header):
                row["(further cells)"] = separator.join(cells[len(header) :])
            if len(cells) != len(header):
                odd_rows += 1
                if odd_rows == 1:
                    reason = f"{len(cells)} cells where the header has {len(header)}"
                    yield ReadWarning(file.name, start, reason)
            yield start, row
    except csv.Error as error:
        reason = f"not readable as CSV from here on ({error}); is a quotation mark not closed?"
        yield ReadWarning(file.name, line, reason, is_fatal=True)
    if odd_rows > 1:
        yield ReadWarning(file.name, None, f"{odd_rows} rows have too few or too many cells")
    yield from repairs.warnings(file.name)
