"""Times without a zone, as most exports show them, become UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from domain.message import Zone

_LAST_SECOND = 253_402_300_799  # of the year 9999
# To add what lies between two naive times is many times faster than to replace a tzinfo.
_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001 - naive, as local times are
_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_KEPT = 10_000


def from_epoch(seconds: int) -> datetime:
    """
    Raises:
        OverflowError: outside the years 1970 to 9999.
    """
    if not 0 <= seconds <= _LAST_SECOND:
        raise OverflowError(f"{seconds} seconds since 1970 are no time of ours")
    return datetime.fromtimestamp(seconds, UTC)


class Clock(Protocol):
    """What turns the local times of a file into UTC."""

    @property
    def zone(self) -> Zone: ...

    def utc(self, local: datetime, /) -> datetime: ...


class LocalClock:
    """The zone of a file's local times: the one the person named, else UTC as an assumption."""

    def __init__(self, options: ReadOptions, facts: ReadFacts, *, file: str) -> None:
        """
        Raises:
            UnreadableExportError: if the zone has no such name.
        """
        name = options.timezone
        self.zone: Zone = "assumed" if name is None else "stated"
        self._tzinfo: tzinfo = UTC
        if name is not None and name.upper() not in {"UTC", "Z"}:
            try:
                self._tzinfo = ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                reason = f"there is no time zone {name!r}; use a name such as Europe/Berlin"
                raise UnreadableExportError(file=file, reason=reason) from error
        facts.timezone = name or "UTC"
        self._is_utc = self._tzinfo is UTC
        # Day -> 1970 on the clocks of that day; None if they are changed on it.
        self._days: dict[int, datetime | None] = {}

    def utc(self, local: datetime, /) -> datetime:
        """
        Of the two moments that share a local time when clocks go back, the first, unless `fold`
        says the second.

        Raises:
            OverflowError: at the edges of the calendar.
        """
        if self._is_utc:
            return _UTC + (local - _LOCAL)
        day = local.toordinal()
        begin = self._days[day] if day in self._days else self._learn(local)
        if begin is not None:
            return begin + (local - _LOCAL)
        return local.replace(tzinfo=self._tzinfo).astimezone(UTC)

    def utc_after(self, local: datetime, before: datetime | None) -> datetime:
        """
        As `utc`, but of two moments that share a local time the second, if the first lies before
        the moment of the line before: for files whose lines are in order.

        Args:
            before: None if there is no line before.
        """
        if self._is_utc:
            return _UTC + (local - _LOCAL)
        at = self.utc(local)
        if before is None or at >= before:
            return at
        if self._days[local.toordinal()] is not None:
            return at
        again = self.utc(local.replace(fold=1))
        # Within the second hour lines may be in slight disorder; beyond it, it explains nothing.
        return again if before < again + (again - at) else at

    def _learn(self, local: datetime) -> datetime | None:
        """Whether clocks are changed on a day, and if not, how far they are from UTC."""
        first, last = (datetime.combine(local, edge, self._tzinfo) for edge in (time.min, time.max))
        offset = first.utcoffset()
        others = (first.replace(fold=1), last, last.replace(fold=1))
        is_steady = offset is not None and all(one.utcoffset() == offset for one in others)
        begin = _UTC - offset if offset is not None and is_steady else None
        if len(self._days) >= _DAYS_KEPT:
            self._days.clear()
        self._days[local.toordinal()] = begin
        return begin


class LineClock:
    """The clock of one file whose lines are in order: it remembers the moment of the last one."""

    def __init__(self, clock: LocalClock) -> None:
        self.zone = clock.zone
        self._clock = clock
        self._before: datetime | None = None

    def utc(self, local: datetime, /) -> datetime:
        """As LocalClock.utc_after, after the moment before."""
        self._before = self._clock.utc_after(local, self._before)
        return self._before
