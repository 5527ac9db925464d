"""Discord's ids: each holds the millisecond in which it was given."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_FIRST = 10**15  # of the third day after Discord's epoch; smaller numbers are no snowflakes
_END = 2**63
_RUNS = 64
_RUN = 65_536  # ids
_WINDOW = 65_536
_LONGEST = 64  # characters; of longer ids a hash is remembered


def id_of(value: Any) -> str | None:
    """An id as text: exporters write strings, tools that rewrite their files write numbers."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def moment_of(id: str | None) -> datetime | None:
    """When the id was given, in UTC and exact to the millisecond; None if it is no snowflake."""
    number = _number(id) if id else None
    if number is None or number < _FIRST:
        return None
    return _EPOCH + timedelta(milliseconds=number >> 22)


def _number(id: str) -> int | None:
    if len(id) > 19 or not (id.isascii() and id.isdigit()) or (id[0] == "0" and id != "0"):
        return None
    number = int(id)
    return number if number < _END else None


class _Run:
    """Ids in one direction, as they mostly come: eight bytes each."""

    def __init__(self, first: int) -> None:
        self._sign = 1
        self._ids = array("q", (first,))

    def __contains__(self, number: int) -> bool:
        value = number * self._sign
        ids = self._ids
        if not ids[0] <= value <= ids[-1]:
            return False
        return ids[bisect_left(ids, value)] == value

    def add(self, number: int) -> bool:
        """Whether it goes on in this run's direction, and has room; a run of one has none yet."""
        ids = self._ids
        if len(ids) == 1 and number < ids[0]:
            self._sign = -1
            ids[0] = -ids[0]
        value = number * self._sign
        if value <= ids[-1] or len(ids) >= _RUN:
            return False
        ids.append(value)
        return True


class SeenIds:
    """
    The messages of a channel that were read already.

    Ids come in order, or in the order of a few overlapping files. The latest are remembered: four
    million in order (32 MiB), fewer of those in disorder and of those that are no snowflakes.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._others: OrderedDict[str, None] = OrderedDict()

    def add(self, id: str) -> bool:
        """False if it was there."""
        number = _number(id)
        if number is None:
            return self._add_other(id)
        runs = self._runs
        if len(runs) == 1 and runs[0].add(number):
            return True
        for run in runs:
            if number in run:
                return False
        if not runs or not runs[-1].add(number):
            runs.append(_Run(number))
            if len(runs) > _RUNS:
                del runs[0]
        return True

    def _add_other(self, id: str) -> bool:
        if len(id) > _LONGEST:
            id = sha256(id.encode("utf-8", "replace")).hexdigest()
        if id in self._others:
            return False
        self._others[id] = None
        if len(self._others) > _WINDOW:
            self._others.popitem(last=False)
        return True
