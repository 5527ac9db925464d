"""A message of a text format while its lines are still coming."""

from __future__ import annotations

from datetime import datetime

from infrastructure.readers.limits import MESSAGE_LIMIT


class Draft:
    """First line and continuation lines, up to a limit of characters."""

    def __init__(self, line: int, local: datetime, head: str, limit: int = MESSAGE_LIMIT) -> None:
        self.line = line
        self.local = local
        self.cut_lines = 0  # lines that came after the limit
        self._lines = [head]
        self._room = limit - len(head)

    def add(self, text: str) -> None:
        if self._room <= 0:
            self.cut_lines += 1
            return
        self._lines.append(text[: self._room])
        self._room -= len(text) + 1

    @property
    def text(self) -> str:
        """The lines, without empty ones at the end: they belong to the file."""
        return "\n".join(self._lines).rstrip("\n")
