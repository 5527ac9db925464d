"""Times as people's tools write them into tables: ISO, epochs, numbers with dots and slashes."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from application.ports.chat_reader import DateOrder
from domain.message import Precision, Zone
from infrastructure.readers.date_order import Triple, place
from infrastructure.readers.local_time import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = 100_000_000  # seconds since 1970: numbers of fewer digits are not times but ids
_LATEST = 4_102_444_800  # the year 2100
# Parts of a second -> from when on. Numbers of 18 digits would be nanoseconds before 2001, and are
# rather Windows' FILETIME, ticks of .NET, iMessage's nanoseconds since 2001 or ids.
_UNITS: tuple[tuple[int, int, Precision], ...] = (
    (1000, _EARLIEST, "millisecond"),
    (1_000_000, _EARLIEST, "microsecond"),
    (1_000_000_000, 1_000_000_000, "microsecond"),
)
_COMPACT = re.compile(r"(19[7-9]\d|20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d{3})?)?")
_NUMBER = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?:(:\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s?(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_NUMERIC = re.compile(
    r"(\d{1,4})[./-]\s?(\d{1,2})[./-]\s?(\d{1,4})\.?"
    r"(?:[\sT,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d{1,6})?)?\s?([AaPp])?\.?\s?(?:[Mm]\.?)?)?"
    r"\s?(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_ENGLISH = (
    *("%d-%b-%y %I:%M %p", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%b %d, %Y %I:%M:%S %p"),
    *("%b %d, %Y %I:%M %p", "%b %d, %Y, %I:%M %p", "%b %d, %Y %H:%M", "%B %d, %Y %H:%M"),
    *("%d %B %Y %H:%M", "%a %b %d %H:%M:%S %Y", "%d %b %Y", "%b %d, %Y"),
)


class Stamp(NamedTuple):
    at: datetime  # UTC
    precision: Precision
    zone: Zone
    written: str  # as it goes into a content key


def numeric_fields(value: Any) -> tuple[Triple, Triple] | None:
    """Three numbers of a date whose order must be decided over the file, and the clock."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    match = None if _ISO.fullmatch(text) else _NUMERIC.fullmatch(text)
    if match is None:
        return None
    a, b, c, hour, minute, second, half, _ = match.groups()
    hours = int(hour or 0)
    if half is not None:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    return (int(a), int(b), int(c)), (hours, int(minute or 0), int(second or 0))


def looks_like_time(value: Any) -> bool:
    """Without needing to know the order of its numbers."""
    try:
        parse_stamp(value, "dmy", None)
    except (ValueError, OverflowError):
        try:
            parse_stamp(value, "mdy", None)
        except (ValueError, OverflowError):
            return False
    return True


def parse_stamp(value: Any, order: DateOrder, clock: Clock | None) -> Stamp:
    """
    Args:
        clock: for times without an offset; None reads them as UTC.

    Raises:
        ValueError, OverflowError: if it is no time between 1970 and 9999 (2100 if it is a number).
    """
    if isinstance(value, str):
        text = value.strip()
    else:
        text = repr(value)
        if isinstance(value, int | float) and _EARLIEST <= value < _LATEST and value == int(value):
            return Stamp(_EPOCH + timedelta(seconds=int(value)), "second", "stated", text)
    if match := _ISO.fullmatch(text):
        return _from_iso(match, text, clock)
    if _NUMBER.fullmatch(text):
        return _from_digits(text, clock)
    if (fields := numeric_fields(text)) is not None:
        return _from_numbers(text, *fields, order, clock)
    return _from_english(text, clock)


def _from_digits(text: str, clock: Clock | None) -> Stamp:
    """A date without anything between its numbers, or what has passed since 1970."""
    whole, _, fraction = text.partition(".")
    if (match := _COMPACT.fullmatch(text)) is not None:
        with suppress(ValueError):  # there is no such day: a number
            return _from_compact(match, text, clock)
    number = int(whole)
    if _EARLIEST <= number < _LATEST:
        micros = int(fraction[:6].ljust(6, "0")) if fraction.strip("0") else 0
        at = _EPOCH + timedelta(seconds=number, microseconds=micros)
        return Stamp(at, "microsecond" if micros else "second", "stated", text)
    for unit, earliest, precision in _UNITS:
        if earliest * unit <= number < _LATEST * unit:
            at = _EPOCH + timedelta(microseconds=number * 1_000_000 // unit)
            return Stamp(at, precision, "stated", text)
    raise ValueError(
        f"{text[:40]!r} is no time: as seconds, milli-, micro- or nanoseconds since 1970 it lies "
        "outside the years 1973 to 2100 (ids, and times counted from other years, are not guessed)"
    )


def _from_compact(match: re.Match[str], text: str, clock: Clock | None) -> Stamp:
    year, month, day, hour, minute, second, millis = (int(part or 0) for part in match.groups())
    local = datetime(year, month, day, hour, minute, second, millis * 1000)  # noqa: DTZ001
    precision: Precision = "minute"
    if match[6] is not None:
        precision = "second" if match[7] is None else "millisecond"
    return _placed(local, None, precision, text, clock)


def _from_iso(match: re.Match[str], text: str, clock: Clock | None) -> Stamp:
    day, minutes, seconds, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    local = datetime.fromisoformat(f"{day}T{minutes or '00:00'}{seconds or ':00'}.{micros}")
    precision: Precision = "day"
    if fraction:
        precision = "millisecond" if len(fraction) <= 3 else "microsecond"
    elif minutes:
        precision = "second" if seconds else "minute"
    return _placed(local, offset, precision, text, clock)


def _from_numbers(
    text: str, date: Triple, time: Triple, order: DateOrder, clock: Clock | None
) -> Stamp:
    match = _NUMERIC.fullmatch(text)
    offset = match[8] if match else None
    precision: Precision = "day"
    if match and match[5] is not None:
        precision = "second" if match[6] is not None else "minute"
    # A year of four digits in front needs no decision.
    local = datetime(*place(date, "ymd" if date[0] > 31 else order), *time)  # noqa: DTZ001
    return _placed(local, offset, precision, text, clock)


def _from_english(text: str, clock: Clock | None) -> Stamp:
    if len(text) > 60 or not any(c.isdigit() for c in text):
        raise ValueError(f"{text[:40]!r} is no time")
    for pattern in _ENGLISH:
        try:
            local = datetime.strptime(text, pattern)  # noqa: DTZ007 - placed in a zone below
        except ValueError:
            continue
        precision: Precision = "minute" if "%M" in pattern else "day"
        return _placed(local, None, "second" if "%S" in pattern else precision, text, clock)
    try:
        mail = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        raise ValueError(f"{text[:40]!r} is no time") from None
    if mail.tzinfo is None:
        return _placed(mail, None, "second", text, clock)
    return Stamp(mail.astimezone(UTC), "second", "stated", text)


def _placed(
    local: datetime,
    offset: str | None,
    precision: Precision,
    text: str,
    clock: Clock | None,
) -> Stamp:
    if offset in ("Z", "UTC") or (offset is None and clock is None):
        return Stamp(local.replace(tzinfo=UTC), precision, "stated", text)
    if offset is None:
        assert clock is not None  # noqa: S101 - for the type checker: the case above
        return Stamp(clock.utc(local), precision, clock.zone, text)
    sign = -1 if offset[0] == "-" else 1
    digits = offset[1:].replace(":", "")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return Stamp((local - sign * away).replace(tzinfo=UTC), precision, "stated", text)
