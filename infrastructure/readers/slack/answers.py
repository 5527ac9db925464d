"""Answers that lie inside of their thread's first message, told when their time has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.reading import MALFORMED
from infrastructure.readers.slack.messages import moment

KEY = "slackdump_thread_replies"
_HELD_BYTES = 8 * MEBIBYTE  # parsed, some three times as much
_HELD_ANSWERS = 50_000

Numbered = tuple[int, Any]  # the element that a message stands in, and the message


class Answers:
    """Beyond what may be held, the earliest are told before their time has come."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, int, int, int, Any]] = []
        self._size = 0  # bytes
        self._count = 0

    def of(self, raw: Any) -> list[Any]:
        """
        Take its answers out of a message, without itself, which may be repeated as the first.
        All are given what tells their thread.
        """
        if not isinstance(raw, dict) or not isinstance(raw.get(KEY), list):
            return []
        root = raw.get("ts")
        thread = raw.get("thread_ts") or root
        answers: list[Any] = []
        for one in raw.pop(KEY):
            if isinstance(one, dict):
                if one.get("ts") == root:
                    continue
                one["thread_ts"] = one.get("thread_ts") or thread
            answers.append(one)
        if answers:
            raw["thread_ts"] = thread
        return answers

    def hold(self, element: int, answers: list[Any], size: int) -> Iterator[Numbered]:
        """
        Keep answers until their time; yields those that cannot wait.

        Args:
            size: bytes of the message that they stand in.
        """
        for one in answers:
            at = _time(one)
            if at is None:
                yield element, one  # which is told of as malformed
                continue
            self._count += 1
            share = size // len(answers)
            self._size += share
            heappush(self._waiting, (at, self._count, share, element, one))
        while self._size > _HELD_BYTES or len(self._waiting) > _HELD_ANSWERS:
            yield self._next()

    def before(self, raw: Any) -> Iterator[Numbered]:
        """Those that are earlier than a message."""
        at = _time(raw) if self._waiting else None
        while at is not None and self._waiting and self._waiting[0][0] < at:
            yield self._next()

    def all(self) -> Iterator[Numbered]:
        while self._waiting:
            yield self._next()

    def _next(self) -> Numbered:
        _, _, share, element, raw = heappop(self._waiting)
        self._size -= share
        return element, raw


def _time(raw: Any) -> datetime | None:
    try:
        return moment(raw["ts"])
    except MALFORMED:
        return None
