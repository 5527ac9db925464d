"""Reader of JSON files that hold one list of objects, on its own or inside an object."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import files_ending
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.tabular.columns import Row, guess, is_complete
from infrastructure.readers.tabular.table import column_names, read_table
from infrastructure.readers.text_stream import ByteStream, as_utf8, sniff

_DEEPEST = 4  # objects around the list
_ROWS_ASKED = 20

# The keys that lead to the list, from the outside in.
_Path = tuple[str, ...]


class JsonReader:
    """Keys are mapped by name and value, or as the person says; the rest is kept as `extra`."""

    format = "json"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        files = files_ending(export, ".json")
        found = _look(io.BytesIO(sniff(files[0], SNIFF))) if files else None
        if found is None:
            return None
        path, rows = found
        where = "an object with a list" if path else "a list"
        if is_complete(guess(column_names(rows), rows, {})):
            return Recognition(self.format, 0.5, f"{where} of JSON objects with a time and a text")
        if len(rows) < 2 or len(rows[0]) < 2:
            return None
        return Recognition(self.format, 0.25, f"{where} of JSON objects")

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        for file in files_ending(export, ".json"):
            with file.open() as stream:
                found = _look(as_utf8(stream))
            if found is None:
                yield ReadWarning(file.name, None, "holds no list of JSON objects; not read")
                continue
            yield from read_table(file, partial(_rows, file, found[0]), options, facts)


def _look(stream: ByteStream) -> tuple[_Path, list[Row]] | None:
    """
    Where the list is, and its first elements: of several lists the first with a time and a text,
    else the first one. Reads no further than needed.
    """
    first: tuple[_Path, list[Row]] | None = None
    try:
        for path, rows in _lists(JsonCursor(stream, Repairs()), ()):
            if is_complete(guess(column_names(rows), rows, {})):
                return path, rows
            first = first or (path, rows)
    except BrokenJsonError:
        # The end of what is looked at; a break of the file is told of when it is read.
        return first
    return first


def _lists(cursor: JsonCursor, path: _Path) -> Iterator[tuple[_Path, list[Row]]]:
    """The lists of objects at the cursor, each with its first elements."""
    token = cursor.peek()
    if token == b"[":
        yield from _list(cursor, path)
    elif token == b"{" and len(path) < _DEEPEST:
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            yield from _lists(cursor, (*path, key))
    else:
        cursor.skip()


def _list(cursor: JsonCursor, path: _Path) -> Iterator[tuple[_Path, list[Row]]]:
    rows: list[Row] = []
    is_told = False
    try:
        for _ in cursor.each():
            if len(rows) < _ROWS_ASKED and cursor.peek() == b"{":
                rows.append(cursor.value())
            else:
                cursor.skip()
            if len(rows) == _ROWS_ASKED and not is_told:
                is_told = True
                yield path, rows
    except BrokenJsonError:
        if rows and not is_told:
            yield path, rows
        raise
    if rows and not is_told:
        yield path, rows


def _rows(file: ExportFile, path: _Path) -> Iterator[tuple[int, Row] | ReadWarning]:
    repairs = Repairs()
    number = 0
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), repairs)
        try:
            for number, one in enumerate(_elements(cursor, path), start=1):
                if isinstance(one, Unparsed):
                    yield ReadWarning(file.name, number, one.reason)
                elif isinstance(one, dict):
                    yield number, one
                else:
                    yield ReadWarning(file.name, number, "not a JSON object; skipped")
        except BrokenJsonError as error:
            yield ReadWarning(file.name, number + 1, str(error), is_fatal=True)
    yield from repairs.warnings(file.name)


def _elements(cursor: JsonCursor, path: _Path) -> Iterator[Any]:
    """The elements of the list at a path; what follows the list is passed over."""
    if not path:
        yield from cursor.elements()
        return
    is_found = False
    for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
        expected = b"[" if len(path) == 1 else b"{"
        if key == path[0] and not is_found and cursor.peek() == expected:
            is_found = True
            yield from _elements(cursor, path[1:])
        else:
            cursor.skip()
