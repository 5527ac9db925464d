"""What a log says of itself before its messages are read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from application.ports.chat_reader import ExportFile
from infrastructure.readers.irc.codes import without_codes
from infrastructure.readers.irc.day_marks import day_mark, session_ident
from infrastructure.readers.irc.dialects import Choice, Dialect, choose
from infrastructure.readers.irc.events import channel_in
from infrastructure.readers.irc.stamps import read_date, split_stamp
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines, sniff_text

_LOOKED_AT = 12 * 1024  # bytes
_LINES = 100  # of which the dialect is chosen
_MORE_LINES = 5000  # if those do not decide it
_USUAL = frozenset("[(0123456789")
_MIDNIGHT = "[00:00"
_MARKS_KEPT = 100_000
_HALF_DAY = 12 * 60  # minutes
_WRAP = 9 * 60  # minutes that a clock of twelve hours goes back at noon and midnight, at least


class Beginning(NamedTuple):
    """What the first lines say."""

    choice: Choice | None  # None: it is no IRC log
    channel: str | None
    ident: str | None  # the channel or person in the head of a session, as mIRC writes it
    day: date | None


@dataclass(slots=True)
class Days:
    """How a file whose lines have only a time of day says which day it is."""

    marks: list[date] = field(default_factory=list)  # in the order of the lines
    before: date | None = None  # the day of what stands before the first of them
    are_told: bool = False  # whether each new day has a line of its own
    first: str | None = None  # time of day, as written
    is_twelve_hours: bool = False  # hours are never 13 or more, and go back at noon
    are_halves: bool = False  # of twelve hours, from midnight on and from noon on


def beginning_of(file: ExportFile) -> Beginning:
    lines = [line.removesuffix("\r") for line in sniff_text(file, _LOOKED_AT).split("\n")]
    if len(lines) > 1:
        lines.pop()  # cut off, or empty
    choice = choose(lines[:_LINES])
    if choice is None:
        return Beginning(None, None, None, None)
    places: Counter[str] = Counter()
    ident: str | None = None
    day: date | None = None
    for raw in lines:
        line = raw if raw.isprintable() else without_codes(raw)
        ident = ident or session_ident(line)
        if day is None:
            day = _day_of(line, choice.dialect)
        if choice.dialect.message.match(line) is None and (place := channel_in(line)):
            places[place] += 1
    channel = places.most_common(1)[0][0] if places else None
    return Beginning(choice, channel, ident, day)


def _day_of(line: str, dialect: Dialect) -> date | None:
    if (mark := day_mark(line)) is not None:
        return mark.day
    match = dialect.timed.match(line) if dialect.form == "dated" else None
    if match is None:
        return None
    try:
        year, month, day = read_date(split_stamp(match[1])[0])
        return None if year is None else date(year, month, day)
    except ValueError:
        return None


def choice_of(file: ExportFile) -> Choice | None:
    """From more lines than the first: some logs begin with long greetings of a server."""
    return choose(islice(read_lines(file, Repairs()), _MORE_LINES))


def days_of(file: ExportFile, dialect: Dialect) -> Days:
    """Read the whole file once; memory stays small."""
    found = Days()
    hours = _Hours(are_settled=dialect.form != "clock")
    last: str | None = None  # with the minute: the seconds decide nothing
    for line in read_lines(file, Repairs()):
        head = line[:6]
        if head == last:
            continue
        # Only eggdrop has a time in front of a mark, which is that of midnight.
        is_usual = line[:1] in _USUAL and head != _MIDNIGHT
        last = head if is_usual else None
        if not is_usual and (mark := day_mark(line)) is not None:
            found.are_told |= mark.kind == "day"
            hours.are_settled = True  # clients that write such lines have 24 hours
            if found.before is None:
                found.before = mark.day - timedelta(days=1) if mark.kind == "day" else mark.day
            if len(found.marks) < _MARKS_KEPT:
                found.marks.append(mark.day)
        elif not (hours.are_settled and found.first):
            match = dialect.timed.match(line)
            if match is not None:
                found.first = found.first or match[1]
                if not hours.are_settled:
                    hours.add(match[1])
    found.is_twelve_hours = not hours.are_settled and hours.goes_back
    found.are_halves = found.is_twelve_hours and hours.wraps == 1 and hours.begins_at_midnight
    return found


class _Hours:
    """Whether the clock is one of twelve hours without am and pm."""

    def __init__(self, *, are_settled: bool) -> None:
        self.are_settled = are_settled
        self.goes_back = False  # as written
        self.wraps = 0  # of the hour hand, from 11:59 on
        self.begins_at_midnight = False
        self._last: int | None = None  # minutes of the hour hand
        self._written = 0
        self._noon: int | None = None  # a clock of twelve hours calls it 12 or 0, not both

    def add(self, stamp: str) -> None:
        """A time of day of the form that dialects call "clock"."""
        hour_written, _, rest = stamp.partition(":")
        hour = int(hour_written)
        if hour > 12 or stamp[-1] in "mM.":
            self.are_settled = True
            return
        if hour in (0, 12):
            self.are_settled = self._noon not in (None, hour)
            self._noon = hour
        written = hour * 60 + int(rest[:2])
        minutes = written % _HALF_DAY
        if self._last is None:
            self.begins_at_midnight = minutes < 60
        else:
            self.wraps += self._last - minutes >= _WRAP
            self.goes_back |= self._written - written >= _WRAP
        self._last, self._written = minutes, written
