"""Looking at what comes later in a JSON document, before what is in between is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from application.ports.chat_reader import ExportFile
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8


@contextmanager
def cursor_at(file: ExportFile, position: int) -> Iterator[JsonCursor]:
    """
    A second cursor on a document. What it repairs is told when the first one comes there.

    Args:
        position: of the first one.
    """
    with file.open() as stream:
        source = as_utf8(stream)
        left = position
        while left and (data := source.read(min(left, MEBIBYTE))):
            left -= len(data)
        yield JsonCursor(source, Repairs())
