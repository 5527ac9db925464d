"""Times as a log writes them become moments: most lines have no date, some no year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import NamedTuple

from domain.message import Precision, Zone
from infrastructure.readers.irc.day_marks import DayMark
from infrastructure.readers.irc.places import NamedDay
from infrastructure.readers.irc.stamps import StampForm, TimeOfDay, read_date, split_stamp
from infrastructure.readers.irc.survey import Days
from infrastructure.readers.local_time import LocalClock, from_epoch

NO_DAY = date(1970, 1, 1)
NO_YEAR = 1972  # has a 29th of February
_SECONDS = [timedelta(seconds=second) for second in range(61)]
_DAY = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_MINUTES = 24 * 60
_SET_BACK = 90  # minutes: a clock that is set right, or the end of summer time
_DISORDER = 5  # minutes: lines around midnight that are not in order
_DISORDERLY_DAYS = timedelta(days=2)
_NEARLY_A_YEAR = timedelta(days=360)
_LEAP_YEARS = 9  # the longest time without a 29th of February is eight years


class Moment(NamedTuple):
    at: datetime  # UTC
    written: str  # local, as it goes into a content key
    precision: Precision
    zone: Zone


class LogClock:
    """
    The day of each line of one file.

    Lines that state it are believed. Else the day is that of the last line about days, or of the
    file's name, and a time of day that is earlier than that of the line before means the next
    day, unless

    * it is earlier by an hour and a half or less: somebody set the clock;
    * each new day has a line of its own in this file;
    * the next line about days says that it is not over;
    * the file is named after one day and has run on into the next already;
    * the clock is one of twelve hours, and it goes back at noon.
    """

    def __init__(
        self, form: StampForm | None, named: NamedDay | None, days: Days, clock: LocalClock
    ) -> None:
        self.lacks_day = False  # once a day was needed that nothing states
        self.lacks_year = False
        self._form = form
        self._clock = clock
        self._days = days
        self._marks_passed = 0
        self._day = self._begin(named)
        self.first_day = self._day
        self._is_of_one_day = named is not None and named.day is not None and not days.marks
        self.is_whole_day = self._is_of_one_day and days.are_halves
        self._nights = 0  # midnights passed without a line about it
        self._is_afternoon = False
        self._is_stated = self._is_of_one_day or days.before is not None
        self._year = named.year if named else days.before.year if days.before else None
        self._last: int | None = None  # minutes since midnight
        self._date: str | None = None
        self._is_under_way = self._is_stated  # whether the day is that of a line, or near it
        self._minutes: dict[int, datetime] = {}
        self._before = _EARLIEST  # the minute of the line before
        self._day_written = self._day.isoformat()

    def _begin(self, named: NamedDay | None) -> date:
        if named is not None and (named.day is not None or self._days.before is None):
            try:
                return date(named.year, named.month or 1, named.day or 1)
            except ValueError:
                return self._days.before or NO_DAY
        return self._days.before or NO_DAY

    def mark(self, mark: DayMark) -> None:
        """A line about days was passed."""
        self._marks_passed += 1
        self._is_stated = self._is_under_way = True
        self._year = mark.day.year
        self._nights = 0
        self._last = self._date = None
        self._turn_to(mark.day)

    def moment(self, stamp: str) -> Moment:
        """
        Raises:
            ValueError, OverflowError: if there is no such time.
        """
        if self._form == "epoch":
            return Moment(from_epoch(int(stamp)), stamp, "second", "stated")
        if self._form is None:
            self.lacks_day |= not self._is_stated
            return Moment(self._minute(0, 0), self._day_written, "day", self._clock.zone)
        written, time = split_stamp(stamp)
        if self._form == "clock":
            time = self._run(time)
        elif written != self._date:
            self._turn_to_written(written)
            self._date = written
        return self._place(time)

    def _turn_to(self, day: date) -> None:
        if day != self._day:
            self._day = day
            self._minutes.clear()
            self._day_written = day.isoformat()

    def _turn_to_written(self, text: str) -> None:
        year, month, day = read_date(text)
        self._turn_to(self._in_order(month, day) if year is None else date(year, month, day))
        self._is_under_way = True

    def _in_order(self, month: int, day: int) -> date:
        """The day without a year that does not lie before the one before, but for disorder."""
        if self._year is None:
            self._year = NO_YEAR
            self.lacks_year = True
        for year in range(self._year, self._year + _LEAP_YEARS):
            try:
                found = date(year, month, day)
            except ValueError:
                continue
            if found + _DISORDERLY_DAYS >= self._day:
                is_before = self._is_under_way and found - self._day > _NEARLY_A_YEAR
                if is_before and year == self._year:
                    return date(year - 1, month, day)
                self._year = year
                return found
        raise ValueError(f"there is no day {day} in month {month}")

    def _run(self, time: TimeOfDay) -> TimeOfDay:
        self.lacks_day |= not self._is_stated
        minutes = time.hour * 60 + time.minute
        last, self._last = self._last, minutes
        if self.is_whole_day:
            return self._of_two_halves(time, last)
        if last is None:
            return time
        if minutes < last:
            if self._is_night(last - minutes):
                self._nights += 1
                self._turn_to(self._day + _DAY)
        elif self._nights and last <= _DISORDER and minutes >= _MINUTES - _DISORDER:
            self._nights -= 1
            self._turn_to(self._day - _DAY)
        return time

    def _is_night(self, back: int) -> bool:
        """Whether the clock went back, by so many minutes, because a day is over."""
        if back <= _SET_BACK or self._days.are_told or self._days.is_twelve_hours:
            return False
        if self._is_of_one_day:
            return self._nights == 0
        marks = self._days.marks
        return self._marks_passed >= len(marks) or marks[self._marks_passed] > self._day

    def _of_two_halves(self, time: TimeOfDay, last: int | None) -> TimeOfDay:
        hour = time.hour % 12
        minutes = hour * 60 + time.minute
        self._last = minutes
        if last is not None and last - minutes > _SET_BACK:
            self._is_afternoon = True
        return time._replace(hour=hour + 12 if self._is_afternoon else hour)

    def _place(self, time: TimeOfDay) -> Moment:
        second = time.second or 0
        if time.offset is None:
            minute, zone = self._minute(time.hour, time.minute), self._clock.zone
        else:
            local = datetime.combine(self._day, clock_time(time.hour, time.minute), UTC)
            minute, zone = local - timedelta(minutes=time.offset), "stated"
        written = f"{self._day_written}T{time.hour:02}:{time.minute:02}"
        if time.second is None:
            return Moment(minute, written, "minute", zone)
        at = minute + _SECONDS[second]
        if not time.digits:
            return Moment(at, f"{written}:{second:02}", "second", zone)
        precision: Precision = "millisecond" if time.digits <= 3 else "microsecond"
        at += timedelta(microseconds=time.microsecond)
        return Moment(at, f"{written}:{second:02}.{time.microsecond:06}", precision, zone)

    def _minute(self, hour: int, minute: int) -> datetime:
        key = hour * 60 + minute
        found = self._minutes.get(key)
        if found is None or found < self._before:
            local = datetime.combine(self._day, clock_time(hour, minute))
            found = self._minutes[key] = self._clock.utc_after(local, self._before)
        self._before = found
        return found
