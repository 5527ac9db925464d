"""What was decided about a conversation of an export, as it is recorded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from domain.clock import MINUTE


class Shift(NamedTuple):
    """
    From `since` on the archive's clock is so many minutes ahead of the export's.

    Between `earliest` and `since` nothing tells which of two shifts holds: both are tried.
    """

    earliest: int  # microseconds since 1970, by the export's clock; the first shift's do not matter
    since: int
    minutes: int


NO_SHIFT = (Shift(0, 0, 0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One conversation of an export is one that the archive has."""

    own: UUID  # what the conversation would be, by its source's id
    into: UUID
    authors: Mapping[UUID, UUID]  # by the export's source ids -> in the archive
    shifts: tuple[Shift, ...] = NO_SHIFT
    slack: int = 0  # microseconds that the clocks of the two differ otherwise
    joins: tuple[UUID, ...] = ()  # further conversations of the archive that tell the same chat
    rule: str = field(compare=False)  # in words, without anything personal

    @property
    def is_foreign(self) -> bool:
        return self.own != self.into

    def moments(self, at: int) -> tuple[int, ...]:
        """What the archive's clock can have shown; the likeliest first."""
        if len(self.shifts) == 1:
            return (at + self.shifts[0].minutes * MINUTE,)
        place = max(0, bisect_right(self.shifts, at, key=lambda shift: shift.since) - 1)
        found = [at + self.shifts[place].minutes * MINUTE]
        if place + 1 < len(self.shifts) and self.shifts[place + 1].earliest <= at:
            found.append(at + self.shifts[place + 1].minutes * MINUTE)
        return tuple(found)

    def key(self, key: str) -> str:
        """Of a message that only the export has: other exporters may use the same keys."""
        return f"{self.own.hex[:12]}:{key}" if self.is_foreign else key

    def to_fact(self) -> dict[str, Any]:
        return {
            "own": str(self.own),
            "into": str(self.into),
            "authors": {str(own): str(into) for own, into in self.authors.items()},
            "shifts": [list(shift) for shift in self.shifts],
            "slack": self.slack,
            "joins": [str(id) for id in self.joins],
            "rule": self.rule,
        }

    @classmethod
    def from_fact(cls, fact: Mapping[str, Any]) -> Match:
        return cls(
            own=UUID(fact["own"]),
            into=UUID(fact["into"]),
            authors={UUID(own): UUID(into) for own, into in fact["authors"].items()},
            shifts=tuple(Shift(*shift) for shift in fact["shifts"]),
            slack=fact["slack"],
            joins=tuple(map(UUID, fact.get("joins", ()))),
            rule=fact["rule"],
        )
