"""Lines of bytes, as long as they are in memory."""

from __future__ import annotations

from typing import BinaryIO

from infrastructure.readers.limits import CHUNK

_LINE_LIMIT = 64 * 1024  # bytes of a line; a longer one comes in pieces


class ByteLines:
    """Lines of a stream, with their ends, and how far they go."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self.position = 0  # bytes given so far

    def line(self) -> bytes:
        """Empty at the end of the stream."""
        while True:
            end = self._buffer.find(b"\n", self._at) + 1
            if end == 0 and len(self._buffer) - self._at >= _LINE_LIMIT:
                end = self._at + _LINE_LIMIT
            if end == 0:
                data = self._stream.read(CHUNK)
                self._buffer = self._buffer[self._at :] + data
                self._at = 0
                if data:
                    continue
                end = len(self._buffer)
            line = self._buffer[self._at : end]
            self._at = end
            self.position += len(line)
            return line
