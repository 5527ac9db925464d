"""How exactly a time is told, and when two times told differently can be the same moment."""

from __future__ import annotations

from collections.abc import Mapping

SECOND = 1_000_000  # microseconds
MINUTE = 60 * SECOND

# What a told time leaves open: it stands for every moment from it to so many microseconds later.
UNITS: Mapping[str, int] = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": SECOND,
    "minute": MINUTE,
    "day": 86_400 * SECOND,
}


def distance(one: int, one_unit: int, other: int, other_unit: int) -> int:
    """
    Microseconds that two told times are apart at least; 0 if they can be the same moment.

    Exporters cut off what they do not tell, minutes and days. Of what is below a second some round
    instead: there the next one is as good.
    """
    coarser = max(one_unit, other_unit)
    if one_unit == other_unit:
        return abs(one - other)
    if coarser <= SECOND:
        return max(0, abs(one - other) - coarser)
    coarse, fine = (one, other) if one_unit > other_unit else (other, one)
    if fine < coarse:
        return coarse - fine
    return max(0, fine - (coarse + coarser - 1))
