"""The inverted index in a file: what it is of, the rows as they lie in memory, FAISS' lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from infrastructure.vectors.list_index import ListIndex
from infrastructure.vectors.lists import InvertedLists
from infrastructure.vectors.patched import faiss
from infrastructure.vectors.slots import Slots
from infrastructure.vectors.stored_rows import StoredRows

MAGIC = b"chatledger inverted lists 1\n"
PIECE = 16_384  # rows read at a time
MOST_DIMENSIONS = 1 << 16
FIELDS = ("dimensions", "reduced", "slots", "trained_for")


def is_one(path: Path) -> bool:
    """
    Raises:
        OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def write(index: ListIndex, path: Path) -> None:
    """
    Nobody may change the index meanwhile; searches go on.

    Raises:
        OSError: if the file cannot be written.
    """
    head = {
        "dimensions": index.dimensions,
        "reduced": len(index.lists.axes),
        "slots": index.slots.count,
        "trained_for": index.lists.trained_for,
    }
    is_alive = np.zeros(index.slots.count, np.uint8)
    is_alive[index.slots.alive()] = 1
    with path.open("wb") as file:
        file.write(MAGIC + json.dumps(head).encode() + b"\n")
        axes = index.lists.axes
        for part in (index.rows.ranges, axes, index.slots.ids, is_alive, index.rows.codes):
            file.write(np.ascontiguousarray(part).data)
        faiss.write_index(index.lists.index, faiss.PyCallbackIOWriter(file.write))


def read(path: Path) -> ListIndex:
    """
    Raises:
        OSError: if the file cannot be read.
        RuntimeError: if FAISS refuses its part.
        ValueError: if its parts do not fit together.
    """
    with path.open("rb") as file:
        file.seek(len(MAGIC))
        dimensions, reduced, count, trained_for = head_of(file)
        rows, slots = StoredRows(dimensions), Slots()
        rows.ranges = array(file, np.float32, 2 * dimensions)
        axes = array(file, np.float32, reduced * dimensions).reshape(reduced, dimensions)
        ids = array(file, np.int64, count)
        is_alive = array(file, np.uint8, count)
        if count:
            slots.append(ids)
            slots.remove(np.flatnonzero(is_alive == 0))
        for start in range(0, count, PIECE):
            size = min(PIECE, count - start)
            rows.append(array(file, np.uint8, size * dimensions).reshape(size, dimensions))
        stored: Any = faiss.read_index(faiss.PyCallbackIOReader(file.read))
    if not isinstance(stored, faiss.IndexIVFPQFastScan) or stored.d != reduced:
        raise ValueError(f"its lists are an {type(stored).__name__}")
    lists = InvertedLists(axes, stored, trained_for)
    if not np.array_equal(lists.slots(), slots.alive()):
        raise ValueError("its lists are not those of its rows")
    return ListIndex(rows, lists, slots)


def head_of(file: BinaryIO) -> tuple[int, int, int, int]:
    """
    Raises:
        ValueError: if they are not the numbers that there have to be.
    """
    head = json.loads(file.readline(1_000))
    found = [head.get(field) for field in FIELDS] if isinstance(head, dict) else []
    numbers = [number for number in found if type(number) is int and number >= 0]
    if len(numbers) != len(FIELDS):
        raise ValueError("its head is not ours")
    dimensions, reduced, count, trained_for = numbers
    if not 0 < reduced <= dimensions < MOST_DIMENSIONS:
        raise ValueError(f"it has {reduced} of {dimensions} dimensions")
    return dimensions, reduced, count, trained_for


def array(file: BinaryIO, dtype: Any, count: int) -> NDArray[Any]:
    """
    Raises:
        ValueError: if the file ends before.
    """
    data = file.read(count * np.dtype(dtype).itemsize)
    if len(data) != count * np.dtype(dtype).itemsize:
        raise ValueError("it ends too early")
    return np.frombuffer(data, dtype)
