"""A range of time as people give it: times, or whole days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
BLANK = re.compile(r"\d{4}-\d\d-\d\d[Tt ][\d:.]+ \d\d:\d\d", re.ASCII)
FORMS = "it must be a day, as in 2024-01-31, or a time with its offset, as in 2024-01-31T12:00:00Z"


def beginning(text: str) -> datetime:
    """
    The time, or where the day begins in UTC.

    Raises:
        ValueError: with a sentence that says what is possible.
    """
    return moment(text, timedelta(0))


def end(text: str) -> datetime:
    """
    The time, or where the day ends in UTC: what is to come before it includes that day.

    Raises:
        ValueError: with a sentence that says what is possible.
    """
    return moment(text, timedelta(days=1))


def moment(text: str, more: timedelta) -> datetime:
    try:
        if DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + more
        if TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"there is no such time; {FORMS}") from None
    if BLANK.fullmatch(text):
        raise ValueError("it has a space before its offset: in a URL, + is written %2B")
    raise ValueError(FORMS)


def require_order(since: datetime | None, until: datetime | None) -> None:
    """
    Raises:
        ValueError: if nothing can lie between them.
    """
    if since is not None and until is not None and since >= until:
        raise ValueError("until must be later than from: nothing lies between them")
