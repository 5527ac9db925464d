"""Which messages of an export are which of the archive: at most one is one. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from domain.clock import MINUTE, SECOND, distance
from domain.text_form import comparable

ATTACHMENT = "\x00attachment"  # whatever a phone's language calls it
DELETED = "\x00deleted"
MAX_ALIKE = 6  # messages of one person at one time that are compared for an edit
MIN_ALIKE = 0.5  # of SequenceMatcher's ratio
COMPARED_CHARACTERS = 300
SPOKEN = frozenset({"message", "action", "deleted"})
LONGEST_UNIT = MINUTE  # edits are not looked for where times are told less exactly


class Said(NamedTuple):
    """A message, of either side."""

    key: str
    moments: tuple[int, ...]  # by the archive's clock; of the archive's messages one
    unit: int  # see domain.clock
    author: UUID | None  # in the archive, where that is known
    is_mapped: bool  # whether it is
    kind: str
    form: str  # see `form_of`


Grouping = Callable[[Said], Hashable]


class Paired(NamedTuple):
    place: int  # in the export's messages
    known: int  # in the archive's
    moment: int  # which of the moments it was


def form_of(kind: str, text: str) -> str:
    """
    What has to be equal. Without a text it was a photo or the like, whatever the exporter tells of
    it.
    """
    if kind == "deleted":
        return DELETED
    return comparable(text) or ATTACHMENT


def pair(
    said: Sequence[Said], known: Sequence[Said], *, slack: int, taken: Collection[UUID] = ()
) -> list[Paired]:
    """
    First what has the same key; then the same text by the same person at the same time, in order,
    exact times first; then one notice for another, one text for another: edits.

    Args:
        slack: microseconds that times may differ beyond what they leave open.
        taken: people of the archive whom somebody of the export is known to be.
    """
    board = Board(said, known, taken)
    board.match_keys()
    board.match_groups(lambda one: (one.author, one.form), is_mapped=True, slack=0)
    if slack:
        board.match_groups(lambda one: (one.author, one.form), is_mapped=True, slack=slack)
    board.match_groups(lambda one: one.form, is_mapped=False, slack=slack)
    board.match_notices()
    board.match_edits()
    return board.paired


class Board:
    def __init__(
        self, said: Sequence[Said], known: Sequence[Said], taken: Collection[UUID]
    ) -> None:
        there = {one.author for one in known if one.author is not None}
        # Who has the archive's very id is the same person, even without a longer text.
        self._said = [
            one if one.is_mapped else one._replace(is_mapped=one.author in there) for one in said
        ]
        self._known = known
        self._open = dict.fromkeys(range(len(said)))
        self._free = dict.fromkeys(range(len(known)))
        self._taken = {*taken, *(one.author for one in self._said if one.is_mapped)}
        self.paired: list[Paired] = []

    def match_keys(self) -> None:
        by_key = {one.key: place for place, one in enumerate(self._known)}
        for place, one in enumerate(self._said):
            found = by_key.get(one.key)
            if found is not None and found in self._free:
                self._join(place, found, 0)

    def match_groups(self, group_of: Grouping, *, is_mapped: bool, slack: int) -> None:
        """
        Args:
            is_mapped: whether to look at people who are known in the archive. The others are
                looked for among the archive's people whom nobody of the export is, yet.
        """
        groups: defaultdict[Hashable, list[int]] = defaultdict(list)
        for number in self._free:
            one = self._known[number]
            if is_mapped or (one.author is not None and one.author not in self._taken):
                groups[group_of(one)].append(number)
        for numbers in groups.values():
            numbers.sort(key=self._time)
        for place in self._in_order(is_mapped=is_mapped):
            one = self._said[place]
            numbers = groups.get(group_of(one), [])
            reach = max(one.unit, LONGEST_UNIT) + slack
            start = bisect_left(numbers, min(one.moments) - reach, key=self._time)
            for number in islice(numbers, start, None):
                if self._time(number) > max(one.moments) + reach:
                    break
                moment = moment_of(one, self._known[number], slack)
                if moment is not None and number in self._free:
                    self._join(place, number, moment)
                    break

    def _time(self, number: int) -> int:
        return self._known[number].moments[0]

    def match_notices(self) -> None:
        """What the system says of one moment, in two languages: as many here as there."""
        for places, numbers in self._at_same_time(("system",)):
            if len(places) == len(numbers):
                for place, number in zip(places, numbers, strict=True):
                    self._join_if_same_time(place, number)

    def match_edits(self) -> None:
        """
        Of each person what is left at one time: one for one, or what is alike. Within a minute
        somebody says several things, and each phone may lack another one of them.
        """
        for places, numbers in self._at_same_time(SPOKEN):
            if len(places) == len(numbers) == 1 and self._is_plain(places[0], numbers[0]):
                self._join_if_same_time(places[0], numbers[0])
            elif len(places) <= MAX_ALIKE and len(numbers) <= MAX_ALIKE:
                for _, place, number in self._by_likeness(places, numbers):
                    if place in self._open and number in self._free:
                        self._join_if_same_time(place, number)

    def _is_plain(self, place: int, number: int) -> bool:
        one, known = self._said[place], self._known[number]
        return max(one.unit, known.unit) <= SECOND or "deleted" in {one.kind, known.kind}

    def _by_likeness(
        self, places: Sequence[int], numbers: Sequence[int]
    ) -> list[tuple[float, int, int]]:
        found = [
            (-likeness(self._said[place].form, self._known[number].form), place, number)
            for place in places
            for number in numbers
        ]
        return sorted(one for one in found if -one[0] >= MIN_ALIKE)

    def _in_order(self, *, is_mapped: bool) -> list[int]:
        places = [place for place in self._open if self._said[place].is_mapped == is_mapped]
        return sorted(places, key=lambda place: self._said[place].moments[0])

    def _at_same_time(self, kinds: Iterable[str]) -> Iterator[tuple[list[int], list[int]]]:
        """What is left of each person and each time of both sides, as the coarser tells it."""
        wanted = frozenset(kinds)
        left = [p for p in self._open if self._is_left(self._said[p], wanted)]
        free = [n for n in self._free if self._is_left(self._known[n], wanted)]
        units = {self._said[p].unit for p in left} | {self._known[n].unit for n in free}
        if not left or not free or max(units) > LONGEST_UNIT:
            return
        unit = max(units)
        times: defaultdict[tuple[UUID | None, int], tuple[list[int], list[int]]]
        times = defaultdict(lambda: ([], []))
        for place in left:
            one = self._said[place]
            times[one.author, one.moments[0] // unit][0].append(place)
        for number in free:
            one = self._known[number]
            times[one.author, one.moments[0] // unit][1].append(number)
        for places, numbers in times.values():
            if places and numbers:
                yield places, numbers

    def _is_left(self, one: Said, kinds: frozenset[str]) -> bool:
        return one.kind in kinds and one.is_mapped

    def _join_if_same_time(self, place: int, number: int) -> None:
        moment = moment_of(self._said[place], self._known[number], 0)
        if moment is not None:
            self._join(place, number, moment)

    def _join(self, place: int, number: int, moment: int) -> None:
        del self._open[place], self._free[number]
        self.paired.append(Paired(place, number, moment))


def moment_of(one: Said, known: Said, slack: int) -> int | None:
    for number, moment in enumerate(one.moments):
        if distance(moment, one.unit, known.moments[0], known.unit) <= slack:
            return number
    return None


def likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(a=one[:COMPARED_CHARACTERS], b=other[:COMPARED_CHARACTERS])
    if matcher.real_quick_ratio() < MIN_ALIKE or matcher.quick_ratio() < MIN_ALIKE:
        return 0.0
    return matcher.ratio()
