"""Meaning and words become one score, in which what was said around a message has a say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infrastructure.search.calibration import (
    CUT_OFF,
    HYBRID,
    MEANING,
    Calibration,
    calibrated,
    least_shown,
)
from infrastructure.search.comparing import Comparison
from infrastructure.search.context import in_context
from infrastructure.search.corpus import ABSENT, MeaningHit
from infrastructure.search.fusion import combined, looked_up
from infrastructure.search.linking import linked
from infrastructure.search.tsquery import TsQueries
from infrastructure.search.words import WordsHit
from infrastructure.words.lookup import Lookup, Worth

SEEDS = 30  # of the best, whose surroundings are looked at: see docs/search-quality.md
# Only full text knows the words: the best match is taken for so much of an ideal one.
BEST_RANK = 0.4
CALIBRATED = "all-MiniLM-L6-v2"
LAST = 2**63 - 1  # no vector is beyond
WHOLE = 0.999  # of the ideal: all of the words, but for rounding

Floats = NDArray[np.float64]


class Scored(NamedTuple):
    message_id: int
    text_key: UUID | None
    score: float
    probability: float | None  # None: nobody has calibrated the model


class Sides(NamedTuple):
    """Each best first; equal texts once."""

    meant: Sequence[MeaningHit]
    worded: Sequence[WordsHit]
    is_strict: bool  # only messages with all of the words are among the latter


class Scoring:
    """
    Args:
        lookup: of the words in memory; None: full text has found them.
    """

    def __init__(
        self,
        comparison: Comparison,
        words: TsQueries,
        lookup: Lookup | None,
    ) -> None:
        self._comparison = comparison
        self._words = words
        self._lookup = lookup
        self._background = comparison.background()
        self._is_calibrated = comparison.where["model"].startswith(f"{CALIBRATED}@")

    @property
    def _vectors_below(self) -> int:
        """Those from this id on came later than the result."""
        below = self._comparison.vectors_below
        return LAST if below is None else below

    def by_meaning(self, meant: Sequence[MeaningHit], *, has_tail: bool) -> list[Scored]:
        """
        By nearness alone; what is near to nothing is left out.

        Args:
            has_tail: the best come first, so that less likely ones may follow them.
        """
        return self._kept(
            [hit.message_id for hit in meant],
            np.array([hit.cosine for hit in meant], dtype=np.float64),
            lambda chosen: [meant[at].text_key for at in chosen],
            MEANING,
            np.zeros(len(meant), dtype=np.bool_),
            has_tail=has_tail,
        )

    def of_both(self, sides: Sides, *, has_context: bool) -> list[Scored]:
        """Best first; equal texts once."""
        keys: dict[int, UUID | None] = {hit.message_id: hit.text_key for hit in sides.meant}
        keys |= {hit.message_id: hit.text_key for hit in sides.worded}
        ids = list(keys)
        cosines = {hit.message_id: hit.cosine for hit in sides.meant}
        cosines |= self._cosines({id_: keys[id_] for id_ in ids if id_ not in cosines})
        worth = self._worth(ids, sides)
        own = combined(array(ids, cosines), worth.impacts, ideal=worth.ideal)
        extra = self._extra(worth)
        if has_context and ids:
            best = np.argsort(-(own + extra), kind="stable")[:SEEDS]
            return self._in_context(ids, keys, own, worth, sides, [ids[place] for place in best])
        return self._kept(
            ids,
            own + extra,
            lambda chosen: [keys[ids[at]] for at in chosen],
            HYBRID,
            holds_all(worth),
        )

    def _in_context(
        self,
        ids: list[int],
        keys: dict[int, UUID | None],
        own: Floats,
        worth: Worth,
        sides: Sides,
        seeds: Sequence[int],
    ) -> list[Scored]:
        around = self._comparison.corpus.surroundings(seeds)
        near = around.ids.tolist()
        places = [place for place, id_ in enumerate(near) if id_ not in keys]
        more = [near[place] for place in places]
        vectors = zip(more, around.vector_ids[places].tolist(), strict=True)
        below = self._vectors_below
        cosines = self._cosines_of({id_: v for id_, v in vectors if ABSENT < v < below})
        others = self._worth(more, sides)
        raised = combined(array(more, cosines), others.impacts, ideal=others.ideal)
        scores = dict(zip([*ids, *more], np.concatenate([own, raised]).tolist(), strict=True))
        mixed = in_context(
            array(near, scores),
            linked(around.spoken),
            background=self._background,
            seeds=len(seeds),
        )
        scores |= dict(zip(near, mixed.tolist(), strict=True))
        every = [*ids, *more]
        held = np.concatenate([worth.held, others.held])
        whole = Worth(np.concatenate([worth.impacts, others.impacts]), held, worth.ideal)
        totals = array(every, scores) + self._extra(whole)
        # What neither side has found is shown where it comes before something that one has.
        may_be_found = np.ones(len(every), dtype=np.bool_)
        is_better = totals[len(ids) :] > totals[: len(ids)].min()
        may_be_found[len(ids) :] = around.may_be_found[places] & is_better

        def keys_of(chosen: Sequence[int]) -> list[UUID | None]:
            near = around.text_keys([places[at - len(ids)] for at in chosen if at >= len(ids)])
            others = iter(near)
            return [keys[ids[at]] if at < len(ids) else next(others) for at in chosen]

        return self._kept(every, totals, keys_of, HYBRID, holds_all(whole), may_be_found)

    def _kept(
        self,
        ids: Sequence[int],
        scores: Floats,
        keys_of: Callable[[Sequence[int]], Sequence[UUID | None]],
        calibration: Calibration,
        is_exempt: NDArray[np.bool_],
        may_be_found: NDArray[np.bool_] | None = None,
        *,
        has_tail: bool = True,
    ) -> list[Scored]:
        """
        Those that are worth a look, best first, each text once.

        Args:
            keys_of: the keys of the texts of those at some places in ids.
            is_exempt: what has all the words is shown, however unlikely it is to be meant.
        """
        probabilities: list[float | None] = [None] * len(ids)
        is_kept = np.ones(len(ids), dtype=np.bool_) if may_be_found is None else may_be_found
        if self._is_calibrated and len(ids):
            likely = calibrated(scores, self._background, calibration)
            least = least_shown(likely[is_kept]) if has_tail else CUT_OFF
            is_kept = is_kept & ((likely >= least) | is_exempt)
            probabilities = likely.tolist()
        numbers = scores.tolist()
        order = sorted(
            np.flatnonzero(is_kept).tolist(), key=lambda place: (-numbers[place], -ids[place])
        )
        unique: dict[UUID | int, Scored] = {}
        for place, key in zip(order, keys_of(order), strict=True):
            if (key or ids[place]) not in unique:
                found = Scored(ids[place], key, numbers[place], probabilities[place])
                unique[key or ids[place]] = found
        return list(unique.values())

    def _extra(self, worth: Worth) -> Floats:
        return looked_up(worth.held, ideal=worth.ideal, words=len(self._words.asked))

    def _worth(self, ids: Sequence[int], sides: Sides) -> Worth:
        if self._lookup is not None:
            rows = np.array(ids, dtype=np.int64)
            return self._lookup.worth(rows)
        ranks = {hit.message_id: hit.rank for hit in sides.worded}
        best = max(ranks.values(), default=0.0) or 1.0
        parts = array(ids, {id_: rank / best for id_, rank in ranks.items()})
        held = (parts > 0).astype(np.float64) if sides.is_strict else parts
        return Worth(parts * BEST_RANK, held, 1.0 if self._words.asked else 0.0)

    def _cosines(self, keys: Mapping[int, UUID | None]) -> dict[int, float]:
        """From messages to their texts, to what the vectors of these say."""
        wanted = list({key for key in keys.values() if key is not None})
        if not wanted:
            return {}
        vectors = self._comparison.corpus.vectors_of(wanted)
        known = {id_: vectors[key] for id_, key in keys.items() if key in vectors}
        below = self._vectors_below
        known = {id_: vector for id_, vector in known.items() if vector < below}
        return self._cosines_of(known)

    def _cosines_of(self, vectors: Mapping[int, int]) -> dict[int, float]:
        """From messages to their vectors, to what these say."""
        known = self._comparison.cosines(sorted(set(vectors.values())))
        return {id_: known[vector] for id_, vector in vectors.items() if vector in known}


def array(ids: Sequence[int], values: Mapping[int, float]) -> Floats:
    """In their order; 0 where nothing is known."""
    return np.array([values.get(id_, 0.0) for id_ in ids], dtype=np.float64)


def holds_all(worth: Worth) -> NDArray[np.bool_]:
    return (worth.held >= WHOLE * worth.ideal) & (worth.ideal > 0)
