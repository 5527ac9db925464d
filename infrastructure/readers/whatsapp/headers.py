"""The beginning of a WhatsApp line: date and time in the phone's language."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from infrastructure.readers.date_order import Triple

MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"

_HEADER = re.compile(
    rf"""
    [{MARKS}]* (\[)?                                # 1: the iPhone's bracket
    (\d{{1,4}}) \s?([/.\-年])\s? (\d{{1,2}}) \s?[/.\-月]\s? (\d{{1,4}})  # 2, 4, 5; 3: separator
    \.? 日? [,،]? \s+
    (?: ([^\W\d_][^\W\d_.]{{0,9}}\.?) \s? )?        # 6: "klo", or a period such as 下午
    (\d{{1,2}}) [:.] (\d{{2}}) (?: [:.] (\d{{2}}) )?  # 7, 8, 9
    (?: [\s_]? ([^\W\d_][^\d\]:\-–]{{0,14}}?) )?    # 10: "PM", "p. m.", "nachm."
    (?(1) \s?\]\s? | (?: \s+([-–])(?:\s|$) | :\s ) )  # 11: the dash
    """,
    re.VERBOSE,
)
_NOISE = re.compile(r"[\s._\u200e\u200f]")
_CONNECTORS = {"klo", "kl", "um", "at", "alle", "às", "à", "ob", "o", "kell", "god", "u", "saat"}
_AM = {
    *("am", "vorm", "上午", "午前", "오전", "凌晨", "早上", "清晨", "半夜", "πμ", "öö", "sa", "de"),
    *("ص", "قظ", "dop", "fm", "ap", "पूर्वाह्न", "পূর্বাহ্ণ", "pg", "qm"),
}
_PM = {
    *("pm", "nachm", "下午", "午後", "오후", "中午", "傍晚", "晚上", "μμ", "ös", "ch", "du", "م"),
    *("بظ", "odp", "em", "ip", "अपराह्न", "অপরাহ্ণ", "ptg", "mn"),
}


class Shape(NamedTuple):
    """How a phone writes the header: the same in every line of one export."""

    is_bracketed: bool
    separator: str
    is_year_first: bool
    has_seconds: bool
    has_period: bool
    has_dash: bool


_shape = lru_cache(maxsize=256)(Shape)


class Header(NamedTuple):
    shape: Shape
    date: Triple  # in the file's order
    clock: Triple  # hour of 24, minute, second
    end: int  # where the rest of the line begins


class HeaderParser:
    """Remembers the last header: chats have many lines a minute, and they begin alike."""

    def __init__(self) -> None:
        self._beginning = "\0"  # no line begins so
        self._header: Header | None = None

    def parse(self, line: str) -> Header | None:
        """As parse_header; the very same object for the same beginning."""
        if line.startswith(self._beginning):
            return self._header
        header = parse_header(line)
        # Without a space at its end, a longer header could begin with the same characters.
        if header is not None and line[header.end - 1 : header.end].isspace():
            self._beginning, self._header = line[: header.end], header
        return header


def parse_header(line: str) -> Header | None:
    """The header of a line that has one; the date may still be none of the calendar's."""
    match = _HEADER.match(line)
    if match is None:
        return None
    bracket, a, separator, b, c, before, hour, minute, second, after, dash = match.groups()
    hours = int(hour)
    period = None
    for written in (before, after):
        if written is None:
            continue
        word = _NOISE.sub("", written).lower()
        if word in _AM or word in _PM:
            period = word
        elif word not in _CONNECTORS:
            return None
    if period is not None:
        hours = _of_24(hours, is_pm=period in _PM)
    shape = _shape(
        bracket is not None,
        separator,
        len(a) == 4,
        second is not None,
        period is not None,
        dash is not None,
    )
    clock = (hours, int(minute), int(second) if second else 0)
    return Header(shape, (int(a), int(b), int(c)), clock, match.end())


def _of_24(hours: int, *, is_pm: bool) -> int:
    if is_pm:
        return hours + 12 if hours < 12 else hours
    return 0 if hours == 12 else hours


def is_plausible(shape: Shape) -> bool:
    """Whether WhatsApp writes so: other logs have brackets and ISO dates, too."""
    if shape.has_dash:
        return True
    if shape.is_year_first and shape.separator == "-":
        return False
    return shape.has_seconds or shape.has_period
