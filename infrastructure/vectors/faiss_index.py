"""The vectors of one workspace in memory: searched exactly while they are few, then by lists."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock, Thread

import faiss
import numpy as np
from numpy.typing import NDArray

from infrastructure.discretion import describe
from infrastructure.vectors import list_file
from infrastructure.vectors.flat_index import FlatIndex
from infrastructure.vectors.list_index import FEWEST_TRAINED, MOVED, ListIndex
from infrastructure.vectors.lists import sample_size

log = logging.getLogger(__name__)

EXACT_BELOW = 40_000  # vectors: one thread compares as many in about a millisecond
PATIENCE = 1.25  # times as many vectors, before what failed is tried again

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


class FaissIndexUnreadableError(Exception):
    """The file does not hold an index of ours; the message says why."""


class FaissIndex:
    """
    Inner products over unit vectors; each id is there once. Below a size they are exact. Above it
    they are those of vectors with 8 bits a number, and some of the nearest are missed.

    Safe to use from several threads: searches run side by side, a change runs alone, and writing
    to disk holds up changes but no search. Turning from one kind to the other, and making lists
    anew as the archive grows, happen in a thread of their own and hold up neither.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._kind: FlatIndex | ListIndex = FlatIndex(dimensions)
        self._changes = Lock()  # held by whoever changes the index or writes it to disk
        self._touched: set[int] | None = None  # ids changed since another kind is being made
        self._retraining = Lock()  # held while a thread is at it
        self._thread: Thread | None = None
        self._not_before = 0  # vectors, after a failure
        self._sum = np.zeros(dimensions)  # of all vectors

    def __len__(self) -> int:
        return len(self._kind)

    def __contains__(self, id: int) -> bool:
        return id in self._kind

    @property
    def ids(self) -> Ids:
        """Ascending."""
        return self._kind.ids

    @property
    def is_exact(self) -> bool:
        return isinstance(self._kind, FlatIndex)

    @property
    def memory_bytes(self) -> int:
        """What the vectors and their ids take, about."""
        return self._kind.memory_bytes

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """
        Add vectors; an id that is there already gets the new one, of equal ids the last counts.

        Args:
            ids: shape (n,).
            vectors: shape (n, dimensions), each of L2 norm 1; kept with 16 or 8 bits a number.

        Raises:
            ValueError: if the shapes do not fit or a number is not finite; nothing is added.
        """
        ids = np.ascontiguousarray(ids, dtype=np.int64)
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if ids.ndim != 1 or vectors.shape != (len(ids), self.dimensions):
            raise ValueError(f"{ids.shape} ids and {vectors.shape} vectors do not fit")
        if not np.isfinite(vectors).all():
            raise ValueError("a vector holds a number that is not finite")
        if not len(ids):
            return
        last = {id_: row for row, id_ in enumerate(ids.tolist())}
        if len(last) < len(ids):
            rows = np.fromiter(last.values(), dtype=np.int64)
            ids, vectors = ids[rows], vectors[rows]
        with self._changes:
            if self._touched is not None:
                self._touched.update(last)
            self._sum += vectors.sum(axis=0, dtype=np.float64) - self._sum_of(ids)[0]
            self._kind.add(ids, vectors)
        self._improve_if_due()

    def remove(self, ids: Ids) -> int:
        """Remove what is there of ids; return how many that were. Takes time in proportion to n."""
        ids = np.asarray(ids, dtype=np.int64)
        with self._changes:
            if self._touched is not None:
                self._touched.update(ids.tolist())
            self._sum -= self._sum_of(np.unique(ids))[0]
            removed = self._kind.remove(ids)
        self._improve_if_due()
        return removed

    def search(self, query: Vectors, k: int, *, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        """
        Find the k nearest, nearest first; fewer if there are not as many.

        Args:
            query: shape (dimensions,), L2 norm 1.
            allowed: only these ids may be found; ascending. None: all may.

        Returns:
            Ids and inner products, both of the same shape (found,).
        """
        row = np.ascontiguousarray(query, dtype=np.float32)
        if row.shape != (self.dimensions,):
            raise ValueError(f"a query has the shape ({self.dimensions},), not {row.shape}")
        only = None if allowed is None else np.ascontiguousarray(allowed, dtype=np.int64)
        if k < 1 or (only is not None and not len(only)):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        faiss.omp_set_num_threads(1)  # of this thread: one query is not worth waking others for
        return self._kind.search(row, k, only)

    def vectors_of(self, ids: Ids) -> tuple[Vectors, NDArray[np.bool_]]:
        """
        The vectors as they are kept.

        Returns:
            Vectors, of shape (len(ids), dimensions), every number finite; and which of the ids
            are there, of shape (len(ids),). The rows of the others are 0.
        """
        return self._kind.vectors_of(np.ascontiguousarray(ids, dtype=np.int64))

    def background(self, query: Vectors, without: Ids) -> tuple[float, int]:
        """
        The query's mean inner product with all vectors but some, and with how many that is; 0 and
        0 where there are none.

        Args:
            query: shape (dimensions,).
            without: ids, each once.
        """
        total, count = self._sum_of(without)
        total, count = self._sum - total, len(self) - count
        return (float(total @ query) / count, count) if count > 0 else (0.0, 0)

    def _sum_of(self, ids: Ids) -> tuple[NDArray[np.float64], int]:
        """Of those that are there, and how many those are; each id once."""
        total, count = np.zeros(self.dimensions), 0
        for start in range(0, len(ids) if len(self) else 0, MOVED):
            vectors, is_there = self._kind.vectors_of(ids[start : start + MOVED])
            total += vectors.sum(axis=0, dtype=np.float64)
            count += int(np.count_nonzero(is_there))
        return total, count

    def wait(self, seconds: float | None = None) -> None:
        """Until nothing is being made anew."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def write(self, path: Path) -> int:
        """
        Write the index to a file; return the number of vectors in it.

        Raises:
            OSError: if the file cannot be written.
        """
        with self._changes:
            try:
                if isinstance(self._kind, FlatIndex):
                    self._kind.write(path)
                else:
                    list_file.write(self._kind, path)
            except RuntimeError as error:
                raise OSError(f"FAISS cannot write {path}: {error}") from error
            return len(self._kind)

    @classmethod
    def read(cls, path: Path, dimensions: int) -> FaissIndex:
        """
        Read what `write` wrote. FAISS trusts its files: verify them first.

        Raises:
            FaissIndexUnreadableError: if FAISS refuses the file or it holds another kind of index.
        """
        stored: FlatIndex | ListIndex | None
        try:
            stored = list_file.read(path) if list_file.is_one(path) else FlatIndex.read(path)
        except (RuntimeError, ValueError) as error:
            raise FaissIndexUnreadableError(f"FAISS cannot read {path.name}: {error}") from error
        if stored is None:
            raise FaissIndexUnreadableError(f"{path.name} holds an index of another kind")
        if stored.dimensions != dimensions:
            kind = f"an index of {stored.dimensions} dimensions"
            raise FaissIndexUnreadableError(f"{path.name} holds {kind}")
        index = cls(dimensions)
        index._kind = stored
        index._sum = index._sum_of(stored.ids)[0]
        index._improve_if_due()
        return index

    def _improve_if_due(self) -> None:
        kind = self._kind
        if len(kind) < self._not_before:
            return
        is_due = len(kind) >= EXACT_BELOW if isinstance(kind, FlatIndex) else kind.is_outgrown
        if is_due and self._retraining.acquire(blocking=False):
            self._thread = Thread(target=self._improve, name="faiss-retrain", daemon=True)
            self._thread.start()

    def _improve(self) -> None:
        try:
            faiss.omp_set_num_threads(1)  # of this thread: searches need the other cores
            if isinstance(self._kind, FlatIndex):
                self._turn(self._kind)
            else:
                self._kind.retrain(self._changes)
        except Exception as error:  # noqa: BLE001 - what is there answers as before
            log.warning("the FAISS index keeps its lists: %s", describe(error))
            self._not_before = int(len(self._kind) * PATIENCE)
        finally:
            self._retraining.release()

    def _turn(self, flat: FlatIndex) -> None:
        """From comparing with all to lists, a piece at a time."""
        with self._changes:
            self._touched = set()
            ids = flat.ids
        try:
            wanted = min(len(ids), sample_size(len(ids)))
            chosen = np.random.default_rng(len(ids)).choice(ids, wanted, replace=False)
            sample, is_there = flat.vectors_of(chosen)
            if np.count_nonzero(is_there) < FEWEST_TRAINED:
                return  # most of them were removed meanwhile
            inverted = ListIndex.train(sample[is_there], len(ids))
            del sample
            copy(flat, inverted, ids)
            with self._changes:
                ids = np.array(sorted(self._touched), np.int64)
                inverted.remove(ids)
                copy(flat, inverted, ids)
                self._kind = inverted
        finally:
            self._touched = None


def copy(flat: FlatIndex, inverted: ListIndex, ids: Ids) -> None:
    for start in range(0, len(ids), MOVED):
        part = ids[start : start + MOVED]
        vectors, is_there = flat.vectors_of(part)
        inverted.add(part[is_there], vectors[is_there])
