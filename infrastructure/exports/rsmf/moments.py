"""Times as RSMF has them: ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.message import Precision

_TIMESPECS = {"microsecond": "microseconds", "millisecond": "milliseconds"}


def written(at: datetime, precision: Precision = "second") -> str:
    """With as many digits as the precision has, and more where the time has more."""
    micros = at.microsecond
    timespec = _TIMESPECS.get(precision, "seconds")
    if timespec != "microseconds" and micros % 1000:
        timespec = "microseconds"
    elif timespec == "seconds" and micros:
        timespec = "milliseconds"
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
