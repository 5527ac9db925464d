"""Which of three numbers is the day: decided over all dates of a file, never line by line."""

from __future__ import annotations

from application.ports.chat_reader import DateOrder

# Positions of year, month and day.
POSITIONS: dict[DateOrder, tuple[int, int, int]] = {
    "ymd": (0, 1, 2),
    "dmy": (2, 1, 0),
    "mdy": (2, 0, 1),
}

Triple = tuple[int, int, int]


def place(fields: Triple, order: DateOrder) -> Triple:
    """Year, month, day. Two digits of a year mean 20xx."""
    year, month, day = (fields[index] for index in POSITIONS[order])
    return (year + 2000 if year < 100 else year, month, day)


class DateOrderVotes:
    """Counts, in one pass over a file, what speaks for each order."""

    def __init__(self) -> None:
        self._count = 0
        self._impossible: dict[DateOrder, int] = dict.fromkeys(POSITIONS, 0)
        self._backwards: dict[DateOrder, int] = dict.fromkeys(POSITIONS, 0)
        self._changes = [0, 0, 0]
        self._last: tuple[Triple, Triple] | None = None

    def add(self, fields: Triple, clock: Triple = (0, 0, 0)) -> None:
        """One date as three numbers in the file's order, and the time of day with it."""
        self._count += 1
        last, self._last = self._last, (fields, clock)
        if last is not None and last[0] == fields:
            if clock < last[1]:
                for order in POSITIONS:
                    self._backwards[order] += 1
            return
        self._add_evidence(fields)
        if last is None:
            return
        old, old_clock = last
        for index in range(3):
            self._changes[index] += fields[index] != old[index]
        for order in POSITIONS:
            if (place(fields, order), clock) < (place(old, order), old_clock):
                self._backwards[order] += 1

    def _add_evidence(self, fields: Triple) -> None:
        if max(fields) <= 12:
            return
        for order, positions in POSITIONS.items():
            if fields[positions[1]] > 12 or fields[positions[2]] > 31:
                self._impossible[order] += 1

    def __bool__(self) -> bool:
        return self._count > 0

    def decide(self) -> tuple[DateOrder, str | None]:
        """The order, and in words why it is not certain (None: it is)."""
        least = min(self._impossible.values())
        left = [order for order, count in self._impossible.items() if count == least]
        if "ymd" in left and len(left) > 1:
            left.remove("ymd")
            if self._looks_year_first(left):
                return "ymd", "it keeps time from going back"
        if len(left) == 1:
            return left[0], None
        dmy, mdy = self._backwards["dmy"], self._backwards["mdy"]
        if dmy != mdy:
            return ("dmy" if dmy < mdy else "mdy"), "it keeps time from going back"
        first, second, _ = self._changes
        if first != second:
            order: DateOrder = "dmy" if first > second else "mdy"
            return order, "the number that changes most often is the day"
        return "dmy", "nothing in the file decides it, and most of the world writes it so"

    def possible(self, chosen: DateOrder) -> tuple[DateOrder, ...]:
        """
        The orders that the dates permit, the chosen one first.

        Two-digit years that come first are so rare that nobody is asked about them.
        """
        least = min(self._impossible.values())
        others = [
            order
            for order, count in self._impossible.items()
            if count == least and order not in ("ymd", chosen)
        ]
        return (chosen, *others)

    def _looks_year_first(self, others: list[DateOrder]) -> bool:
        """Two-digit years that come first are rare: only if they explain the file better."""
        first, _, third = self._changes
        return third > first and self._backwards["ymd"] < min(self._backwards[o] for o in others)
