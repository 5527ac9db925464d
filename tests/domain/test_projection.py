"""A read model's upkeep: one operation at a time, and each wish ends once."""

from __future__ import annotations

from functools import partial

import pytest

from domain.projection import OperationRunningError, Projection, Swap

BUILD = Swap(version=2, replaces=1)
BACK = Swap(version=1, replaces=2)


@pytest.fixture
def projection() -> Projection:
    return Projection.register("messages")


def topics(projection: Projection) -> list[str]:
    return [event.TOPIC.removeprefix("projection.") for event in projection.pending_events]


def test_one_operation_at_a_time(projection: Projection) -> None:
    projection.request_rebuild(BUILD)
    for ask in (projection.request_rebuild, projection.request_roll_back):
        with pytest.raises(OperationRunningError, match="messages is being rebuilt"):
            ask(BUILD)
    projection.switch_over(1, 2)
    projection.request_roll_back(BACK)

    assert (projection.running, projection.wish, projection.swap) == ("roll_back", 2, BACK)


def test_a_failure_says_of_what_and_lets_another_one_begin(projection: Projection) -> None:
    projection.request_roll_back(BACK)
    projection.fail(1, "none is kept")
    event = projection.pending_events[-1]

    assert isinstance(event, Projection.OperationFailed)
    assert (event.operation, event.reason) == ("roll_back", "none is kept")
    assert projection.running is None


def test_readers_may_see_another_version_although_the_operation_was_given_up(
    projection: Projection,
) -> None:
    """Its job was discarded, and got there before it stopped: what happened is recorded."""
    projection.request_rebuild(BUILD)
    projection.fail(1, "its job was discarded")
    projection.switch_over(1, 2)

    assert isinstance(projection.pending_events[-1], Projection.SwitchedOver)


@pytest.mark.parametrize(
    "end",
    [
        partial(Projection.switch_over, wish=1, version=2),
        partial(Projection.fail, wish=1, reason="the disk is full"),
    ],
)
def test_the_end_of_a_wish_is_not_the_end_of_the_next_one(
    projection: Projection, end: partial[None]
) -> None:
    projection.request_rebuild(BUILD)
    projection.fail(1, "its job was discarded")
    projection.request_roll_back(BACK)
    end(projection)

    assert projection.is_wanted(2)
    assert not projection.is_wanted(1)


def test_a_wish_is_fulfilled_once(projection: Projection) -> None:
    projection.request_rebuild(BUILD)
    projection.switch_over(1, 2)
    projection.switch_over(1, 2)
    projection.fail(1, "too late")

    assert topics(projection) == ["registered", "rebuild_requested", "switched_over"]
