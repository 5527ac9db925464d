"""The lines of a LINE file that are messages, and texts of several lines in quotation marks."""

from __future__ import annotations

import re
from typing import NamedTuple

_MESSAGE = re.compile(
    r"(?:(午前|上午|오전|午後|下午|오후) ?)?(\d{1,2}):(\d{2})(?: ?([AaPp])\.? ?[Mm]\.?)?\t"
    r"(?:([^\t]*)\t)?"
)
_AFTERNOON = frozenset({"午後", "下午", "오후", "p", "P"})
_QUOTE = '"'
_TWO_QUOTES = '""'


class Head(NamedTuple):
    hour: int
    minute: int
    name: str | None  # None: the line has no column for it
    end: int  # where the text begins


def head_of(line: str) -> Head | None:
    """`10:23<TAB>name<TAB>text`; what the app says has an empty name, or no column for it."""
    match = _MESSAGE.match(line)
    if match is None:
        return None
    before, hours, minutes, after, name = match.groups()
    hour = int(hours)
    if (period := before or after) is not None:
        hour = hour % 12 + (12 if period in _AFTERNOON else 0)
    return Head(hour, int(minutes), name, match.end())


class QuotedText:
    """
    A text of several lines is in quotation marks, its own ones doubled. A text may begin with a
    mark that is but its own: that shows when a message begins before the mark that ends it.
    """

    def __init__(self, first: str) -> None:
        self.lines = [first]
        self.size = len(first)

    def add(self, line: str) -> bool:
        """Whether the text ends with this line."""
        self.lines.append(line)
        self.size += len(line) + 1
        return _ends(line)

    @property
    def text(self) -> str:
        """Also if the file ends before the text does."""
        inside = "\n".join(self.lines)[1:].rstrip("\n")
        if _ends(inside):
            inside = inside[:-1]
        return inside.replace(_TWO_QUOTES, _QUOTE).rstrip("\n")


def opens(text: str) -> bool:
    """Whether the first line of a text may be followed by others within quotation marks."""
    return text.startswith(_QUOTE) and not _ends(text[1:])


def unquoted(text: str) -> str:
    """A text of one line. In marks it is only if it has doubled ones: else they are its own."""
    inner = text[1:-1]
    is_marked = len(text) > 2 and text.startswith(_QUOTE) and text.endswith(_QUOTE)
    if is_marked and _TWO_QUOTES in inner and _QUOTE not in inner.replace(_TWO_QUOTES, ""):
        return inner.replace(_TWO_QUOTES, _QUOTE)
    return text


def _ends(line: str) -> bool:
    """A mark at the end that is not one of a pair."""
    return (len(line) - len(line.rstrip(_QUOTE))) % 2 == 1
