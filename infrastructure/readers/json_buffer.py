"""The bytes of a JSON document as they pass: looking, taking, and passing over values."""

from __future__ import annotations

import re

from infrastructure.readers.json_nesting import Nesting
from infrastructure.readers.limits import CHUNK, MESSAGE_LIMIT
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import ByteStream

SCALAR = re.compile(rb"[^\s,\]}{\[:\"]*+")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING_REST = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class BrokenJsonError(Exception):
    """The document breaks here: nothing after this place can be read."""


class JsonBuffer:
    """Reads forward only; holds one chunk, or one value of up to `limit` bytes."""

    def __init__(
        self,
        stream: ByteStream,
        repairs: Repairs,
        *,
        limit: int = MESSAGE_LIMIT,
        chunk: int = CHUNK,
    ) -> None:
        self._stream = stream
        self._repairs = repairs
        self._limit = limit
        self._chunk = chunk
        self._buffer = b""
        self._at = 0
        self._dropped = 0  # bytes before the buffer
        self._ended = False

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._dropped + self._at

    def peek(self) -> bytes:
        """The next byte that is not white space, without taking it; empty at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._fill():
                return b""

    def follow(self, token: bytes) -> bool:
        """Take the byte if it comes next."""
        is_next = self.peek() == token
        self._at += is_next
        return is_next

    def skip(self) -> None:
        """Pass over one value of any size."""
        first = self.peek()
        if first == b'"':
            self._skip_string()
        elif first in (b"{", b"["):
            self._skip_nested()
        elif first:
            self._skip_scalar()
        else:
            raise self._broken("a value")

    def _skip_nested(self) -> None:
        nesting = Nesting()
        while True:
            self._at = nesting.follow(self._buffer, self._at)
            if nesting.is_over:
                return
            if not self._fill():
                self._at = len(self._buffer)
                what = "the end of a text" if nesting.in_text else "the rest of a value"
                raise self._broken(what)

    def _skip_string(self) -> None:
        self._at += 1
        while True:
            match = _STRING_REST.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._buffer[self._at : self._at + 1] == b'"':
                self._at += 1
                return
            if not self._fill():  # a lone backslash at the end waits for its second byte
                raise self._broken("the end of a text")

    def _skip_scalar(self) -> None:
        start = self.position
        while True:
            match = SCALAR.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer) or not self._fill():
                break
        if self.position == start:
            raise self._broken("a value")

    def _goes_on(self, closing: bytes) -> bool:
        following = self.peek()
        if following == b",":
            self._at += 1
            self.peek()
            return True
        if following != closing:
            raise self._broken(f"a comma or {closing.decode()}")
        self._at += 1
        return False

    def _take(self, token: bytes, expected: str) -> None:
        if self.peek() != token:
            raise self._broken(expected)
        self._at += 1

    def _broken(self, expected: str) -> BrokenJsonError:
        found = self._buffer[self._at : self._at + 1]
        if not found and self._ended:
            return BrokenJsonError(f"the file ends at byte {self.position}, before {expected}")
        return BrokenJsonError(
            f"broken JSON at byte {self.position}: {expected} was expected, not {found!r}"
        )

    def _fill(self, size: int | None = None) -> bool:
        """Drop what was read and add a chunk. False at the end of the stream."""
        data = b"" if self._ended else self._stream.read(size or self._chunk)
        if not data:
            self._ended = True
            return False
        self._buffer = self._buffer[self._at :] + data
        self._dropped += self._at
        self._at = 0
        return True
