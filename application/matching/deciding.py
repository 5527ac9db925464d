"""Whether a conversation of an export is one of the archive. A wrong yes is worse than a no."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from application.matching.clocks import Supported, explain
from application.matching.evidence import Anchor
from application.matching.match import Match
from application.matching.rule import told
from domain.clock import UNITS

MIN_TEXTS = 5  # different longer texts that both have
MIN_TEXTS_SAME_TITLE = 3
MIN_MOMENTS = 3  # different times: a pasted protocol has one
MIN_SHARE = 0.5  # of the export's longer texts in the common time
MIN_SHARE_KNOWN = 0.05  # of the archive's messages in the common time: exports may be filtered
MIN_AGREEMENT = 0.9  # of the equal texts that one mapping of people explains
# Each of two zones changes its clocks twice a year, and people travel.
MAX_SHIFTS, MAX_SHIFTS_A_YEAR = 4, 6
YEAR = 365 * UNITS["day"]
CLAIMING = 3  # equal texts from which on an author is nobody else
MAX_AUTHORS = 5_000  # recorded in the event

Count = Callable[[int, int], int]  # between two times, in microseconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A conversation of the export, and one of the archive that has texts of it."""

    own: UUID
    known: UUID
    is_same_title: bool
    # Both have ids of the source's own, and the same exporter: equal texts alone say nothing.
    are_ids_decisive: bool

    @property
    def is_named_alike(self) -> bool:
        return self.is_same_title or self.own == self.known

    @property
    def least_texts(self) -> int:
        return MIN_TEXTS_SAME_TITLE if self.is_named_alike else MIN_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    match: Match
    texts: int  # different ones that both have


def decide(pair: Pair, anchors: Sequence[Anchor], *, asked: Count, known: Count) -> Found | None:
    """
    Args:
        asked: how many longer texts the export has in a time, by its clock.
        known: how many messages the archive's conversation has in a time, by its clock.
    """
    if pair.are_ids_decisive:
        anchors = [anchor for anchor in anchors if anchor.is_same_key]
    supported = explain(anchors) if len(texts_of(anchors)) >= pair.least_texts else None
    authors = None if supported is None else mapping(supported.anchors)
    if supported is None or authors is None:
        return None
    agreeing = [a for a in supported.anchors if is_said_by_same(a, authors)]
    if not (is_enough(pair, agreeing) and is_consistent(supported, agreeing)):
        return None
    in_export = max(asked(agreeing[0].at, agreeing[-1].at), len(agreeing))
    times = [anchor.known_at for anchor in agreeing]
    in_archive = known(min(times), max(times))
    if len(agreeing) < max(MIN_SHARE * in_export, MIN_SHARE_KNOWN * in_archive):
        return None
    match = Match(
        own=pair.own,
        into=pair.known,
        authors=authors,
        shifts=supported.shifts,
        slack=supported.slack,
        rule=told(supported, len(agreeing), in_export, len(authors)),
    )
    return Found(match=match, texts=len(texts_of(agreeing)))


def texts_of(anchors: Sequence[Anchor]) -> set[int]:
    return {anchor.text for anchor in anchors}


def is_enough(pair: Pair, anchors: Sequence[Anchor]) -> bool:
    """Different texts at different times; and not what one person posts into two conversations."""
    return (
        len(texts_of(anchors)) >= pair.least_texts
        and len({anchor.at for anchor in anchors}) >= MIN_MOMENTS
        and (pair.is_named_alike or len({anchor.known_author for anchor in anchors}) > 1)
    )


def is_consistent(supported: Supported, agreeing: Sequence[Anchor]) -> bool:
    """One mapping of people, and clocks that change as clocks do."""
    years = (supported.anchors[-1].at - supported.anchors[0].at) / YEAR
    return (
        len(agreeing) >= MIN_AGREEMENT * len(supported.anchors)
        and len(supported.shifts) <= MAX_SHIFTS + MAX_SHIFTS_A_YEAR * years
    )


def mapping(anchors: Sequence[Anchor]) -> dict[UUID, UUID] | None:
    """
    Who of the export is who in the archive: for each person whom most equal texts speak for.

    None if two people of the export would be one of the archive: then it is not the same chat, or
    somebody passes on what others say.
    """
    votes: defaultdict[UUID, Counter[UUID]] = defaultdict(Counter)
    for anchor in anchors:
        if anchor.author is not None and anchor.known_author is not None:
            votes[anchor.author][anchor.known_author] += 1
    found: dict[UUID, UUID] = {}
    taken: dict[UUID, int] = {}
    by_weight = sorted(votes.items(), key=lambda item: (-item[1].total(), item[0]))
    for author, counted in by_weight[:MAX_AUTHORS]:
        known, count = min(counted.items(), key=lambda item: (-item[1], item[0]))
        if count < MIN_AGREEMENT * counted.total():
            continue
        if known in taken:
            if count >= CLAIMING and taken[known] >= CLAIMING:
                return None
            continue
        found[author] = known
        taken[known] = count
    return found


def is_said_by_same(anchor: Anchor, authors: dict[UUID, UUID]) -> bool:
    if anchor.author is None or anchor.known_author is None:
        return anchor.author is anchor.known_author
    return authors.get(anchor.author) == anchor.known_author
