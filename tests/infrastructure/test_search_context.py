"""Late context: which messages are linked, and what linked messages do to each other's scores."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.columns.addressing import addressed
from infrastructure.search.context import (
    CHOSEN,
    NO_CARRY,
    Links,
    Said,
    carry,
    in_context,
    link,
    stretches,
)


def said(key: int, name: str | None, text: str = "", **rest: object) -> Said:
    return Said(key, name, name or "", key * 10.0, addressed(text))._replace(**rest)


def linked(*messages: Said) -> dict[tuple[int, int], float]:
    """Weights by the keys of the two messages, the earlier one first."""
    keys, links = link([messages])
    return {
        (keys[one], keys[other]): weight
        for one, other, weight in zip(links.one, links.other, links.weight.tolist(), strict=True)
    }


def chain(length: int, weight: float = 1.0) -> Links:
    one = np.arange(length - 1)
    return Links(one, one + 1, np.full(length - 1, weight))


def test_windows_that_overlap_become_one_stretch() -> None:
    assert stretches([[1, 2, 3], [7, 8], [3, 4], [2, 3, 4]]) == [[1, 2, 3, 4], [7, 8]]


def test_windows_that_only_touch_stay_apart() -> None:
    """Between 2 and 3 there may be messages that nobody looked up."""
    assert stretches([[1, 2], [3, 4]]) == [[1, 2], [3, 4]]
    assert stretches([[5]]) == [[5]]
    assert stretches([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12).map(
        lambda windows: [list(range(start, start + length)) for start, length in windows]
    )
)
def test_each_message_is_in_one_stretch_beside_its_neighbours(windows: list[list[int]]) -> None:
    found = stretches(windows)
    every = [key for stretch in found for key in stretch]
    assert sorted(every) == sorted({key for window in windows for key in window})
    together = {pair for stretch in found for pair in pairwise(stretch)}
    assert together == {pair for window in windows for pair in pairwise(window)}


def test_who_speaks_next_is_linked_a_little_and_the_same_author_wholly() -> None:
    assert linked(said(1, "ann"), said(2, "bob"), said(3, "ann")) == {
        (1, 2): CHOSEN.next,
        (2, 3): CHOSEN.next,
        (1, 3): 1.0,
    }


@pytest.mark.parametrize(
    "text", ["ann: try that", "Ann, try that", "@ann: yes", "  ann : yes", "ann lee: no", "ANN,"]
)
def test_who_is_addressed_is_linked(text: str) -> None:
    messages = [said(1, "Ann Lee"), said(2, "bob"), said(3, "cleo"), said(4, "bob", text)]
    assert linked(*messages)[1, 4] == 1.0


@pytest.mark.parametrize("text", ["anna: no", "I told ann: no", "well, ann", "ann", "", ":", ",,,"])
def test_a_name_elsewhere_links_nobody(text: str) -> None:
    assert (1, 3) not in linked(said(1, "ann"), said(2, "bob"), said(3, "cleo", text))


def test_a_first_name_that_two_people_have_links_neither() -> None:
    both = [said(1, "Ann Lee"), said(2, "Ann Day"), said(3, "bob"), said(4, "cleo", "ann: hi")]
    assert {pair for pair in linked(*both) if 4 in pair} == {(3, 4)}
    full = [*both[:3], said(4, "cleo", "Ann Lee: hi")]
    assert (1, 4) in linked(*full)


def test_after_a_long_pause_only_a_reply_links() -> None:
    late = [said(1, "ann"), said(2, "ann", at=9_999.0)]
    assert linked(*late) == {}
    assert linked(late[0], late[1]._replace(answers=1)) == {(1, 2): 1.0}


def test_replies_and_threads_link_what_lies_apart() -> None:
    messages = [
        said(1, "ann", thread="t"),
        said(2, "bob"),
        said(3, "cleo", thread="t"),
        said(4, "dan", answers=2),
    ]
    assert linked(*messages) == {
        (1, 2): CHOSEN.next,
        (2, 3): CHOSEN.next,
        (3, 4): CHOSEN.next,
        (1, 3): 1.0,
        (2, 4): 1.0,
    }


def test_a_reply_to_what_is_not_there_or_to_itself_links_nothing() -> None:
    assert linked(said(1, "ann", answers=99)) == {}
    assert linked(said(1, "ann", answers=1)) == {}


def test_the_system_goes_on_with_nobody() -> None:
    assert linked(said(1, None), said(2, "bob"), said(3, None, "bob: joined")) == {
        (1, 2): CHOSEN.next,
        (2, 3): CHOSEN.next,
    }


def test_rows_of_several_stretches_are_told_apart() -> None:
    keys, links = link([[said(1, "ann"), said(2, "bob")], [said(8, "ann"), said(9, "bob")]])
    assert keys == [1, 2, 8, 9]
    assert list(zip(links.one.tolist(), links.other.tolist(), strict=True)) == [(0, 1), (2, 3)]


def test_nothing_at_all() -> None:
    keys, links = link([])
    assert keys == []
    assert in_context(np.zeros(0), links, background=0.0).shape == (0,)


def test_neighbours_of_what_is_near_rise() -> None:
    """Ten pairs of a near message and one that is nearer than chance; and one that is alone."""
    scores = np.array([0.6, 0.3] * 10 + [0.3])
    pairs = Links(np.arange(0, 20, 2), np.arange(1, 20, 2), np.ones(10))

    found = in_context(scores, pairs, background=0.1)

    assert (found[1:20:2] > 0.45).all()
    assert found[20] == 0.3
    assert found.max() <= 0.6


def test_where_neighbours_say_no_more_than_chance_nothing_changes() -> None:
    random = np.random.default_rng(3)
    scores = random.normal(0.2, 0.1, 2_000)
    assert abs(carry(scores, chain(2_000), background=0.2).share) < 0.05

    found = in_context(scores, chain(2_000), background=0.2)

    assert np.array_equal(found, scores)


def test_carry_is_one_where_neighbours_are_as_near() -> None:
    scores = np.repeat([0.9, 0.1], 500)
    found = carry(scores, chain(1_000), background=0.1)
    assert found.share == pytest.approx(1.0, abs=0.02)
    assert found.opening == 1.0


def test_a_few_links_do_not_convince() -> None:
    """Two messages that happen to be near are no evidence for a third one."""
    assert carry(np.array([0.4, 0.3]), chain(2), background=0.2).share < 0.3
    assert carry(np.array([0.4, 0.3]), chain(1), background=0.2).opening == 0.0


def test_only_the_best_tell_whether_neighbours_are_worth_listening_to() -> None:
    """Far below, everything is as far away as its neighbours."""
    scores = np.array([0.9, 0.0, 0.9, 0.0] + [0.1, 0.1] * 50)
    assert carry(scores, chain(104), background=0.05, seeds=2).share < 0.0


def test_among_few_messages_chance_convinces_nobody() -> None:
    """Of ninety in any order, neighbours of the best thirty are often near themselves."""
    random = np.random.default_rng(4)
    shares, openings = [], []
    for _ in range(200):
        scores = random.normal(0.2, 0.2, 90)
        found = carry(scores, chain(90), background=0.2, seeds=30)
        shares.append(found.share)
        openings.append(found.opening)
    assert np.mean(np.array(shares) > NO_CARRY) > 0.1
    assert np.mean(openings) < 0.05


def test_few_messages_that_talk_to_each_other_do_convince() -> None:
    random = np.random.default_rng(4)
    scores = random.normal(0.1, 0.1, 90)
    scores[30:60] = random.normal(0.6, 0.1, 30)
    assert carry(scores, chain(90), background=0.1, seeds=30).opening == 1.0


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60),
    st.booleans(),
)
def test_scores_stay_on_their_scale(
    values: list[float], pairs: list[tuple[int, int]], is_gated: bool
) -> None:
    """Never above the best, never below 0 by context; and a row without links keeps its own."""
    scores = np.array(values)
    known = {(a, b) for a, b in pairs if a < b < len(values)}
    rows = np.array(sorted(known), dtype=np.intp).reshape(-1, 2)
    links = Links(rows[:, 0], rows[:, 1], np.ones(len(rows)))

    found = in_context(scores, links, background=0.0, tuning=CHOSEN._replace(is_gated=is_gated))

    assert np.isfinite(found).all()
    assert found.max() <= max(scores.max(), 0.0) + 1e-9
    lone = [row for row in range(len(values)) if row not in rows]
    assert np.array_equal(found[lone], scores[lone])
