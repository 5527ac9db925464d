"""A second look at parts of a stream that was read once, in one pass over all of them."""

from __future__ import annotations

from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.text_stream import ByteStream


class Rereading:
    """The same bytes again. Goes forward only, however many parts are looked at."""

    def __init__(self, source: ByteStream) -> None:
        self._source = source
        self._held = b""
        self.position = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; a transcoded source may give more than it was asked for."""
        data = self._held or self._source.read(size)
        self._held = data[size:]
        data = data[:size]
        self.position += len(data)
        return data

    def part(self, start: int, end: int | None) -> Part:
        """
        Args:
            start: the byte where it begins, not before the end of the part looked at last.
            end: the byte after it; None for the end of the stream.
        """
        while self.position < start and self.read(min(start - self.position, MEBIBYTE)):
            pass
        return Part(self, end)


class Part:
    """A stream of its own for a JsonCursor, which reads ahead as far as it can."""

    def __init__(self, source: Rereading, end: int | None) -> None:
        self._source = source
        self._end = end

    def read(self, size: int, /) -> bytes:
        if self._end is not None:
            size = min(size, self._end - self._source.position)
        return self._source.read(size) if size > 0 else b""
