"""What a request or a job did, for its line to say: how far the log has come by it, and more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Reached:
    position: int | None = None  # of the last event; None: nothing was recorded
    facts: dict[str, Any] = field(default_factory=dict)  # besides, by name


CURRENT: ContextVar[Reached | None] = ContextVar("reached", default=None)


@contextmanager
def reached() -> Iterator[Reached]:
    """Around a request or a job. Threads that it is carried out in write to the same place."""
    found = Reached()
    token = CURRENT.set(found)
    try:
        yield found
    finally:
        CURRENT.reset(token)


def note_position(position: int) -> None:
    """An event was recorded for whatever is being done now."""
    found = CURRENT.get()
    if found is not None:
        found.position = max(position, found.position or 0)


def note_facts(facts: Mapping[str, Any]) -> bool:
    """For the line of whatever is being done now. False: nothing that will have a line is."""
    found = CURRENT.get()
    if found is None:
        return False
    found.facts.update(facts)
    return True
