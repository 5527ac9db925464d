"""Texts of about the same length together, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Measured with OpenVINO in float32: a batch costs what some 16 tokens cost besides its own
# tokens. From 256 to 1,536 tokens a batch made no difference; smaller ones report sooner.
OVERHEAD_TOKENS = 16
LEAST_TOKENS = 128
MOST_TOKENS = 512


class Batch(NamedTuple):
    rows: NDArray[np.int64]  # shape (n,), which texts these are
    ids: NDArray[np.int64]  # shape (n, width)
    mask: NDArray[np.int64]  # shape (n, width), 0 where ids are padding


def batches(tokens: Sequence[Sequence[int]], *, workers: int) -> list[Batch]:
    """
    Cut into batches, the longest first, so that the workers finish together.

    Args:
        tokens: the token ids of each text, at least one each.
        workers: how many batches run side by side.
    """
    if not tokens:
        return []
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    most = int(np.clip(lengths.sum() // (2 * workers), LEAST_TOKENS, MOST_TOKENS))
    order = np.argsort(lengths, kind="stable")
    made: list[Batch] = []
    for start, stop in runs(lengths[order], most):
        width = int(lengths[order[stop - 1]])
        pieces = -(-(stop - start) // max(1, most // width))
        made += [padded(rows, tokens, width) for rows in np.array_split(order[start:stop], pieces)]
    return made[::-1]


def runs(lengths: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """
    Cut ascending lengths into the runs that cost least, each padded to its longest.

    The cost is counted in tokens. At most max_tokens lengths differ, so trying all is cheap.
    """
    widths, firsts = np.unique(lengths, return_index=True)
    bounds = np.append(firsts, len(lengths))
    least = np.zeros(len(bounds))  # cost of everything before a bound
    previous = np.zeros(len(bounds), dtype=np.int64)
    for end in range(1, len(bounds)):
        run_tokens = (bounds[end] - bounds[:end]) * widths[end - 1]
        costs = least[:end] + run_tokens + OVERHEAD_TOKENS * np.ceil(run_tokens / most)
        previous[end] = np.argmin(costs)
        least[end] = costs[previous[end]]
    found = []
    end = len(bounds) - 1
    while end > 0:
        found.append((int(bounds[previous[end]]), int(bounds[end])))
        end = int(previous[end])
    return found[::-1]


def padded(rows: NDArray[np.int64], tokens: Sequence[Sequence[int]], width: int) -> Batch:
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        own = tokens[row]
        ids[at, : len(own)] = own
        mask[at, : len(own)] = 1
    return Batch(rows, ids, mask)
