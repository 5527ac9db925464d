"""Chats to be exported: drawn by hypothesis, or made from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from tests.support.renderings import Line

VOCABULARY = (
    "harbour boat weather dinner maybe tomorrow remember ticket train station coffee garden "
    "neighbour window music concert holiday passport kitchen breakfast bicycle mountain river "
    "letter market doctor birthday present umbrella winter summer question answer bridge"
)
WORDS = tuple(VOCABULARY.split())
SHORT = ("ok", "haha", "yes", "no", "👍", "where?", "lol", "see you")
PEOPLE = ("Ada", "Bob", "Cem", "Dee")
# Days above 12 tell which number is the day.
STARTED = datetime(2024, 5, 13, 8, 0, tzinfo=UTC)
PAUSES = (1, 4, 15, 40, 90, 600, 7_200, 40_000)  # seconds


def small_talk(
    seed: int,
    count: int,
    *,
    short: float = 0.3,
    photos: float = 0.05,
    people: Sequence[str] = PEOPLE,
    started: datetime = STARTED,
) -> list[Line]:
    """As people talk: some longer texts, many short ones, several in a minute, pauses."""
    draw = random.Random(seed)
    at, lines = started, []
    for _ in range(count):
        at += timedelta(seconds=draw.choice(PAUSES))
        kind = draw.random()
        text: str | None = " ".join(draw.choices(WORDS, k=draw.randint(3, 9)))
        if kind < photos:
            text = None
        elif kind < photos + short:
            text = draw.choice(SHORT)
        lines.append(Line(draw.choice(people), at, text))
    return lines


@st.composite
def splits(draw: st.DrawFn, count: int, overlap: int = 30) -> list[slice]:
    """Parts that cover everything and overlap by so much at least, in any order."""
    return list(draw(st.permutations(draw(parts_of(count, overlap)))))


@st.composite
def growing_splits(draw: st.DrawFn, count: int, overlap: int = 30) -> list[slice]:
    """The same in orders in which each part overlaps with what those before it have told."""
    parts = draw(parts_of(count, overlap))
    first = last = draw(st.integers(0, len(parts) - 1))
    ordered = [parts[first]]
    while len(ordered) < len(parts):
        if last == len(parts) - 1 or (first > 0 and draw(st.booleans())):
            first -= 1
            ordered.append(parts[first])
        else:
            last += 1
            ordered.append(parts[last])
    return ordered


@st.composite
def parts_of(draw: st.DrawFn, count: int, overlap: int) -> list[slice]:
    cuts = draw(st.lists(st.integers(overlap, count - overlap), max_size=3))
    edges = [0, *sorted(cuts), count]
    return [
        slice(max(0, first - overlap), min(count, last + overlap))
        for first, last in pairwise(edges)
        if last > first
    ]
