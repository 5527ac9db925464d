"""Small repairs of a file's bytes, counted by kind so that each is told once."""

from __future__ import annotations

from collections.abc import Iterator

from application.ports.chat_reader import ReadWarning

NUL = "NUL characters (U+0000) were removed"
SURROGATE = "half characters (lone surrogates) were replaced by U+FFFD"
CP1252 = "bytes that are not UTF-8 were read as Windows-1252"
TOO_LONG = "a line longer than the limit was cut off"
HEX_ESCAPE = r"escapes such as \x1f, which JSON does not have, were understood"
CONTROL = "unescaped control characters inside JSON text were accepted"
BAD_NUMBER = "numbers too large for any computer were dropped"


class Repairs:
    """What was repaired in one file: how often, and where first."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int | None]] = {}

    def note(self, reason: str, line: int | None) -> None:
        """Count one line (or one element of a JSON array)."""
        count, first = self._found.get(reason, (0, line))
        self._found[reason] = (count + 1, first)

    def warnings(self, file: str) -> Iterator[ReadWarning]:
        """One warning per kind, at the place where it first occurred."""
        for reason, (count, first) in self._found.items():
            where = "in 1 place" if count == 1 else f"in {count} places, here first"
            yield ReadWarning(file, first, f"{reason} ({where})")
        self._found.clear()
