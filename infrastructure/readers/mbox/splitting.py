"""
An mbox file is cut into its messages.

A line “From address date” stands before each. Not every such line does: text that begins with
“From ” is quoted by some programs (mboxo: `>From `; mboxrd: one `>` more), and left as it is by
others. A line counts if it has a date and a header follows it; one without a date counts after an
empty line, before a header that begins messages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from infrastructure.readers.mbox.byte_lines import ByteLines

LINES_LIMIT = 250_000  # of a message: the parser keeps each of them, and short ones cost most
HEADER = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATED = re.compile(
    rb"From [^\n]{0,500}?\b"
    + _DAY
    + rb"(?:"
    + _MONTH
    + rb"\s+\d{1,2}|\d{1,2}\s+"
    + _MONTH
    + rb")\b[^\n]{0,40}\d\d:\d\d",
    re.IGNORECASE,
)
_UNDATED = re.compile(rb"From [^\s:]*\s*")
_BEGINS_MESSAGES = re.compile(
    rb"(?:From|Date|Received|Return-Path|Message-ID|Subject|To|MIME-Version|Delivered-To|Status"
    rb"|X-[A-Za-z-]+|Content-[A-Za-z-]+|>From) ?[:\w]",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb">+From ")


class RawMail(NamedTuple):
    envelope: bytes | None  # the line “From …”
    data: bytes
    left_out: int  # bytes, of a message beyond the limits
    line: int  # of the file, 1-based, where the message begins


def is_separator(line: bytes, following: bytes, *, is_after_empty: bool) -> bool:
    """Whether a message begins at a line."""
    if not line.startswith(b"From "):
        return False
    if _DATED.match(line):
        return HEADER.match(following) is not None or following.startswith(b">From ")
    is_bare = is_after_empty and _UNDATED.fullmatch(line) is not None
    return is_bare and _BEGINS_MESSAGES.match(following) is not None


def split_mails(stream: BinaryIO, *, limit: int) -> Iterator[RawMail]:
    """
    Yield the messages of a file; all of it is one if it does not begin with “From ”.

    Args:
        limit: bytes of a message; the rest of it is left out.
    """
    lines = _Numbered(stream)
    while lines.line and not lines.line.strip():
        lines.advance()
    is_mbox = lines.line.startswith(b"From ")
    while lines.line:
        yield _mail(lines, limit, is_mbox=is_mbox)


def _mail(lines: _Numbered, limit: int, *, is_mbox: bool) -> RawMail:
    begins = lines.number
    envelope: bytes | None = None
    if is_mbox:
        envelope = lines.line
        lines.advance()
    held = io.BytesIO()
    count = before = size = left_out = 0
    is_empty = False  # the last line
    while lines.line and not (is_mbox and lines.is_separator):
        line = lines.line
        if is_mbox and line[:1] == b">" and _QUOTED.match(line):
            line = line[1:]
        lines.advance()
        size += len(line)
        if size <= limit and count < LINES_LIMIT:
            before = held.tell()
            held.write(line)
            count += 1
            is_empty = not line.strip()
        else:
            left_out += len(line)
    if is_mbox and is_empty:
        held.truncate(before)  # it belongs to the next separator
    return RawMail(envelope, held.getvalue(), left_out, begins)


class _Numbered:
    """The line that reading is at, and what is around it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = ByteLines(stream)
        self._is_after_empty = True
        self._is_beginning = True  # of a line, and not in the middle of a long one
        self.number = 1
        self.line = self._lines.line().removeprefix(b"\xef\xbb\xbf")
        self._following = self._lines.line()

    @property
    def is_separator(self) -> bool:
        return self._is_beginning and is_separator(
            self.line, self._following, is_after_empty=self._is_after_empty
        )

    def advance(self) -> None:
        self._is_after_empty = self._is_beginning and not self.line.strip()
        self._is_beginning = self.line.endswith(b"\n")
        self.number += self._is_beginning
        self.line, self._following = self._following, self._lines.line()
