"""What was said around the best hits is shown only where it comes before one of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest

from infrastructure.search.comparing import Comparison
from infrastructure.search.corpus import MeaningHit, Surroundings
from infrastructure.search.linking import LONGEST_PAUSE, NOTHING, Spoken
from infrastructure.search.scoring import Scored, Scoring, Sides
from infrastructure.search.tsquery import TsQueries
from infrastructure.search.words import WordsHit

# By message: how near each is to the query. The first three are among the nearest texts.
FOUND = {1: 0.9, 2: 0.6, 3: 0.4}
AROUND = {4: 0.7, 5: 0.41, 6: 0.4, 7: 0.39, 8: 0.1}
EVERY = {**FOUND, **AROUND}
UNCALIBRATED = "a-model-that-nobody-has-calibrated@1"


def key_of(message_id: int) -> UUID:
    return UUID(int=message_id)


class Told:
    """A conversation of these messages, in which nobody answers anybody."""

    def __init__(self, *, hidden: tuple[int, ...] = ()) -> None:
        self._hidden = hidden

    def surroundings(self, seeds: list[int]) -> Surroundings:
        assert set(FOUND) <= set(seeds)
        ids = np.array(list(EVERY), dtype=np.int64)
        nothing = np.full(len(ids), NOTHING)
        return Surroundings(
            ids=ids,
            spoken=Spoken(
                stretches=np.zeros(len(ids), dtype=np.int64),
                authors=np.arange(len(ids)),
                at=np.arange(len(ids)) * 2 * LONGEST_PAUSE,  # so no message has a say on another
                addressed=nothing,
                keys=ids,
                answers=nothing,
                threads=nothing,
                names={},
            ),
            text_keys=lambda places: [key_of(int(ids[place])) for place in places],
            vector_ids=ids,
            may_be_found=~np.isin(ids, self._hidden),
        )

    def vectors_of(self, keys: list[UUID]) -> dict[UUID, int]:
        return {key: key.int for key in keys}


def scored(
    model: str = UNCALIBRATED, worded: tuple[WordsHit, ...] = (), **corpus: Any
) -> list[Scored]:
    comparison = SimpleNamespace(
        corpus=Told(**corpus),
        cosines=lambda vectors: {vector: EVERY[vector] for vector in vectors},
        background=lambda: 0.0,
        where={"workspace_id": UUID(int=0), "model": model},
        vectors_below=None,
    )
    meant = [MeaningHit(id_, key_of(id_), cosine) for id_, cosine in FOUND.items()]
    scoring = Scoring(cast("Comparison", comparison), TsQueries(), None)
    return scoring.of_both(Sides(meant, worded, is_strict=True), has_context=True)


def ids(found: list[Scored]) -> list[int]:
    return [one.message_id for one in found]


def test_a_message_that_neither_side_has_found_is_shown_where_it_comes_before_a_hit() -> None:
    """Not one that is as good as the worst of them, and none that is worse."""
    assert ids(scored()) == [1, 4, 2, 5, 3]


def test_the_worst_hit_is_the_worst_of_both_sides() -> None:
    """What only has the words is found, too, however far from what is meant."""
    far = WordsHit(7, key_of(7), 0.5)
    assert ids(scored(worded=(far,))) == [1, 4, 2, 5, 6, 3, 7]


def test_what_may_not_be_found_is_not_shown_however_near() -> None:
    assert ids(scored(hidden=(4,))) == [1, 2, 5, 3]


def test_what_is_found_is_shown_though_others_around_it_come_before() -> None:
    assert set(FOUND) <= set(ids(scored()))


@pytest.mark.parametrize("model", [UNCALIBRATED, "all-MiniLM-L6-v2@1"])
def test_a_message_around_hits_has_the_score_of_its_own(model: str) -> None:
    found = {one.message_id: one.score for one in scored(model)}
    assert found[4] == pytest.approx(EVERY[4])
