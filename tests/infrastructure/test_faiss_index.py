"""Vectors in memory: exact, replaceable, removable, shared by threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from infrastructure.vectors.faiss_index import FaissIndex, FaissIndexUnreadableError

DIMENSIONS = 16


def unit_vectors(n: int, *, seed: int = 0, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """As they come from the read model: of numbers with 16 bits, which is what an index keeps."""
    vectors = np.random.default_rng(seed).normal(size=(n, dimensions))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float16).astype(np.float32)


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_a_search_finds_what_numpy_finds() -> None:
    """Nearest first, with the inner products themselves."""
    vectors, query = unit_vectors(500), unit_vectors(1, seed=1)[0]
    index = FaissIndex(DIMENSIONS)
    index.add(np.arange(1000, 1500), vectors)

    found, scores = index.search(query, 10)

    products = vectors @ query
    expected = np.argsort(-products)[:10]
    assert (expected + 1000).tolist() == found.tolist()
    np.testing.assert_allclose(products[expected], scores, atol=1e-6)
    assert (np.int64, np.float32) == (found.dtype, scores.dtype)


def test_a_file_of_another_kind_of_index_is_refused(tmp_path: Path) -> None:
    """Such as one of an earlier version: it is made anew from the read model."""
    for kind in (faiss.IndexFlatIP(DIMENSIONS), faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSIONS))):
        faiss.write_index(kind, str(tmp_path / "other"))
        with pytest.raises(FaissIndexUnreadableError, match="other holds an index of another kind"):
            FaissIndex.read(tmp_path / "other", DIMENSIONS)


def test_an_id_added_again_gets_its_new_vector() -> None:
    """Adding is idempotent: replays do not double a hit."""
    index, vectors = FaissIndex(DIMENSIONS), unit_vectors(3)
    index.add(ids(1, 2), vectors[:2])
    index.add(ids(1, 2), vectors[:2])
    index.add(ids(2), vectors[2:])

    assert len(index) == 2
    found, scores = index.search(vectors[2], 5)
    assert found.tolist() == [2, 1]
    assert scores[0] == pytest.approx(1, abs=1e-3)


def test_of_equal_ids_in_one_call_the_last_counts() -> None:
    index, vectors = FaissIndex(DIMENSIONS), unit_vectors(2)
    index.add(ids(7, 7), vectors)

    assert len(index) == 1
    assert index.search(vectors[1], 1)[1][0] == pytest.approx(1, abs=1e-3)


def test_what_is_removed_is_not_found_again() -> None:
    """Ids that are not there are passed over and not counted."""
    index, vectors = FaissIndex(DIMENSIONS), unit_vectors(4)
    index.add(ids(1, 2, 3, 4), vectors)

    assert index.remove(ids(2, 3, 99)) == 2

    assert sorted(index.search(vectors[1], 10)[0].tolist()) == [1, 4]
    assert 2 not in index
    assert index.remove(ids(2)) == 0


def test_what_is_allowed_restricts_before_ranking() -> None:
    """The nearest of the allowed, not the allowed of the nearest."""
    vectors, query = unit_vectors(300), unit_vectors(1, seed=2)[0]
    index = FaissIndex(DIMENSIONS)
    index.add(np.arange(300), vectors)
    worst = np.argsort(vectors @ query)[:5]

    found, _ = index.search(query, 3, allowed=np.sort(worst))

    assert worst[::-1][:3].tolist() == found.tolist()
    assert len(index.search(query, 3, allowed=ids())[0]) == 0
    assert len(index.search(query, 3, allowed=ids(12345))[0]) == 0


def test_an_empty_index_finds_nothing() -> None:
    found, scores = FaissIndex(DIMENSIONS).search(unit_vectors(1)[0], 10)
    assert (len(found), len(scores)) == (0, 0)


@pytest.mark.parametrize(
    ("new_ids", "vectors"),
    [
        (ids(1), unit_vectors(2)),
        (ids(1), unit_vectors(1, dimensions=8)),
        (ids(1), np.full((1, DIMENSIONS), np.nan, dtype=np.float32)),
    ],
)
def test_vectors_that_do_not_fit_are_refused(
    new_ids: NDArray[np.int64], vectors: NDArray[np.float32]
) -> None:
    index = FaissIndex(DIMENSIONS)
    with pytest.raises(ValueError, match=r"fit|finite"):
        index.add(new_ids, vectors)

    assert len(index) == 0


def test_searches_see_whole_changes_while_others_change_the_index() -> None:
    """Every answer holds k different ids whose scores are right, whatever happens meanwhile."""
    vectors = unit_vectors(2000)
    index = FaissIndex(DIMENSIONS)
    index.add(np.arange(1000), vectors[:1000])

    def change(part: int) -> None:
        mine = np.arange(1000 + part * 250, 1250 + part * 250)
        for _ in range(10):
            index.add(mine, vectors[mine])
            index.remove(mine)

    def search(seed: int) -> None:
        query = unit_vectors(1, seed=seed)[0]
        for _ in range(50):
            found, scores = index.search(query, 10)
            assert len(set(found.tolist())) == 10
            np.testing.assert_allclose(vectors[found] @ query, scores, atol=1e-5)

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(change, part) for part in range(4)]
        jobs += [pool.submit(search, seed) for seed in range(4)]
    for job in jobs:
        job.result()
    assert len(index) == 1000


def test_an_index_comes_back_from_its_file(tmp_path: Path) -> None:
    """And goes on from there."""
    index, vectors = FaissIndex(DIMENSIONS), unit_vectors(5)
    index.add(ids(1, 2, 3, 4), vectors[:4])
    assert index.write(tmp_path / "a.faiss") == 4

    again = FaissIndex.read(tmp_path / "a.faiss", DIMENSIONS)
    again.add(ids(2), vectors[4:])

    assert len(again) == 4
    assert again.search(vectors[4], 1)[0].tolist() == [2]
    assert again.memory_bytes == index.memory_bytes > 4 * DIMENSIONS * 2


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.faiss").write_bytes(b"not an index")
    with pytest.raises(FaissIndexUnreadableError, match="cannot read"):
        FaissIndex.read(tmp_path / "a.faiss", DIMENSIONS)
    FaissIndex(8).write(tmp_path / "b.faiss")
    with pytest.raises(FaissIndexUnreadableError, match="8 dimensions"):
        FaissIndex.read(tmp_path / "b.faiss", DIMENSIONS)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write"):
        FaissIndex(8).write(tmp_path / "missing" / "a.faiss")
