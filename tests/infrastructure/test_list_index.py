"""Many vectors in memory: most of the nearest are found, changes and filters count at once."""

from __future__ import annotations

import threading
from pathlib import Path
from threading import Lock

import numpy as np
import pytest

from infrastructure.vectors import faiss_index, list_index
from infrastructure.vectors.faiss_index import FaissIndex, FaissIndexUnreadableError
from infrastructure.vectors.growing import GrowingRows
from infrastructure.vectors.list_index import ListIndex
from tests.support.vector_index import clustered, nearest, recall

DIMENSIONS = 96
COUNT = 6_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_BELOW", 2_000)
    monkeypatch.setattr(list_index, "SCANNED", 4_000)
    monkeypatch.setattr(list_index, "NARROW", 500)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return clustered(COUNT, dimensions=DIMENSIONS)


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    return clustered(40, dimensions=DIMENSIONS, seed=99)


@pytest.fixture
def index(vectors: np.ndarray) -> FaissIndex:
    """The ids are ten times the rows. Turned into lists early, with all that came later added."""
    made = FaissIndex(DIMENSIONS)
    for start in range(0, COUNT, 1_000):
        made.add(np.arange(start, start + 1_000) * 10, vectors[start : start + 1_000])
        made.wait()
    assert not made.is_exact
    return made


def inverted(index: FaissIndex) -> ListIndex:
    assert isinstance(index._kind, ListIndex)
    return index._kind


