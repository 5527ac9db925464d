"""What words are worth, how they raise a cosine, and what a score means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import bm25
from infrastructure.search.calibration import CUT_OFF, HYBRID, MEANING, Calibration, calibrated
from infrastructure.search.fusion import WORDS, combined, looked_up


def test_a_rare_word_is_worth_more_than_a_common_one() -> None:
    worth = bm25.idf(1_000, [0, 1, 10, 500, 1_000])
    assert (np.diff(worth) < 0).all()
    assert worth.min() > 0
    assert worth[2] == pytest.approx(math.log(1 + 990.5 / 10.5))


def test_a_word_that_stands_once_in_a_mean_message_is_worth_its_idf() -> None:
    assert bm25.impacts(3.0, 1, 8.0, 8.0) == pytest.approx(3.0)


def test_more_often_is_worth_more_and_longer_is_worth_less() -> None:
    often = bm25.impacts(1.0, [1, 2, 100], 8.0, 8.0)
    assert (np.diff(often) > 0).all()
    assert often[-1] < bm25.K1 + 1
    assert (np.diff(bm25.impacts(1.0, 1, [1.0, 8.0, 80.0], 8.0)) < 0).all()


@pytest.mark.parametrize(("words", "weight"), [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)])
def test_the_fewer_words_the_more_they_count(words: int, weight: float) -> None:
    alone = combined(np.zeros(1), np.array([8.0]), ideal=8.0)
    whole = alone + looked_up(np.array([8.0]), ideal=8.0, words=words)
    assert whole[0] == pytest.approx(weight)
    assert looked_up(np.array([8.0]), ideal=8.0, words=words + 4)[0] == 0.0


def test_words_raise_as_far_as_they_are_there() -> None:
    found = combined(np.full(4, 0.5), np.array([0.0, 4.0, 8.0, 99.0]), ideal=8.0)
    assert found.tolist() == [0.5, 0.5 + WORDS / 2, 0.5 + WORDS, 0.5 + WORDS]


def test_a_word_looked_up_counts_the_same_in_a_long_message() -> None:
    """What BM25 takes from a long message is no more than a quarter."""
    found = looked_up(np.array([3.0, 3.0, 0.0]), ideal=3.0, words=1)
    assert found.tolist() == [0.75, 0.75, 0.0]


@pytest.mark.parametrize("words", [0, 3])
def test_a_query_without_words_is_left_to_meaning(words: int) -> None:
    """Nothing but stop words, or nothing that is a word."""
    cosines = np.array([0.2, -0.1])
    assert combined(cosines, np.zeros(2), ideal=0.0).tolist() == cosines.tolist()
    assert looked_up(np.zeros(2), ideal=0.0, words=words).tolist() == [0.0, 0.0]


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 50), st.floats(0, 10)), min_size=2),
    st.integers(1, 9),
)
def test_who_is_better_on_both_sides_is_better_combined(
    sides: list[tuple[float, float, float]], words: int
) -> None:
    cosines, impacts, held = np.array(sides).T
    found = combined(cosines, impacts, ideal=10.0) + looked_up(held, ideal=10.0, words=words)
    better = np.logical_and.reduce([side[:, None] >= side for side in (cosines, impacts, held)])
    assert (found[:, None] >= found)[better].all()


both = pytest.mark.parametrize("calibration", [MEANING, HYBRID], ids=["meaning", "hybrid"])


@both
def test_a_score_s_meaning_rises_with_it_and_falls_with_what_chance_gives(
    calibration: Calibration,
) -> None:
    rising = calibrated(np.linspace(-1, 2, 50), 0.1, calibration)
    assert (np.diff(rising) > 0).all()
    assert 0 < rising[0] < rising[-1] <= 1
    assert (np.diff(calibrated(0.5, np.linspace(-0.1, 0.5, 20), calibration)) < 0).all()


@both
def test_what_is_as_near_as_chance_is_below_the_cut_off(calibration: Calibration) -> None:
    for background in (0.0, 0.1, 0.2):
        assert calibrated(background + 0.05, background, calibration) < CUT_OFF
    assert calibrated(0.9, 0.2, calibration) > 0.9
