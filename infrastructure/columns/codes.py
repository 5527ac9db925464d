"""Values that come again and again, as small numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

NONE = -1  # no value
FEW = 4  # values: one comparison each is quicker than a table of all

Value = TypeVar("Value", bound=Hashable)


class Codes(Generic[Value]):
    """Numbers from 0, in the order in which values come; they are never taken back."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[Value, int] = {}

    def __len__(self) -> int:
        return len(self.values)

    def number(self, value: Value | None) -> int:
        """A new value gets the next number; no value is NONE."""
        if value is None:
            return NONE
        known = self._numbers.get(value)
        if known is None:
            known = len(self.values)
            self.values.append(value)  # first: whoever finds the number finds the value
            self._numbers[value] = known
        return known

    def known(self, values: Iterable[Value]) -> list[int]:
        """The numbers of those that ever came."""
        return [self._numbers[value] for value in values if value in self._numbers]

    def among(self, numbers: NDArray[np.integer], values: Iterable[Value]) -> NDArray[np.bool_]:
        """Of each number whether its value is one of these; NONE is not."""
        chosen = self.known(values)
        if len(chosen) <= FEW:
            found = np.zeros(len(numbers), dtype=np.bool_)
            for number in chosen:
                found |= numbers == number
            return found
        is_chosen = np.zeros(len(self.values) + 1, dtype=np.bool_)
        is_chosen[[number + 1 for number in chosen]] = True
        # What comes while this looks is beyond the end, and belongs to no answer yet.
        return np.take(is_chosen, numbers + 1, mode="clip")