def mean_recall(index: FaissIndex, vectors: np.ndarray, queries: np.ndarray) -> float:
    shares = [
        recall(index.search(query, 10)[0] // 10, nearest(vectors, query, 10)) for query in queries
    ]
    return float(np.mean(shares))


def test_most_of_the_nearest_are_found(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray
) -> None:
    assert mean_recall(index, vectors, queries) > 0.95
    found, scores = index.search(queries[0], 10)
    np.testing.assert_allclose(scores, vectors[found // 10] @ queries[0], atol=0.01)


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_what_is_allowed_restricts_before_ranking(
    share: float, index: FaissIndex, vectors: np.ndarray, queries: np.ndarray
) -> None:
    """Compared one by one where it is little, looked for in the lists where it is much."""
    rows = np.sort(np.random.default_rng(1).choice(COUNT, int(COUNT * share), replace=False))
    shares = []
    for query in queries:
        found, _ = index.search(query, 10, allowed=rows * 10)
        assert set(found.tolist()) <= set((rows * 10).tolist())
        shares.append(recall(found // 10, rows[nearest(vectors[rows], query, 10)]))
    assert np.mean(shares) > 0.95


def test_where_the_lists_hold_too_few_all_are_compared(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many hits are wanted, or what is allowed lies in lists that are far away."""
    monkeypatch.setattr(list_index, "SCANNED", 1)
    rows = np.sort(np.argsort(vectors @ queries[0])[:3_000])
    found, _ = index.search(queries[0], 1_500, allowed=rows * 10)

    expected = rows[nearest(vectors[rows], queries[0], 1_500)]
    assert len(found) == 1_500
    assert recall(found // 10, expected) > 0.97
    assert len(index.search(queries[0], 1_000)[0]) == 1_000


def test_changes_while_lists_are_made_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of another kind, and those made anew: what was changed meanwhile counts afterwards."""
    vectors, changed = (clustered(6_500, dimensions=DIMENSIONS, seed=seed) for seed in (0, 5))
    expected = {id_: vectors[id_] for id_ in range(2_000)}
    index = FaissIndex(DIMENSIONS)
    trained, go_on = threading.Event(), threading.Event()
    train = list_index.InvertedLists.train

    def train_slowly(sample: np.ndarray, size: int) -> list_index.InvertedLists:
        trained.set()
        assert go_on.wait(30)
        return train(sample, size)

    monkeypatch.setattr(list_index.InvertedLists, "train", train_slowly)
    for turn in range(2):
        first = 2_000 + turn * 2_500
        trained.clear()
        go_on.clear()
        begun = sorted(expected) if turn == 0 else list(range(first - 500, first))
        expected |= {id_: vectors[id_] for id_ in begun}
        index.add(np.array(begun), vectors[begun])
        assert trained.wait(30)
        removed, replaced = np.arange(turn, 2_000, 7), np.arange(turn + 1, 2_000, 11)
        added = np.arange(first, first + 2_000)
        for ids, rows in ((replaced, changed), (added, vectors)):
            index.add(ids, rows[ids])
            expected |= {id_: rows[id_] for id_ in ids.tolist()}
        index.remove(removed)
        expected = {id_: row for id_, row in expected.items() if id_ not in set(removed.tolist())}
        assert len(index.search(vectors[0], 5)[0]) == 5
        go_on.set()
        index.wait()
        assert not index.is_exact
        assert index.ids.tolist() == sorted(expected)
        stored, _ = index.vectors_of(np.array(sorted(expected)))
        np.testing.assert_allclose(stored, [expected[id_] for id_ in sorted(expected)], atol=0.06)
        ids = np.array(sorted(expected))
        found = [index.search(expected[id_], 1)[0].tolist() == [id_] for id_ in ids[::20].tolist()]
        assert np.mean(found) > 0.98
    assert inverted(index).slots.dead == 0


def test_searches_go_on_while_others_change_the_index(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray
) -> None:
    """What stays is found with its score; nothing is found twice."""
    stop, failures = threading.Event(), []

    def search() -> None:
        try:
            while not stop.is_set():
                for query in queries:
                    found, scores = index.search(query, 10)
                    assert len(set(found.tolist())) == 10
                    np.testing.assert_allclose(scores, vectors[found // 10] @ query, atol=0.01)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(2):
        rows = np.arange(turn, COUNT, 20)
        index.remove(rows * 10)
        index.add(rows * 10, vectors[rows])
        inverted(index).retrain(index._changes)
    stop.set()
    for thread in threads:
        thread.join()

    assert not failures
    assert len(index) == COUNT


def test_lists_are_made_anew_when_there_are_twice_as_many(
    index: FaissIndex, vectors: np.ndarray
) -> None:
    assert inverted(index).lists.trained_for >= COUNT / 2
    index.remove(np.arange(COUNT // 2) * 10)
    index.wait()

    assert inverted(index).slots.count == COUNT // 2, "the gaps are closed"
    assert np.array_equal(index.search(vectors[-1], 1)[0], [(COUNT - 1) * 10])


def test_what_is_removed_leaves_nothing_in_the_file(
    index: FaissIndex, tmp_path: Path, vectors: np.ndarray
) -> None:
    gone = inverted(index).rows.encode(vectors[:1]).tobytes()
    index.write(tmp_path / "before")
    index.remove(np.array([0]))
    index.write(tmp_path / "after")

    assert gone in (tmp_path / "before").read_bytes()
    assert gone not in (tmp_path / "after").read_bytes()


def test_an_index_comes_back_from_its_file(
    index: FaissIndex, tmp_path: Path, queries: np.ndarray, vectors: np.ndarray
) -> None:
    index.remove(np.arange(50) * 10)
    assert index.write(tmp_path / "a") == COUNT - 50
    again = FaissIndex.read(tmp_path / "a", DIMENSIONS)

    for query in queries:
        np.testing.assert_array_equal(index.search(query, 10), again.search(query, 10))
    again.add(np.array([COUNT * 10]), queries[:1])
    assert again.search(queries[0], 1)[0].tolist() == [COUNT * 10]
    assert again.memory_bytes == pytest.approx(index.memory_bytes, rel=0.01)
    with pytest.raises(FaissIndexUnreadableError, match="96 dimensions"):
        FaissIndex.read(tmp_path / "a", 16)


def test_files_whose_parts_do_not_fit_are_refused(index: FaissIndex, tmp_path: Path) -> None:
    """Nobody signs such files; FAISS would read beyond its rows all the same."""
    index.write(tmp_path / "a")
    sound = (tmp_path / "a").read_bytes()
    head = sound.index(b'"slots": 6000')
    for damaged in (
        sound[:100],
        sound[: len(sound) // 2],
        sound[:-1_000],
        sound.replace(b'"slots": 6000', b'"slots": 5999'),
        sound.replace(b'"slots": 6000', b'"slots": "60"'),
        sound[: head - 40] + b"\n" + sound[head:],
    ):
        (tmp_path / "b").write_bytes(damaged)
        with pytest.raises(FaissIndexUnreadableError):
            FaissIndex.read(tmp_path / "b", DIMENSIONS)


def test_what_fails_is_left_for_later(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without memory for lists, comparing with all goes on, and is not tried at every addition."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(list_index.InvertedLists, "train", fail)
    index = FaissIndex(DIMENSIONS)
    for start in range(0, 2_400, 100):
        index.add(np.arange(start, start + 100), vectors[start : start + 100])
        index.wait()

    assert index.is_exact
    assert caplog.text.count("keeps its lists") == 1


def test_rows_grow_even_while_somebody_looks_at_them() -> None:
    rows = GrowingRows(3, np.int64)
    rows.append(np.arange(30).reshape(10, 3))
    seen = rows.used
    rows.append(np.ones((100_000, 3), np.int64))

    assert seen.tolist() == rows.used[:10].tolist()
    assert (len(rows), rows.memory_bytes) == (100_010, 100_010 * 24)


def test_retraining_few_vectors_leaves_the_lists() -> None:
    vectors = clustered(100, dimensions=DIMENSIONS)
    index = ListIndex.train(vectors, 100)
    index.add(np.arange(100), vectors)
    index.remove(np.arange(90))
    index.retrain(Lock())

    assert (len(index), index.slots.count) == (10, 10)
    assert index.search(vectors[95], 1, None)[0].tolist() == [95]
