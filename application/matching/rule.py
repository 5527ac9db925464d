"""The rule that was used, in words that a person can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from application.matching.clocks import Supported
from application.matching.match import Shift
from domain.clock import SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHIFTS_TOLD = 3

KEPT_APART = "kept apart, as asked for"
AS_BEFORE = "an earlier export of the same conversation was merged into it"


def told(supported: Supported, same: int, of: int, people: int) -> str:
    texts = f"{same:,} of {of:,} longer texts in the common time are the same"
    who = f" and come from the same {people:,} people" if people > 1 else ""
    slack = ""
    if supported.slack:
        slack = f", give or take {supported.slack // SECOND} s"
    return f"{texts}{who}, {apart(supported.shifts)}{slack}"


def joined(rule: str, others: int) -> str:
    """Where the archive has the chat in several parts, of which no two overlapped until now."""
    what = "another conversation" if others == 1 else f"{others:,} other conversations"
    return f"{rule}; {what} of the archive becomes one with it, and what brought it is read again"


def apart(shifts: tuple[Shift, ...]) -> str:
    if len(shifts) == 1:
        return "at the same time" if not shifts[0].minutes else f"{hours(shifts[0].minutes)} apart"
    parts = [hours(shifts[0].minutes)]
    for shift in shifts[1:SHIFTS_TOLD]:
        day = EPOCH + timedelta(microseconds=shift.since)
        parts.append(f"{hours(shift.minutes)} from {day:%Y-%m-%d} on")
    more = len(shifts) - SHIFTS_TOLD
    rest = f", and {more} more changes of clocks" if more > 0 else ""
    return f"apart by {', '.join(parts)}{rest}"


def hours(minutes: int) -> str:
    whole, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else ""
    if rest:
        return f"{sign}{whole}:{rest:02} hours"
    return f"{sign}{whole} hour{'' if whole == 1 else 's'}"
