"""
A walk through one JSON document of any size. Objects are entered key by key; lists give their
elements one at a time, cut out of the bytes and parsed whole, because that is many times faster
than parser events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from infrastructure.readers.json_buffer import SCALAR, BrokenJsonError, JsonBuffer
from infrastructure.readers.json_nesting import Nesting
from infrastructure.readers.json_separators import Separator, learn
from infrastructure.readers.json_values import TooDeepError, UnparsableJsonError, parse

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unparsed:
    """An element that was passed over, whole."""

    reason: str


class LeftOutError(BrokenJsonError):
    """
    A value was passed over because it is too long or nested too deeply. The document is not
    broken: reading can go on behind it.
    """

    def __init__(self, message: str, unparsed: Unparsed) -> None:
        super().__init__(message)
        self.unparsed = unparsed


class JsonCursor(JsonBuffer):
    """Reads forward only; holds one chunk, or one element of up to `limit` bytes."""

    def keys_after(self) -> Iterator[Any]:
        """Skip the value it is at, then as `keys` for what follows it in the same object."""
        self.skip()
        while self.follow(b","):
            key = self.value()
            self.follow(b":")
            yield key

    def keys(self) -> Iterator[str]:
        """Enter an object. Its values must be taken or skipped between one key and the next."""
        self._take(b"{", "an object")
        if self.peek() == b"}":
            self._at += 1
            return
        while True:
            if self.peek() != b'"':
                raise self._broken("a key in quotes")
            key = self.value()
            self._take(b":", "a colon")
            yield key if isinstance(key, str) else ""
            if not self._goes_on(b"}"):
                return

    def each(self) -> Iterator[None]:
        """Enter a list; yields before each element, which must then be taken or skipped."""
        self._take(b"[", "a list")
        if self.peek() == b"]":
            self._at += 1
            return
        while True:
            yield None
            if not self._goes_on(b"]"):
                return

    def elements(self) -> Iterator[Any]:
        """Yield the parsed elements of a list; in place of one that is too big, an Unparsed."""
        small = self._rest_if_small()
        if small is not None:
            yield from small
            return
        self._take(b"[", "a list")
        if self.peek() == b"]":
            self._at += 1
            return
        count = 0
        separator: Separator | None = None
        tried = -1  # the document position of a cut that did not fit: up to there, step by step
        while True:
            cut = 0
            while separator is not None and self._dropped + self._at > tried:
                literal, step, pattern = separator
                buffer, at = self._buffer, self._at
                if pattern is None:
                    cut = buffer.find(literal, at)
                else:
                    match = pattern.search(buffer, at)
                    cut = -1 if match is None else match.start()
                if cut < 0:
                    break
                raw = buffer[at : cut + 1]
                try:
                    value = orjson.loads(raw)
                except orjson.JSONDecodeError:
                    tried = self._dropped + cut
                    break
                if b"\\u0000" in raw:
                    break  # the slow way repairs it
                self._at = cut + step
                count += 1
                yield value
            if cut < 0 and self._at + self._chunk > len(self._buffer) and self._fill():
                continue
            count += 1
            begin = self.position
            yield self._element(count)
            separator = None
            if begin >= self._dropped:  # else it was too long, and is gone
                separator = learn(self._buffer, begin - self._dropped, self._at)
            if not self._goes_on(b"]"):
                return

    def _rest_if_small(self) -> list[Any] | None:
        """The whole list, if it is all that is left and fits into one chunk."""
        # What is more than a chunk is not small, and is not to grow: many lists may follow.
        if self.peek() != b"[" or len(self._buffer) - self._at > self._chunk or self._fill():
            return None
        raw = self._buffer[self._at :]
        try:
            value = None if b"\\u0000" in raw else orjson.loads(raw)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(value, list):
            return None
        self._at = len(self._buffer)
        return value

    def value(self) -> Any:
        """
        Take one value.

        Raises:
            LeftOutError: if it is too long or nested too deeply.
            BrokenJsonError: if the document breaks within it.
        """
        value = self._element(None)
        if isinstance(value, Unparsed):
            raise LeftOutError(f"near byte {self.position}: {value.reason}", value)
        return value

    def _element(self, number: int | None) -> Any:
        self.peek()
        end = self._end_of_value()
        if end < 0:
            self.skip()
            return Unparsed(f"longer than {self._limit} bytes, left out")
        raw = self._buffer[self._at : end]
        try:
            value = parse(raw, self._repairs, number)
        except TooDeepError as error:
            self._at = end
            return Unparsed(f"{error}, left out")
        except UnparsableJsonError as error:
            raise BrokenJsonError(f"broken JSON near byte {self.position}: {error}") from error
        self._at = end
        return value

    def _end_of_value(self) -> int:
        """Where the value at the cursor ends in the buffer; -1 if it exceeds the limit."""
        while True:
            end = self._find_end()
            if end >= 0:
                return end if end - self._at <= self._limit else -1
            if len(self._buffer) - self._at > self._limit:
                return -1
            # Twice as much each time: a long value is not scanned again for every chunk.
            wanted = max(self._chunk, len(self._buffer) - self._at)
            if not self._fill(wanted):
                raise self._broken("the rest of a value")

    def _find_end(self) -> int:
        """Where the value ends, if the buffer holds its end; else -1."""
        buffer, at = self._buffer, self._at
        first = buffer[at : at + 1]
        if first in (b"{", b"["):
            nesting = Nesting()
            end = nesting.follow(buffer, at)
            return end if nesting.is_over else -1
        match = (_TEXT if first == b'"' else SCALAR).match(buffer, at)
        if first == b'"':
            return match.end() if match else -1
        end = match.end() if match else at
        if end == at:
            raise self._broken("a value")
        return end if end < len(buffer) or self._ended else -1
