"""Times as DiscordChatExporter writes them: ISO, or as the exporting computer's language has it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from application.ports.chat_reader import DateOrder
from domain.message import Precision, Zone
from infrastructure.readers.date_order import DateOrderVotes
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.stamps import numeric_fields, parse_stamp

_LONGEST = 60  # characters
_ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e]")
_BULGARIAN_YEAR = re.compile(r"\s?г\.,?")
_CJK_DATE = re.compile(r"(\d{2,4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
_AM = r"上午|午前|오전|凌晨|早上|πμ|π\.μ\.|öö|ÖÖ|vorm\.|fm|de\.|dop\.|SA|ص"
_PM = r"下午|午後|오후|中午|晚上|μμ|μ\.μ\.|ös|ÖS|nachm\.|em|du\.|odp\.|CH|م"
_HALF = re.compile(rf"\s?(?<!\w)(?:({_AM})|({_PM}))\s?(?!\w*[^\W\d])")
_AMERICAN = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4},?\s+\d{1,2}:\d{2}(?::\d{2})?\s?[AP]M")


class Moment(NamedTuple):
    at: datetime  # UTC
    precision: Precision
    zone: Zone


def stated_moment(written: str) -> Moment:
    """
    An ISO time with an offset, as JSON has it.

    Raises:
        TypeError, ValueError, OverflowError: if it is none, or one before 1970.
    """
    at = datetime.fromisoformat(written)
    if at.tzinfo is None or at.year < 1970:
        raise ValueError(f"{written[:40]!r} has no offset, or is before 1970")
    at = at.astimezone(UTC)
    return Moment(at, _precision(written, at), "stated")


def local_moment(written: str, clock: LocalClock) -> Moment:
    """
    An ISO time without an offset.

    Raises:
        TypeError, ValueError, OverflowError: if it is none, or one before 1970.
    """
    local = datetime.fromisoformat(written)
    if local.tzinfo is not None or local.year < 1970:
        raise ValueError(f"{written[:40]!r} has an offset, or is before 1970")
    at = clock.utc(local)
    return Moment(at, _precision(written, at), clock.zone)


def _precision(written: str, at: datetime) -> Precision:
    if at.microsecond:
        return "microsecond" if at.microsecond % 1000 else "millisecond"
    if len(written) < 16:
        return "day"
    return "second" if written[16:17] == ":" else "minute"


def normalised(written: str) -> str:
    """With AM or PM at the end, and dates in numbers, whatever the language."""
    text = _MARKS.sub("", written).strip()
    if len(text) > _LONGEST:
        return text
    text = _CJK_DATE.sub(r"\1/\2/\3", _BULGARIAN_YEAR.sub("", text))
    match = _HALF.search(text)
    if match is None:
        return text
    return f"{_HALF.sub(' ', text, count=1).strip()} {'AM' if match[1] else 'PM'}"


def is_time(written: str) -> bool:
    """A date and a clock, as stand before each message of a text file."""
    if len(written) > _LONGEST or written.isdigit():
        return False
    text = normalised(written)
    for order in _ORDERS:
        try:
            return parse_stamp(text, order, None).precision != "day"
        except (ValueError, OverflowError):
            continue
    return False


class Dates:
    """Reads the times of one file, whose days and months come in one order."""

    def __init__(self, order: DateOrder, clock: LocalClock) -> None:
        self._order: DateOrder = order
        self._clock = clock
        self._last: tuple[str, Moment] | None = None

    def read(self, written: str) -> Moment:
        """
        Raises:
            ValueError, OverflowError: if it is no time between 1970 and 9999.
        """
        # Without seconds many messages in a row have the same time.
        if self._last is not None and self._last[0] == written:
            return self._last[1]
        moment = self._parse(written)
        self._last = written, moment
        return moment

    def _parse(self, written: str) -> Moment:
        try:
            return stated_moment(written)
        except ValueError:
            # Not ISO, or ISO without an offset.
            stamp = parse_stamp(normalised(written), self._order, self._clock)
        return Moment(stamp.at, stamp.precision, stamp.zone)


def decided_order(times: Iterable[str]) -> tuple[DateOrder | None, str | None]:
    """
    Which number is the day, over all times of a file, and in words why that is not certain.

    The order is None where the times leave nothing to decide.
    """
    votes = DateOrderVotes()
    is_american = False
    for written in times:
        fields = None if written[4:5] == "-" else numeric_fields(normalised(written))
        if fields is not None:
            votes.add(*fields)
            is_american = is_american or _AMERICAN.fullmatch(written) is not None
    if not votes:
        return None, None
    order, doubt = votes.decide()
    if doubt is not None and is_american:
        return "mdy", "so it is usual where a clock has AM and PM"
    return order, doubt
