"""Whatever is done to an index in memory, in whatever order, it answers as a dictionary would."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from infrastructure.vectors import faiss_index as module
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.list_index import ListIndex
from tests.support.vector_index import Ids, clustered

DIMENSIONS = 16
INEXACT = 0.04  # what a byte a number may add to or take from an inner product
SEEDS = st.integers(0, 10_000)
COUNTS = st.integers(1, 60)
LARGEST = 400  # ids: no more than are compared one by one, so that none may be missed


class Machine(RuleBasedStateMachine):
    """The dictionary holds what the index has to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.index = FaissIndex(DIMENSIONS)
        self.known: dict[int, np.ndarray] = {}

    @initialize(count=st.sampled_from([0, 30, 100, 200]), seed=SEEDS)
    def begin(self, count: int, seed: int) -> None:
        if count:
            self._add(np.arange(count), seed)

    @rule(count=COUNTS, seed=SEEDS)
    def add_later_ones(self, count: int, seed: int) -> None:
        first = max(self.known, default=-1) + 1
        ids = np.arange(first, first + 2 * count, 2)
        self._add(ids[ids < LARGEST], seed)

    @rule(count=COUNTS, seed=SEEDS)
    def add_any(self, count: int, seed: int) -> None:
        """Known and unknown ones, some of them twice."""
        self._add(np.random.default_rng(seed).integers(0, LARGEST, size=count), seed)

    @rule(count=COUNTS, seed=SEEDS)
    def add_the_same_again(self, count: int, seed: int) -> None:
        ids = self._some(count, seed)
        if len(ids):
            self.index.add(ids, np.stack([self.known[id_] for id_ in ids.tolist()]))

    @rule(count=COUNTS, seed=SEEDS)
    def remove(self, count: int, seed: int) -> None:
        ids = np.concatenate([self._some(count, seed), [LARGEST + 1]])
        removed = {id_ for id_ in ids.tolist() if self.known.pop(id_, None) is not None}
        assert self.index.remove(ids) == len(removed)
        self.index.wait()  # else what happens would not depend on what is done alone

    @rule()
    def retrain(self) -> None:
        if isinstance(self.index._kind, ListIndex):
            self.index._kind.retrain(self.index._changes)

    @rule()
    def write_and_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index"
            assert self.index.write(path) == len(self.known)
            self.index = FaissIndex.read(path, DIMENSIONS)

    @rule(seed=SEEDS, k=st.sampled_from([1, 5, 30]))
    def search(self, seed: int, k: int) -> None:
        self._compare(seed, k, None)

    @rule(seed=SEEDS, k=st.sampled_from([1, 5, 30]), count=st.integers(0, LARGEST))
    def search_among(self, seed: int, k: int, count: int) -> None:
        ids = np.random.default_rng(seed).choice(LARGEST, count, replace=False)
        self._compare(seed, k, np.sort(ids))

    @rule(seed=SEEDS)
    def look_up(self, seed: int) -> None:
        ids = np.random.default_rng(seed).integers(0, LARGEST, size=20)
        vectors, is_there = self.index.vectors_of(ids)
        assert np.isfinite(vectors).all()
        assert is_there.tolist() == [id_ in self.known for id_ in ids.tolist()]
        for row, id_ in enumerate(ids.tolist()):
            expected = self.known.get(id_, np.zeros(DIMENSIONS))
            np.testing.assert_allclose(vectors[row], expected, atol=INEXACT)

    @invariant()
    def it_holds_what_it_has_to(self) -> None:
        assert len(self.index) == len(self.known)
        assert self.index.ids.tolist() == sorted(self.known)
        assert self.index._not_before == 0, "what was made anew failed"

    def _add(self, ids: Ids, seed: int) -> None:
        vectors = clustered(len(ids), dimensions=DIMENSIONS, seed=seed)
        self.index.add(ids, vectors)
        self.index.wait()
        self.known.update(zip(ids.tolist(), vectors, strict=True))

    def _some(self, count: int, seed: int) -> Ids:
        ids = np.array(sorted(self.known), np.int64)
        return np.random.default_rng(seed).choice(ids, min(count, len(ids)), replace=False)

    def _compare(self, seed: int, k: int, allowed: Ids | None) -> None:
        query = clustered(1, dimensions=DIMENSIONS, seed=seed)[0]
        found, scores = self.index.search(query, k, allowed=allowed)
        may = set(self.known) if allowed is None else set(self.known) & set(allowed.tolist())
        assert set(found.tolist()) <= may
        assert len(set(found.tolist())) == len(found) == min(k, len(may))
        assert (np.diff(scores) <= 0).all()
        products = np.array([float(self.known[id_] @ query) for id_ in found.tolist()])
        np.testing.assert_allclose(scores, products, atol=INEXACT)
        best = sorted((float(self.known[id_] @ query) for id_ in may), reverse=True)[: len(found)]
        np.testing.assert_allclose(scores, best, atol=INEXACT)


@pytest.mark.parametrize("exact_below", [64, 1_000_000])
def test_an_index_answers_as_a_dictionary(
    exact_below: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_BELOW", exact_below)
    profile = settings(
        max_examples=20,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=profile)
