"""Requests are answered together, each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from infrastructure.vectors.together import Together


def test_those_who_wait_are_answered_together() -> None:
    batches: list[list[int]] = []
    is_begun, go_on = threading.Event(), threading.Event()

    def answer(asked: Sequence[int]) -> list[int]:
        batches.append(sorted(asked))
        is_begun.set()
        assert go_on.wait(30)
        return [number * 10 for number in asked]

    together = Together(answer)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(together.ask, 0)
        assert is_begun.wait(30)
        others = [pool.submit(together.ask, number) for number in range(1, 9)]
        while len(together._waiting) < 8:
            pass
        go_on.set()
        assert [future.result() for future in (first, *others)] == [n * 10 for n in range(9)]

    assert batches == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]


def test_a_failure_is_told_to_those_it_concerns() -> None:
    def answer(asked: Sequence[int]) -> list[int]:
        if 1 in asked:
            raise MemoryError
        return list(asked)

    together = Together(answer)
    with pytest.raises(MemoryError):
        together.ask(1)
    assert together.ask(2) == 2
