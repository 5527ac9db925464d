"""Single values of Signal's export, which is protobuf's JSON."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_EXACT = 4_000_000_000_000  # below, in the year 2096, a float of seconds is exact enough
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999
_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def number(value: Any) -> int:
    """
    Numbers of 64 bits are written as text.

    Raises:
        ValueError, TypeError: if it is no whole number.
    """
    if isinstance(value, str):
        if not value.isdecimal() or len(value) > 20:
            raise ValueError(f"{value[:40]!r} is no number")
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a {type(value).__name__} is no number")
    return value


def moment(milliseconds: int) -> datetime:
    """
    Raises:
        OverflowError: outside the years 1970 to 9999.
    """
    if 0 <= milliseconds < _EXACT:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    if not 0 <= milliseconds <= _LAST_MILLISECOND:
        raise OverflowError(f"{milliseconds} milliseconds since 1970 are no time of ours")
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def service_id(value: Any) -> str | None:
    """
    Who somebody is for Signal's servers: an ACI as a UUID, a PNI with its prefix. They are
    written as bytes in base64, of 16 bytes, or of 17 where a prefix says which of the two it is.
    """
    if not isinstance(value, str) or len(value) > 50:
        return None
    try:
        if len(value) == 36:
            return str(UUID(value))
        raw = b64decode(value, validate=True)
    except ValueError:
        return None
    if len(raw) == 16:
        return str(UUID(bytes=raw))
    if len(raw) == 17 and raw[0] <= 1:
        return f"{'PNI:' if raw[0] else ''}{UUID(bytes=raw[1:])}"
    return None


def phone_number(value: Any) -> str | None:
    """E.164 with its plus sign, which the export leaves out; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value).removeprefix("+")
    return f"+{digits}" if digits.isdigit() and 1 < len(digits) <= 20 else None


def text_of(raw: Any, key: str) -> str:
    """The text under a key; empty for anything that is none."""
    value = raw.get(key) if isinstance(raw, dict) else None
    return value if isinstance(value, str) else ""


def span_in_words(milliseconds: int) -> str:
    """A time span in its largest whole unit: “4 weeks”, “90 seconds”."""
    seconds = milliseconds // 1000
    for name, length in _UNITS:
        if seconds >= length and seconds % length == 0:
            count = seconds // length
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"
