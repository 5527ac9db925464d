"""The vectors themselves, a byte a number, in numbered slots: what answers are ranked by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infrastructure.vectors.growing import GrowingRows
from infrastructure.vectors.patched import faiss

DEVIATIONS = 4.0  # of the sample on each side of its mean; what lies beyond is cut off
PIECE = 32_768  # rows copied to be compared
Slots = NDArray[np.int64]
Vectors = NDArray[np.float32]


class StoredRows:
    """
    Each dimension in 256 equal steps, which the first sample decides once and for all: codes are
    never made again from codes. Not safe by itself: the index that it belongs to guards it.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._rows = GrowingRows(dimensions, np.uint8)
        self.quantizer: Any = empty(dimensions)  # a FAISS index over the rows, that sees them all

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Shape (slots, dimensions). A view: not to be kept."""
        return self._rows.used

    @property
    def memory_bytes(self) -> int:
        return self._rows.memory_bytes

    def train(self, sample: Vectors) -> None:
        self.quantizer.train(sample)

    @property
    def ranges(self) -> Vectors:
        """What `train` decided: the least value and the width, of each dimension in turn."""
        found: Vectors = faiss.vector_to_array(self.quantizer.sq.trained)
        return found

    @ranges.setter
    def ranges(self, values: Vectors) -> None:
        set_ranges(self.quantizer, values)

    def encode(self, vectors: Vectors) -> NDArray[np.uint8]:
        codes: NDArray[np.uint8] = self.quantizer.sa_encode(vectors)
        return codes

    def append(self, codes: NDArray[np.uint8]) -> None:
        self._rows.append(codes)
        self._look_again()

    def erase(self, slots: Slots) -> None:
        """Leave nothing of them in memory; the slots stay."""
        self._rows.used[slots] = 0

    def keep(self, slots: Slots) -> None:
        """Close the gaps: slots, which ascend, are numbered from 0 on."""
        self._rows.keep(slots)
        self._look_again()

    def decode(self, slots: Slots) -> Vectors:
        """Shape (len(slots), dimensions), not quite of L2 norm 1."""
        vectors: Vectors = self.quantizer.sa_decode(self._rows.used[slots])
        return vectors

    def nearest(self, queries: Vectors, k: int, slots: Slots) -> tuple[Slots, Vectors]:
        """
        Compare with every one of these slots, of which there is at least one.

        Returns:
            Slots and inner products, nearest first, of the shape (len(queries), min(k, slots)).
        """
        some = empty(self.dimensions)
        set_ranges(some, self.ranges)
        numbers, products = [], []
        for start in range(0, len(slots), PIECE):
            part = slots[start : start + PIECE]
            codes = np.take(self._rows.used, part, axis=0)  # twice as quick as an index
            look_at(some, codes)
            scores, found = some.search(queries, min(k, len(part)))
            numbers.append(part[found])
            products.append(scores)
        if len(numbers) == 1:
            return numbers[0], products[0]
        every, scores = np.hstack(numbers), np.hstack(products)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(every, best, 1), np.take_along_axis(scores, best, 1)

    def _look_again(self) -> None:
        look_at(self.quantizer, self._rows.used)


def empty(dimensions: int) -> Any:
    kind = faiss.ScalarQuantizer.QT_8bit
    index: Any = faiss.IndexScalarQuantizer(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    index.sq.rangestat = faiss.ScalarQuantizer.RS_meanstd
    index.sq.rangestat_arg = DEVIATIONS
    return index


def set_ranges(index: Any, values: Vectors) -> None:
    faiss.copy_array_to_vector(values, index.sq.trained)
    index.is_trained = True


def look_at(index: Any, codes: NDArray[np.uint8]) -> None:
    """Let FAISS read the codes where they are. It does not keep them alive: the caller does."""
    view = faiss.MaybeOwnedVectorUInt8()
    address = faiss.swig_ptr(codes.reshape(-1)) if len(codes) else None
    view.is_owned = False
    view.view_data = view.c_ptr = address
    view.view_size = view.c_size = codes.size
    index.codes = view
    index.ntotal = len(codes)
