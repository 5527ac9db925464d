"""The words of an archive, numbered; by their beginnings, and by what was probably meant."""

from __future__ import annotations

from bisect import bisect_left

from rapidfuzz import process
from rapidfuzz.distance import OSA

LAST_CHARACTER = "\U0010ffff"
# Slips of the fingers that are forgiven: in short words every other one is near.
FORGIVEN = ((8, 2), (4, 1))  # from so many letters on, so many
MOST_MEANT = 5


class Vocabulary:
    """Words keep their numbers, also when nothing has them any more. One thread adds."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._sorted: list[str] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def number(self, word: str) -> int:
        """Its number; a new word gets the next one."""
        return self.numbers.setdefault(word, len(self.numbers))

    def beginning_with(self, beginning: str) -> list[int]:
        words = self._in_order()
        first = bisect_left(words, beginning)
        last = bisect_left(words, beginning + LAST_CHARACTER)
        return [self.numbers[word] for word in words[first:last]]

    def near(self, word: str) -> list[str]:
        """What was probably meant by a word that nobody has said, the nearest first."""
        forgiven = next((slips for length, slips in FORGIVEN if len(word) >= length), 0)
        if not forgiven or not word.isalpha():
            return []
        found = process.extract(
            word,
            self._in_order(),
            scorer=OSA.distance,
            score_cutoff=forgiven,
            limit=MOST_MEANT,
        )
        nearest = min((distance for _, distance, _ in found), default=0)
        return [near for near, distance, _ in found if distance == nearest]

    def _in_order(self) -> list[str]:
        if len(self._sorted) != len(self.numbers):
            self._sorted = sorted(self.numbers.copy())
        return self._sorted
