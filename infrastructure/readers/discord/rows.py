"""Rows of the CSV files that have to do with Discord: quoted line breaks, and a cut-off end."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from application.ports.chat_reader import ExportFile, ReadWarning
from infrastructure.readers.limits import CELL_LIMIT
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

Row = dict[str, str]
FURTHER = "(further cells)"
_CUT = "the file ends within a row; what there is of it was left out"


class _Feed:
    """Lines for the parser; knows whether it wanted more than there was."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.taken = 0  # characters of the row that the parser is at
        self.is_exhausted = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if self.taken > CELL_LIMIT:  # of many cells, each of which is short enough
                raise csv.Error("a row larger than the limit")
            self.taken += len(line)
            yield f"{line}\n"
        self.is_exhausted = True


def read_rows(
    file: ExportFile, *, needed: frozenset[str]
) -> Iterator[tuple[int, Row] | ReadWarning]:
    """
    Yield (line, cells by column), or a warning in place of what is no row.

    Args:
        needed: columns without which nothing of the file can be read.
    """
    repairs = Repairs()
    csv.field_size_limit(CELL_LIMIT)  # of the process, for want of a limit of this parser alone
    feed = _Feed(read_lines(file, repairs, limit=CELL_LIMIT))
    header: list[str] | None = None
    separator = ","
    line = 1
    short: ReadWarning | None = None  # a row that lacks cells: is it the last one?
    lines = iter(feed)
    first = next(lines, "")
    if first.count(";") > first.count(","):
        separator = ";"
    reader = csv.reader(_after(first, lines), delimiter=separator)
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            feed.taken = 0
            if not cells:
                continue
            if short is not None:
                yield short
                short = None
            if feed.is_exhausted:
                yield ReadWarning(file.name, start, _CUT, is_fatal=True)
                break
            if header is None:
                header = [cell.strip() for cell in cells]
                if missing := sorted(needed.difference(header)):
                    reason = f"the first row does not name the columns {', '.join(missing)}"
                    yield ReadWarning(file.name, start, reason, is_fatal=True)
                    break
            elif len(cells) < len(header):
                reason = f"{len(cells)} cells where the header has {len(header)}; row skipped"
                short = ReadWarning(file.name, start, reason)
            else:
                row = dict(zip(header, cells, strict=False))
                if len(cells) > len(header):
                    row[FURTHER] = separator.join(cells[len(header) :])
                yield start, row
    except csv.Error as error:
        reason = f"not readable as CSV from here on ({error}); is a quotation mark not closed?"
        yield ReadWarning(file.name, line, reason, is_fatal=True)
    if short is not None:
        yield ReadWarning(file.name, short.line, _CUT, is_fatal=True)
    yield from repairs.warnings(file.name)


def _after(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines
