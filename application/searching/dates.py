"""Dates as people write them in a query: a day, a month, a year, a moment, or so long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FORMS = "2024, 2024-03, 2024-03-01, 2024-03-01T09:30Z, today, yesterday, or 7d, 2w, 3m, 1y ago"
CALENDAR = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
AGO = re.compile(r"(\d{1,5})([dwmy])", re.ASCII)
DAYS_AGO = {"d": 1, "w": 7}
MONTHS_AGO = {"m": 1, "y": 12}


class DateUnclearError(ValueError):
    """It is no date; the message says what is one."""


def span(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """
    The time that a date stands for: from its first moment to the first one after it, in UTC.

    Args:
        now: with a zone.
        zone: whose days and months are meant.

    Raises:
        DateUnclearError
    """
    try:
        return tuple(at.astimezone(UTC) for at in local_span(text, now=now, zone=zone))  # type: ignore[return-value]
    except (OverflowError, ValueError):
        raise DateUnclearError(f"{text!r} is no date: write {FORMS}") from None


def local_span(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    lowered = text.lower()
    if lowered in {"today", "yesterday"}:
        day = today if lowered == "today" else days_before(today, 1)
        return day, days_before(day, -1)
    if found := AGO.fullmatch(lowered):
        count, unit = int(found[1]), found[2]
        if unit in DAYS_AGO:
            day = days_before(today, count * DAYS_AGO[unit])
        else:
            day = months_before(today, count * MONTHS_AGO[unit])
        return day, days_before(day, -1)
    if found := CALENDAR.fullmatch(text):
        return calendar_span(found, zone)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment, moment + unit_of(text)


def calendar_span(found: re.Match[str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    year, month, day = (None if part is None else int(part) for part in found.groups())
    first = datetime(year or 0, month or 1, day or 1, tzinfo=zone)
    if day is not None:
        return first, days_before(first, -1)
    return first, months_before(first, -1 if month is not None else -12)


def unit_of(text: str) -> timedelta:
    """How long the moment lasts that is written so exactly."""
    clock = text.partition("T")[2] or text.partition(" ")[2]
    parts = re.split(r"[Zz+-]", clock)[0]
    if "." in parts or "," in parts:
        return timedelta(microseconds=1)
    return timedelta(seconds=1) if parts.count(":") == 2 else timedelta(minutes=1)


def days_before(day: datetime, count: int) -> datetime:
    """Midnight then, also where the clocks were changed between."""
    return datetime.combine(day.date() - timedelta(days=count), time(), tzinfo=day.tzinfo)


def months_before(day: datetime, count: int) -> datetime:
    """The same day of that month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    first_of_next = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=day.tzinfo)
    last = (first_of_next.date() - timedelta(days=1)).day
    return datetime(year, month + 1, min(day.day, last), tzinfo=day.tzinfo)
