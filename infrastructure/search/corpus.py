"""The messages that a search may find, as it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol, TypedDict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infrastructure.search.linking import Spoken

Ids = NDArray[np.int64]

ABSENT = -1
AROUND = 8  # messages before and after


class Where(TypedDict):
    workspace_id: UUID
    model: str


class Nearest(NamedTuple):
    ids: list[int]
    cosines: list[float]
    engine: str
    position: int | None = None  # that an index in memory had reached


class Background(NamedTuple):
    """How near a query is to anything."""

    cosine: float  # to a workspace's vectors, in the mean
    vectors: int  # of which that is the mean


class MeaningHit(NamedTuple):
    message_id: int  # the latest message with this text
    text_key: UUID
    cosine: float


class Surroundings(NamedTuple):
    """Messages around some others, in the order of `spoken`."""

    ids: Ids
    spoken: Spoken
    text_keys: Callable[[Sequence[int]], list[UUID | None]]  # of those at some places
    vector_ids: Ids  # ABSENT: there is none
    may_be_found: NDArray[np.bool_]


class Corpus(Protocol):
    """
    One workspace at one moment, narrowed by the filters of a search: by PostgreSQL, or in memory,
    where a little less may have happened yet.
    """

    is_narrow: bool  # not all messages of the moment may be found
    # With so few texts that may be found, exactly those are compared. With more, the nearest of
    # all are looked through for those that may be: among so many some are near enough.
    few_texts: int

    def behind(self, nearest: Nearest, most: int) -> list[MeaningHit]:
        """
        The messages behind the vectors that may be found, nearest first, at most so many: of each
        text the one that was sent last.
        """
        ...

    def vectors(self, limit: int | None) -> Ids | None:
        """
        The vectors of all texts that may be found, ascending. None: there are more texts than
        the limit.
        """
        ...

    def kept(self, ids: Sequence[int]) -> dict[int, UUID | None]:
        """Which of these messages may be found, with the keys of their texts."""
        ...

    def vectors_of(self, keys: Collection[UUID]) -> dict[UUID, int]:
        """The vectors of texts, as far as there are any."""
        ...

    def share(self) -> float | None:
        """How much of all may be found, 0 to 1; None: that would have to be counted."""
        ...

    def surroundings(self, seeds: Sequence[int]) -> Surroundings:
        """What was said around some messages, as far as it tells who talks to whom."""
        ...
