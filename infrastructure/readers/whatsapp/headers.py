"""The beginning of a WhatsApp line: date and time in the phone's language."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from infrastructure.readers.date_order import Triple
from infrastructure.readers.whatsapp.marks import MARKS

_DATE = (
    rf"(\d{{1,4}}) [\s{MARKS}]{{0,3}}([/.\-年])[\s{MARKS}]{{0,3}} (\d{{1,2}})"
    rf" [\s{MARKS}]{{0,3}}[/.\-月][\s{MARKS}]{{0,3}} (\d{{1,4}})"
)
_CLOCK = (
    r"(?: ([^\W\d_][^\d\[\]:,\-–/]{0,14}?) \s? )?"  # "klo", or a period such as 下午
    r"(\d{1,2}) [:.] (\d{2}) (?: [:.] (\d{2}) )?"
    r"(?: [\s_]? ([^\W\d_][^\d\]:,\-–]{0,17}?) )?"  # "PM", "p. m.", "nachm."
)
_END = rf"""
    (?(1) [\s{MARKS}]?\]\s?                 # the iPhone's bracket
    | (?: \s?[{MARKS}]?\s([-–])(?:\s|$)     # Android's dash
      | (:)\s ) )                            # old iPhones
"""
_DATE_FIRST = re.compile(
    rf"[{MARKS}]* (\[)? {_DATE} \.?日? ([,،])? [\s{MARKS}]+ {_CLOCK} {_END}", re.VERBOSE
)
_TIME_FIRST = re.compile(
    rf"[{MARKS}]* (\[)? {_CLOCK} ([,،]) [\s{MARKS}]+ {_DATE} \.? {_END}", re.VERBOSE
)
_BARE = re.compile(  # neither bracket nor dash, but a name follows
    rf"""
    [{MARKS}]* () {_DATE} \.? ([,،])? \s+
    () (\d{{1,2}}) [:.] (\d{{2}}) (?: [:.] (\d{{2}}) )? (?: \s? ([AaPp]\.?\s?[Mm]\.?) )?
    \s(?=[^\s:\-–][^:\n]{{0,60}}:(?:\s|$)) () ()
    """,
    re.VERBOSE,
)
_OPENERS = frozenset(MARKS + "[")
_NOISE = re.compile(rf"[\s._״׳'{MARKS}]")
_CONNECTORS = {
    *("klo", "kl", "um", "at", "alle", "às", "à", "ob", "o", "kell", "god", "u", "saat", "ora"),
    *("alleore", "alas", "lúc", "в", "о", "στις", "ve", "i", "en", "ore", "pukul"),
}
_AM = {
    *(
        "am",
        "vorm",
        "上午",
        "午前",
        "오전",
        "凌晨",
        "早上",
        "清晨",
        "半夜",
        "午夜",
        "πμ",
        "öö",
        "sa",
    ),
    *("de", "ص", "قظ", "dop", "fm", "ap", "पूर्वाह्न", "পূর্বাহ্ণ", "পূর্বাহ্ন", "pg", "qm", "मपू"),
    *("முற்பகல்", "ಪೂರ್ವಾಹ್ನ", "ਪੂਦੁ", "ก่อนเที่ยง", "לפנהצ", "පෙව", "ກ່ອນທ່ຽງ", "ጥዋት"),
    *("eparadites", "paradites", "проб", "fh", "priešpiet", "priekšp", "претпл", "преподне"),
    *("дп", "үө", "vm", "inthemorning", "morgens", "früh"),
}
_PM = {
    *("pm", "nachm", "下午", "午後", "오후", "中午", "傍晚", "晚上", "μμ", "ös", "ch", "du", "م"),
    *("بظ", "odp", "em", "ip", "अपराह्न", "অপরাহ্ণ", "অপরাহ্ন", "ptg", "mn", "मउ", "பிற்பகல்"),
    *("ಅಪರಾಹ್ನ", "ਬਾਦੁ", "หลังเที่ยง", "אחהצ", "පව", "ຫຼັງທ່ຽງ", "ከሰዓት", "epasdites", "pasdites"),
    *("слоб", "eh", "popiet", "pēcp", "попл", "поподне", "пополудні", "пп", "үх", "nm", "pop"),
    *("intheafternoon", "intheevening", "abends", "nachmittags"),
}
_DAYTIMES = {**dict.fromkeys(_AM, False), **dict.fromkeys(_PM, True)}


class Shape(NamedTuple):
    """How a phone writes the header: the same in every line of one export."""

    is_bracketed: bool
    separator: str
    is_year_first: bool
    has_seconds: bool
    has_period: bool
    ending: str  # "]", "-", ":", or nothing before the name
    has_comma: bool
    is_time_first: bool


_shape = lru_cache(maxsize=256)(Shape)


class Header(NamedTuple):
    shape: Shape
    date: Triple  # in the file's order
    clock: Triple  # hour of 24, minute, second
    end: int  # where the rest of the line begins


def parse_header(line: str) -> Header | None:
    """The header of a line that has one; the date may still be none of the calendar's."""
    for pattern in (_DATE_FIRST, _BARE):
        if match := pattern.match(line):
            bracket, a, separator, b, c, comma, *clock, dash, colon = match.groups()
            ending = "]" if bracket else "-" if dash else ":" if colon else ""
            header = _header((a, b, c), separator, clock, comma, ending, match.end())
            if header is not None:
                return header
    if match := _TIME_FIRST.match(line):
        bracket, *clock, comma, a, separator, b, c, dash, colon = match.groups()
        ending = "]" if bracket else "-" if dash else ":"
        return _header((a, b, c), separator, clock, comma, ending, match.end(), is_time_first=True)
    return None


def _header(
    date: tuple[str, str, str],
    separator: str,
    clock: list[str],
    comma: str | None,
    ending: str,
    end: int,
    *,
    is_time_first: bool = False,
) -> Header | None:
    """None if a word beside the clock is neither a time of day nor one that introduces it."""
    before, hour, minute, second, after = clock
    hours = int(hour)
    is_pm = None
    for written in (before, after):
        word = _NOISE.sub("", written or "").lower()
        if word in _DAYTIMES:
            is_pm = _DAYTIMES[word]
        elif word and word not in _CONNECTORS:
            return None
    if is_pm is not None:
        hours = of_24(hours, is_pm=is_pm)
    a, b, c = date
    shape = _shape(
        is_bracketed=ending == "]",
        separator=separator,
        is_year_first=len(a) == 4,
        has_seconds=second is not None,
        has_period=is_pm is not None,
        ending=ending,
        has_comma=comma is not None,
        is_time_first=is_time_first,
    )
    times = (hours, int(minute), int(second) if second else 0)
    return Header(shape, (int(a), int(b), int(c)), times, end)


def of_24(hours: int, *, is_pm: bool) -> int:
    """The hour of a clock with two halves."""
    if is_pm:
        return hours + 12 if hours < 12 else hours
    return 0 if hours == 12 else hours


def is_plausible(shape: Shape) -> bool:
    """Whether WhatsApp writes so: other logs have brackets and ISO dates, too."""
    if shape.ending == "-":
        return True
    if shape.is_year_first and shape.separator == "-":
        return False
    if not shape.ending:
        return shape.has_period or shape.has_comma
    return shape.has_seconds or shape.has_period
