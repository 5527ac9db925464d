"""Times without a zone, as most exports show them, become UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from domain.message import Zone

_LAST_SECOND = 253_402_300_799  # of the year 9999


def from_epoch(seconds: int) -> datetime:
    """
    Raises:
        OverflowError: outside the years 1970 to 9999.
    """
    if not 0 <= seconds <= _LAST_SECOND:
        raise OverflowError(f"{seconds} seconds since 1970 are no time of ours")
    return datetime.fromtimestamp(seconds, UTC)


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

    def utc(self, local: datetime) -> datetime:
        """
        Of the two moments that share a local time when clocks go back, the first.

        Raises:
            OverflowError: at the edges of the calendar.
        """
        return local.replace(tzinfo=self._tzinfo).astimezone(UTC)
