"""Where the pages of an export begin in its bytes, so that a part is made from near its own."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import Any, NamedTuple

MARKS = 256  # kept of one export; of a longer one they are further apart
SPACING = 64 * 1024  # bytes between two marks, at first


class Mark(NamedTuple):
    """The bytes from `offset` on are made from `place` on."""

    offset: int
    place: Any  # None: the beginning, with what comes before the first page


class Extent:
    """
    What is known of the bytes of one export: the same whenever it is made.

    Attributes:
        size: bytes; None: nobody has made all of it yet.
        counting: held by whoever finds the size out, so that it is made once for all who ask.
    """

    def __init__(self) -> None:
        self.size: int | None = None
        self.counting = asyncio.Lock()
        self._marks = [Mark(0, None)]
        self._spacing = SPACING

    def note(self, offset: int, place: Any) -> None:
        """A page begins there."""
        if offset < self._marks[-1].offset + self._spacing:
            return
        self._marks.append(Mark(offset, place))
        if len(self._marks) > MARKS:
            self._marks = self._marks[::2]
            self._spacing *= 2

    def before(self, byte: int) -> Mark:
        """The last mark that is not after this byte."""
        return self._marks[bisect_right(self._marks, byte, key=lambda mark: mark.offset) - 1]

    @property
    def last(self) -> Mark:
        return self._marks[-1]
