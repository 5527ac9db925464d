"""Dates of mails, in all the forms that programs have given them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import NamedTuple

from domain.message import Precision, Zone
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.stamps import parse_stamp

_LIMIT = 200  # characters of a date
_COMMENT = re.compile(r"\(([^()]*)\)")
_TIME = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?(?:\.\d+)?(.*)")
_OFFSET = re.compile(r"(?:GMT|UTC|UT)?([+-])(\d{1,2}):?(\d{2})?")
_MORNING, _EVENING = ("AM", "A.M."), ("PM", "P.M.")
_ENVELOPE_DATE = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+(?:[A-Z][a-z]{2}\s+\d|\d{1,2}\s+[A-Z]).*", re.IGNORECASE
)
# Hours from UTC. Names that mean different zones in different countries (IST, CST of China, BST of
# Bangladesh) are those of RFC 822 and of Europe, or none.
_HOURS = {
    -10: "HST",
    -9: "AKST",
    -8: "PST AKDT",
    -7: "MST PDT",
    -6: "CST MDT",
    -5: "EST CDT",
    -4: "AST EDT",
    -3.5: "NST",
    -3: "ADT",
    -2.5: "NDT",
    0: "UT UTC GMT Z WET",
    1: "CET MET MEZ BST WEST",
    2: "EET CEST MEST MESZ SAST",
    3: "EEST MSK",
    4: "MSD",
    8: "AWST HKT",
    9: "JST KST",
    9.5: "ACST",
    10: "AEST",
    10.5: "ACDT",
    11: "AEDT",
    12: "NZST",
    13: "NZDT",
}
_ZONES = {name: timedelta(hours=hours) for hours, names in _HOURS.items() for name in names.split()}


class MailDate(NamedTuple):
    at: datetime  # UTC
    precision: Precision
    zone: Zone


def parse_date(raw: str, clock: LocalClock) -> MailDate | None:
    """None if it is no time between 1970 and 9999."""
    line = " ".join(raw.split())[:_LIMIT]
    comments = " ".join(_COMMENT.findall(line))
    plain = _COMMENT.sub(" ", line).strip()
    fields = parsedate_tz(plain)
    try:
        if fields is None or re.match(r"\d{4}-\d", plain):
            stamp = parse_stamp(plain, "dmy", clock)
            found = MailDate(stamp.at, stamp.precision, stamp.zone)
        else:
            found = _placed(fields[:6], plain, comments, clock)
    except (ValueError, OverflowError, TypeError):
        return None
    return found if found.at.year >= 1970 else None


def envelope_date(line: str, clock: LocalClock) -> MailDate | None:
    """The date of a line “From address date”: local time, unless it says more."""
    match = _ENVELOPE_DATE.search(line)
    return None if match is None else parse_date(match[0], clock)


def received_date(received: str, clock: LocalClock) -> MailDate | None:
    """When a mail was received: what comes after the last semicolon."""
    found = parse_date(received.rpartition(";")[2], clock)
    return None if found is None else found._replace(zone="derived")


def _placed(fields: tuple[int, ...], plain: str, comments: str, clock: LocalClock) -> MailDate:
    year, month, day, hour, minute, second = fields
    match = _TIME.search(plain)
    precision: Precision = "day"
    tokens: list[str] = []
    if match is not None:
        precision = "minute" if match[1] is None else "second"
        tokens = match[2].upper().split()
    if any(token in _EVENING for token in tokens) and hour < 12:
        hour += 12
    elif any(token in _MORNING for token in tokens) and hour == 12:
        hour = 0
    local = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - placed below
    offset = _offset([*tokens, *comments.upper().split()])
    if offset is None:
        return MailDate(clock.utc(local), precision, clock.zone)
    return MailDate((local - offset).replace(tzinfo=UTC), precision, "stated")


def _offset(tokens: list[str]) -> timedelta | None:
    """The first zone that is named; None if there is none that can be understood."""
    for token in tokens:
        if match := _OFFSET.fullmatch(token):
            sign, hours, minutes = match.groups()
            away = timedelta(hours=int(hours), minutes=int(minutes or 0))
            if away <= timedelta(hours=14):
                return -away if sign == "-" else away
        elif token in _ZONES:
            return _ZONES[token]
    return None
