"""
The elements of a file: of a list, of a page of Graph (`{"value": […]}`), of JSON lines, or the
single object that it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import ExportFile
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.limits import MESSAGE_LIMIT, SNIFF
from infrastructure.readers.microsoft.ordering import Numbered
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8, decode_lines, sniff

_LISTS = frozenset({"value", "messages"})


class Document:
    """One file. Its elements are read once, in its order."""

    def __init__(self, file: ExportFile) -> None:
        self._file = file
        self.header: dict[str, Any] = {}  # keys beside the list that came before it
        self.repairs = Repairs()
        self.position = 0  # bytes read so far; of lines, characters

    def elements(self) -> Iterator[Numbered]:
        """
        Numbered by line, or by place in the list; in place of one too large, an Unparsed.

        Raises:
            BrokenJsonError: where the file breaks.
        """
        if _is_lines(sniff(self._file, SNIFF)):
            yield from self._lines()
            return
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), self.repairs)
            number = 0
            while (first := cursor.peek()) and (first in (b"[", b"{") or not number):
                found = cursor.elements() if first == b"[" else self._object(cursor)
                for one in found:
                    number += 1
                    self.position = cursor.position
                    yield number, one

    def _object(self, cursor: JsonCursor) -> Iterator[Any]:
        """Its list's elements; the object itself, if it has none."""
        header: dict[str, Any] = {}
        has_list = False
        self.header = header
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            if key in _LISTS and cursor.peek() == b"[":
                has_list = True
                yield from cursor.elements()
            else:
                header[key] = cursor.value()
        if not has_list:
            self.header = {}
            yield header

    def _lines(self) -> Iterator[Numbered]:
        with self._file.open() as stream:
            lines = decode_lines(as_utf8(stream), self.repairs, limit=MESSAGE_LIMIT)
            for number, line in enumerate(lines, start=1):
                self.position += len(line)
                if not line or line.isspace():
                    continue
                try:
                    value = parse(line.encode("utf-8", "replace"), self.repairs, number)
                except UnparsableJsonError as error:
                    yield number, Unparsed(f"broken JSON: {error}; line skipped")
                    continue
                yield number, value


def _is_lines(head: bytes) -> bool:
    """Whether the first line is an object, and the second begins one."""
    lines = [line for line in head.split(b"\n", 8) if line.strip()][:2]
    if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):
        return False
    try:
        return isinstance(parse(lines[0], Repairs(), None), dict)
    except UnparsableJsonError:
        return False
