"""Reader of JSON lines: one object a line, whatever its keys."""

from __future__ import annotations

from collections.abc import Iterator
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
from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import files_ending
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.tabular.columns import Row, guess, is_complete
from infrastructure.readers.tabular.table import column_names, read_table
from infrastructure.readers.text_stream import read_lines, sniff

_ENDINGS = (".jsonl", ".ndjson", ".json")
_LINES_ASKED = 20


class JsonLinesReader:
    """Keys are mapped by name and value, or as the person says; the rest is kept as `extra`."""

    format = "jsonl"
    version = 2

    def recognise(self, export: Export) -> Recognition | None:
        files = files_ending(export, *_ENDINGS)
        return self._recognise(files[0]) if files else None

    def _recognise(self, file: ExportFile) -> Recognition | None:
        head = sniff(file, SNIFF)
        lines = head.split(b"\n")
        if len(head) >= SNIFF:
            lines.pop()  # cut in the middle
        lines = [line for line in lines if line.strip()][:_LINES_ASKED]
        rows = [row for line in lines if (row := _object(line)) is not None]
        if not rows or len(rows) * 2 < len(lines) or _object(lines[0]) is None:
            return None
        if is_complete(guess(column_names(rows), rows, {})):
            reason = "every line is a JSON object with a time and a text"
            return Recognition(self.format, 0.75, reason)
        if len(rows) < 2:
            return None
        return Recognition(self.format, 0.3, "every line is a JSON object")

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        for file in files_ending(export, *_ENDINGS):
            yield from read_table(file, partial(_rows, file), options, facts)


def _object(line: bytes) -> Row | None:
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        value = parse(line, Repairs(), None)
    except UnparsableJsonError:
        return None
    return value if isinstance(value, dict) else None


def _rows(file: ExportFile) -> Iterator[tuple[int, Row] | ReadWarning]:
    repairs = Repairs()
    for number, line in enumerate(read_lines(file, repairs), start=1):
        if not line or line.isspace():
            continue
        try:
            value = parse(line.encode("utf-8", "replace"), repairs, number)
        except UnparsableJsonError as error:
            yield ReadWarning(file.name, number, f"broken JSON: {error}; line skipped")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield ReadWarning(file.name, number, "not a JSON object; line skipped")
    yield from repairs.warnings(file.name)
