"""A message of a text format while its lines are still coming."""

from __future__ import annotations

from io import StringIO

from infrastructure.readers.limits import MESSAGE_LIMIT


class Draft:
    """First line and continuation lines, up to a limit of characters."""

    __slots__ = ("_rest", "_room", "cut_lines", "head", "line")

    def __init__(self, line: int, head: str, limit: int = MESSAGE_LIMIT) -> None:
        self.line = line
        self.cut_lines = 0  # lines that came after the limit
        self.head = head
        self._rest: StringIO | None = None  # not a list: short lines would be larger than they say
        self._room = limit - len(head)

    def add(self, text: str) -> None:
        if self._room <= 0:
            self.cut_lines += 1
            return
        if self._rest is None:
            self._rest = StringIO(newline="")
        self._rest.write("\n")
        self._rest.write(text[: self._room])
        self._room -= len(text) + 1

    @property
    def continuation(self) -> str:
        """What follows the first line, each line after an LF; without empty ones at the end."""
        return "" if self._rest is None else self._rest.getvalue().rstrip("\n")
