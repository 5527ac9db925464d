"""The forms in which logs write the time at the beginning of a line."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from infrastructure.readers.irc.months import NAME, month_of

# "clock" has no date, "day_month" no year, "dated" all of it, "epoch" seconds since 1970.
StampForm = Literal["clock", "day_month", "dated", "epoch"]

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
PATTERNS: dict[StampForm, str] = {
    "clock": rf"{_CLOCK}(?: ?[AaPp]\.?[Mm]\.?)?",
    "day_month": rf"(?:\d{{1,2}} {NAME}|{NAME} {{1,2}}\d{{1,2}}),? {_CLOCK}",
    "dated": (
        rf"(?:\d{{4}}[-/.]\d{{2}}[-/.]\d{{2}}|\d{{1,2}}[- ]{NAME}[- ]\d{{4}})[T ]{_CLOCK}"
        r"(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?"
    ),
    "epoch": r"\d{9,11}",
}
_FIELDS = re.compile(
    r"(?P<date>.*?)[,T ]*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?:[.,](?P<fraction>\d{1,9}))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r" ?(?P<offset>Z|[+-]\d{2}:?\d{2})?"
)
_NUMBERS = re.compile(r"(\d{4})[-/.](\d{2})[-/.](\d{2})")
_NAMED = re.compile(rf"(?P<day>\d{{1,2}})?[- ]?(?P<month>{NAME})[- ]*(?P<rest>\d{{1,4}})?")


class TimeOfDay(NamedTuple):
    hour: int
    minute: int
    second: int | None  # None: the line has none
    microsecond: int
    digits: int  # of the fraction of a second
    offset: int | None  # minutes east of UTC, where the line states it


class WrittenDate(NamedTuple):
    year: int | None
    month: int
    day: int


def split_stamp(stamp: str) -> tuple[str, TimeOfDay]:
    """
    The date as text, perhaps empty, and the time.

    Raises:
        ValueError: if there is no such time of day.
    """
    match = _FIELDS.fullmatch(stamp)
    if match is None:
        raise ValueError(f"{stamp[:40]!r} is no time")
    date, hours, minutes, seconds, fraction, half, offset = match.groups()
    hour, minute = int(hours), int(minutes)
    second = None if seconds is None else int(seconds)
    if half is not None and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if hour > 23 or minute > 59 or (second or 0) > 60:
        raise ValueError(f"{stamp[:40]!r} is no time")
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return date, TimeOfDay(hour, minute, second, micros, len(fraction or ""), _minutes(offset))


def _minutes(offset: str | None) -> int | None:
    if offset is None or offset == "Z":
        return None if offset is None else 0
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if offset[0] == "-" else minutes


def read_date(text: str) -> WrittenDate:
    """
    Raises:
        ValueError: if it is no date. Whether the day exists is not asked here.
    """
    if match := _NUMBERS.fullmatch(text):
        return WrittenDate(int(match[1]), int(match[2]), int(match[3]))
    match = _NAMED.fullmatch(text)
    month = month_of(match["month"]) if match else None
    if match is None or month is None or (match["day"] or match["rest"]) is None:
        raise ValueError(f"{text[:40]!r} is no date")
    if match["day"] is None:
        return WrittenDate(None, month, int(match["rest"]))
    year = match["rest"]
    return WrittenDate(None if year is None else int(year), month, int(match["day"]))
