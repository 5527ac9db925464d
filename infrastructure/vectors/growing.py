"""Rows in memory of which more and more are used, without a second copy when they grow."""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

GROWTH = 8  # an eighth more room than is asked for; what is not used yet takes no memory
LEAST_BYTES = 1 << 16
PIECE = 1 << 14  # rows moved at a time


class GrowingRows:
    """
    An array of shape (len, width), or (len,) where the width is 1, that grows at its end.

    The kernel moves its pages when it grows, so views taken before are worthless then: whoever
    reads must not do so while another thread appends.
    """

    def __init__(self, width: int, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row_bytes = width * self._dtype.itemsize
        self._count = 0
        self._memory = allocate(LEAST_BYTES)
        self._all: NDArray[Any] = self._view()

    def __len__(self) -> int:
        return self._count

    @property
    def used(self) -> NDArray[Any]:
        """A view of the rows; not to be kept."""
        return self._all[: self._count]

    @property
    def memory_bytes(self) -> int:
        return self._count * self._row_bytes

    def append(self, rows: NDArray[Any]) -> None:
        end = self._count + len(rows)
        if end * self._row_bytes > len(self._memory):
            self._grow(end)
        self._all[self._count : end] = rows
        self._count = end

    def keep(self, which: NDArray[np.int64]) -> None:
        """Keep these rows only, in their order; which ascends."""
        for start in range(0, len(which), PIECE):
            chosen = which[start : start + PIECE]
            self._all[start : start + len(chosen)] = self._all[chosen]
        self._all[len(which) : self._count] = 0
        self._count = len(which)

    def _view(self) -> NDArray[Any]:
        rows = len(self._memory) // self._row_bytes
        flat = np.frombuffer(self._memory, self._dtype, rows * self._width)
        return flat if self._width == 1 else flat.reshape(rows, self._width)

    def _grow(self, rows: int) -> None:
        size = (rows + rows // GROWTH) * self._row_bytes
        del self._all
        try:
            self._memory.resize(size)
        except (BufferError, OSError, SystemError):  # somebody holds a view, or no mremap here
            larger = allocate(size)
            larger[: len(self._memory)] = memoryview(self._memory)
            self._memory = larger
        self._all = self._view()


def allocate(size: int) -> mmap.mmap:
    """Private: what is shared cannot be made larger than it was."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # Rows here and there are read in two thirds of the time.
        with suppress(OSError):  # a kernel without large pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
