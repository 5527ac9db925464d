"""By how much two clocks differ: the zones of two exports, as far as equal texts tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from application.matching.evidence import Anchor
from application.matching.match import Shift
from domain.clock import MINUTE, SECOND, distance

STEP = 15 * MINUTE  # zones are whole quarters of an hour apart
FARTHEST = 26 * 60 * MINUTE  # from UTC-12 to UTC+14
SHIFTS_KEPT = 6  # an export and the archive may each change to summer time, and travel
SWITCH = 4  # equal texts that have to speak for another shift, so that a few cannot
SLACKS = (0, SECOND, 2 * SECOND, 5 * SECOND)  # what servers and phones are apart
# A share of the texts that the slack has to explain. The others are repeated texts.
EXPLAINED = 0.98


class Supported(NamedTuple):
    """Anchors that one sequence of shifts explains."""

    anchors: list[Anchor]  # by time
    shifts: tuple[Shift, ...]
    slack: int  # microseconds


def explain(anchors: Sequence[Anchor]) -> Supported | None:
    """
    The sequence of shifts that explains most: it changes rarely, as clocks do.

    None if no shift has more than a coincidence on its side.
    """
    groups = [
        [(shift, anchor) for anchor in group if (shift := nearest_shift(anchor)) is not None]
        for _, group in groupby(sorted(anchors), key=lambda anchor: (anchor.at, anchor.text))
    ]
    groups = [group for group in groups if group]
    votes = Counter(shift for group in groups for shift in {shift for shift, _ in group})
    kept = [shift for shift, _ in sorted(votes.items(), key=by_votes)[:SHIFTS_KEPT]]
    if not kept:
        return None
    path = likeliest(groups, kept)
    found: list[Anchor] = []
    shifts: list[Shift] = []
    before = 0
    for group, shift in zip(groups, path, strict=True):
        supporting = [anchor for one, anchor in group if one == shift]
        if not supporting:
            continue
        # The nearest of a text that was said again soon.
        best = min(supporting, key=lambda anchor: abs(anchor.known_at - anchor.at - shift))
        minutes = shift // MINUTE
        if not shifts or shifts[-1].minutes != minutes:
            shifts.append(Shift(before, best.at, minutes))
        found.append(best)
        before = best.at
    if not found:
        return None
    return Supported(found, tuple(shifts), slack_of(found, shifts))


def by_votes(counted: tuple[int, int]) -> tuple[int, int]:
    shift, votes = counted
    return (-votes, abs(shift))


def nearest_shift(anchor: Anchor) -> int | None:
    """Microseconds, or None if no two zones explain the difference."""
    difference = anchor.known_at - anchor.at
    shift = round(difference / STEP) * STEP
    if abs(shift) > FARTHEST or off_by(anchor, shift) > allowed(anchor):
        return None
    return shift


def off_by(anchor: Anchor, shift: int) -> int:
    return distance(anchor.at + shift, anchor.unit, anchor.known_at, anchor.known_unit)


def allowed(anchor: Anchor) -> int:
    """Two clocks that show minutes, a second apart, can show different ones."""
    if anchor.unit == anchor.known_unit == MINUTE:
        return MINUTE
    return SLACKS[-1]


def likeliest(groups: Sequence[Sequence[tuple[int, Anchor]]], shifts: Sequence[int]) -> list[int]:
    """Viterbi's algorithm: each group speaks for some shifts, each change costs `SWITCH`."""
    scores = [0] * len(shifts)
    steps: list[list[int]] = []
    for group in groups:
        spoken = {shift for shift, _ in group}
        best = max(range(len(shifts)), key=lambda place: (scores[place], -place))
        came_from, gained = [], []
        for place, shift in enumerate(shifts):
            stays = scores[place] >= scores[best] - SWITCH
            came_from.append(place if stays else best)
            gained.append((scores[place] if stays else scores[best] - SWITCH) + (shift in spoken))
        steps.append(came_from)
        scores = gained
    place = max(range(len(shifts)), key=lambda place: (scores[place], -place))
    path: list[int] = []
    for came_from in reversed(steps):
        path.append(shifts[place])
        place = came_from[place]
    return path[::-1]


def slack_of(anchors: Sequence[Anchor], shifts: Sequence[Shift]) -> int:
    """The least that explains nearly all of them."""
    offs = []
    current = 0
    for anchor in anchors:
        while current + 1 < len(shifts) and shifts[current + 1].since <= anchor.at:
            current += 1
        offs.append(off_by(anchor, shifts[current].minutes * MINUTE))
    offs.sort()
    needed = offs[min(len(offs) - 1, int(len(offs) * EXPLAINED))]
    return next((slack for slack in SLACKS if slack >= needed), MINUTE)
