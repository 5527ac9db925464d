"""Waits for what other threads and processes do, without sleeping longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    predicate: Callable[[], T], timeout_seconds: float = 10.0, *, interval_seconds: float = 0.02
) -> T:
    """The first true answer. Fails with the last one if none comes in time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s; at last it was {answer!r}")
        time.sleep(interval_seconds)
