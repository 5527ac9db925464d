"""Reader of CSV files: any separator, any columns, quoted line breaks."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import files_ending
from infrastructure.readers.tabular.columns import Row, guess, is_complete
from infrastructure.readers.tabular.csv_rows import (
    MAX_COLUMNS,
    CsvRows,
    header_of,
    is_hint,
    numbered,
)
from infrastructure.readers.tabular.table import read_table
from infrastructure.readers.text_stream import sniff_text

_SEPARATORS = ",;\t|"
_ENDINGS = (".csv", ".tsv", ".tab")
_ROWS_ASKED = 100


class CsvReader:
    """The first row names the columns, unless it already holds a time."""

    format = "csv"
    version = 2

    def recognise(self, export: Export) -> Recognition | None:
        files = files_ending(export, *_ENDINGS)
        return self._recognise(files[0]) if files else None

    def _recognise(self, file: ExportFile) -> Recognition | None:
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

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        for file in files_ending(export, *_ENDINGS):
            separator = _separator(sniff_text(file, SNIFF)) or ","
            yield from read_table(file, partial(_rows, file, separator), options, facts)


def _rows(file: ExportFile, separator: str) -> Iterator[tuple[int, Row] | ReadWarning]:
    return CsvRows(file, separator).read()


def _parsed(text: str, separator: str) -> list[list[str]]:
    """The first rows of a beginning whose last row may be cut off."""
    lines = text.replace("\0", "").split("\n")
    if is_hint(lines[0], separator):
        del lines[0]
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
    for separator in _SEPARATORS:
        if is_hint(text.partition("\n")[0], separator):
            return separator
    best: tuple[float, int] = (0.6, 0)
    found = None
    for separator in _SEPARATORS:
        rows = _parsed(text, separator)
        if not rows or not 2 <= len(rows[0]) <= MAX_COLUMNS:
            continue
        width = len(rows[0])
        share = sum(len(row) == width for row in rows) / len(rows)
        if (share, width) > best:
            best, found = (share, width), separator
    return found


def _header(rows: Sequence[list[str]]) -> tuple[list[str], list[list[str]]]:
    if not rows:
        return [], []
    header = header_of(rows[0])
    return (numbered(len(rows[0])), list(rows)) if header is None else (header, list(rows[1:]))
