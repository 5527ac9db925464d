"""The rows of a CSV file, also where a quotation mark was never closed."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence

from application.ports.chat_reader import ExportFile, ReadWarning
from infrastructure.readers.limits import CELL_LIMIT, MEBIBYTE
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.stamps import looks_like_time
from infrastructure.readers.tabular.columns import Row
from infrastructure.readers.text_stream import read_lines

MAX_COLUMNS = 500
_MOST_REPLAYED = 64 * MEBIBYTE  # characters read again after quotation marks without an end
_MOST_LINES = 50_000  # of one row: each is remembered, and short ones take more than they say
_UNCLOSED = "a quotation mark is never closed"


def header_of(first: Sequence[str]) -> list[str] | None:
    """The names of the columns in the first row; None if it is a row of values already."""
    if any(looks_like_time(cell) for cell in first):
        return None
    found: list[str] = []
    for number, name in enumerate(first, start=1):
        plain = name.strip().lstrip("\ufeff")
        found.append(plain if plain and plain not in found else f"{plain or 'column'} {number}")
    return found


def numbered(width: int) -> list[str]:
    """Names for columns that have none."""
    return [f"column {number}" for number in range(1, width + 1)]


def is_hint(line: str, separator: str) -> bool:
    """Spreadsheets put the separator into a first line of its own."""
    return line.strip().lstrip("\ufeff") == f"sep={separator}".strip()


class _Feed:
    """Lines for the parser; remembers those of the row it is at, and can take some back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.is_exhausted = False

    def __iter__(self) -> Iterator[str]:
        while True:
            if self._again:
                line = self._again.popleft()
            else:
                line = next(self._lines, "")
                if not line:
                    self.is_exhausted = True
                    return
            if len(self.taken) == _MOST_LINES:
                self._again.appendleft(line)
                raise csv.Error(f"a row of more than {_MOST_LINES:,} lines")
            self.taken.append(line)
            yield line

    def give_back(self, lines: list[str]) -> None:
        self.is_exhausted = False
        self._again.extendleft(reversed(lines))


class CsvRows:
    """One walk through a file."""

    def __init__(self, file: ExportFile, separator: str) -> None:
        self._file = file
        self._separator = separator
        self._repairs = Repairs()
        lines = read_lines(file, self._repairs, limit=CELL_LIMIT)
        self._feed = _Feed(f"{line}\n" for line in lines)
        self._line = 1  # where the row begins
        self._header: list[str] | None = None
        self._time_at: int | None = None  # the column in which rows have a time
        self._odd_rows = 0
        self._replayed = 0

    def read(self) -> Iterator[tuple[int, Row] | ReadWarning]:
        """(line, row), and warnings where they occur."""
        csv.field_size_limit(CELL_LIMIT)  # of the process, for want of a limit of this parser alone
        feed = self._feed
        reader = csv.reader(iter(feed), delimiter=self._separator)
        width = -1  # of rows that need no closer look
        while True:
            feed.taken = []
            parts = None
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if (parts := self._split()) is None:
                    reason = f"not readable as CSV from here on ({error}); {_UNCLOSED}?"
                    yield ReadWarning(self._file.name, self._line, reason, is_fatal=True)
                    break
                cells = []
            if cells is None:
                break
            if len(cells) == width and len(feed.taken) == 1 and not feed.is_exhausted:
                yield self._line, dict(zip(self._header or (), cells, strict=False))
                self._line += 1
                continue
            if parts is None and self._is_doubtful(cells):
                parts = self._split()
            taken = feed.taken
            if parts is not None:
                yield ReadWarning(self._file.name, self._line, f"{_UNCLOSED}; read without it")
                taken, rest = parts
                cells = self._without_quotation(taken)
                feed.give_back(rest)
                reader = csv.reader(iter(feed), delimiter=self._separator)
            start, self._line = self._line, self._line + len(taken)
            if cells:
                yield from self._row(start, cells)
            if self._header is not None:
                if len(self._header) > MAX_COLUMNS:
                    break
                width = len(self._header) if self._time_at is not None else -1
        if self._odd_rows > 1:
            reason = f"{self._odd_rows} rows have too few or too many cells"
            yield ReadWarning(self._file.name, None, reason)
        yield from self._repairs.warnings(self._file.name)

    def _row(self, start: int, cells: list[str]) -> Iterator[tuple[int, Row] | ReadWarning]:
        if self._header is None:
            if is_hint(self._separator.join(cells), self._separator):
                return
            header = header_of(cells)
            self._header = header or numbered(len(cells))
            if len(cells) > MAX_COLUMNS:
                reason = f"{len(cells)} columns; the limit is {MAX_COLUMNS}"
                yield ReadWarning(self._file.name, start, reason, is_fatal=True)
                return
            if header is not None:
                return
        self._look_for_time(cells)
        if self._feed.is_exhausted:
            reason = f"{_UNCLOSED}; the rest of the file is this message"
            yield ReadWarning(self._file.name, start, reason)
            cells[-1] = cells[-1].removesuffix("\n")  # the feed's own, after the last line
        row = dict(zip(self._header, cells, strict=False))
        if len(cells) > len(self._header):
            row["(further cells)"] = self._separator.join(cells[len(self._header) :])
        if len(cells) != len(self._header):
            self._odd_rows += 1
            if self._odd_rows == 1 and not self._feed.is_exhausted:
                reason = f"{len(cells)} cells where the header has {len(self._header)}"
                yield ReadWarning(self._file.name, start, reason)
        yield start, row

    def _look_for_time(self, cells: list[str]) -> None:
        if self._time_at is None:
            times = (n for n, cell in enumerate(cells) if looks_like_time(cell))
            self._time_at = next(times, None)

    def _is_doubtful(self, cells: list[str]) -> bool:
        """Whether a quotation mark is open at the end, or was closed by the one of another row."""
        if self._feed.is_exhausted or len(self._feed.taken) < 2:
            return self._feed.is_exhausted
        if self._header is not None and len(cells) != len(self._header):
            return True
        try:
            for _ in csv.reader(self._feed.taken, delimiter=self._separator, strict=True):
                pass
        except csv.Error:
            return True  # something stands right behind a closing mark
        return False

    def _split(self) -> tuple[list[str], list[str]] | None:
        """The lines of this row and those from the next one on; None if there is no next one."""
        lines = self._feed.taken
        if lines and self._header is not None:
            self._look_for_time(self._cells(lines[0]))
        if self._time_at is None or self._replayed > _MOST_REPLAYED:
            return None
        following = (n for n in range(1, len(lines)) if self._begins_row(lines[n]))
        at = next(following, None)
        if at is None:
            return None
        self._replayed += sum(map(len, lines))
        return lines[:at], lines[at:]

    def _begins_row(self, line: str) -> bool:
        cells = self._cells(line)
        at = self._time_at
        return at is not None and 1 < len(cells) > at and looks_like_time(cells[at])

    def _without_quotation(self, lines: list[str]) -> list[str]:
        """The cells of a row of which the last one goes on to the end of its lines."""
        *cells, last = self._cells(lines[0]) or [""]
        rest = "".join(lines[1:])
        return [*cells, f"{last.rstrip(chr(10))}\n{rest}".rstrip("\n")]

    def _cells(self, line: str) -> list[str]:
        """Of one line by itself; a quotation that is open at its end goes up to there."""
        try:
            return next(csv.reader([line], delimiter=self._separator), [])
        except csv.Error:
            return [line]
