"""Waits grow, have a cap, and differ; what cannot succeed is not tried again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from procrastinate.jobs import Job

from application.ports.jobs import Stopped
from infrastructure.jobs.retry import AttemptsExhaustedError, BackOff


def job(attempts: int) -> Job:
    return Job(
        id=1, queue="reading", lock=None, queueing_lock=None, task_name="test", attempts=attempts
    )


def wait_seconds(strategy: BackOff, attempts: int, error: Exception | None = None) -> float | None:
    decision = strategy.get_retry_decision(exception=error or ConnectionError(), job=job(attempts))
    if decision is None:
        return None
    assert decision.retry_at is not None
    return (decision.retry_at - datetime.now(UTC)).total_seconds()


def test_the_longest_wait_doubles_up_to_the_cap() -> None:
    strategy = BackOff(max_attempts=8, first_seconds=2, cap_seconds=20, draw=lambda: 1.0)
    waits = [wait_seconds(strategy, attempts) for attempts in range(8)]
    assert waits[:7] == pytest.approx([2, 4, 8, 16, 20, 20, 20], abs=0.2)
    assert waits[7] is None


def test_the_wait_is_anything_up_to_the_longest() -> None:
    draws = iter([0.0, 0.5])
    strategy = BackOff(first_seconds=8, draw=lambda: next(draws))
    assert wait_seconds(strategy, 0) == pytest.approx(0, abs=0.2)
    assert wait_seconds(strategy, 0) == pytest.approx(4, abs=0.2)


def test_a_permanent_error_is_not_tried_again() -> None:
    strategy = BackOff(permanent=(ValueError,))
    assert wait_seconds(strategy, 0, UnicodeDecodeError("utf-8", b"", 0, 1, "no")) is None
    assert wait_seconds(strategy, 0, OSError()) is not None


def test_a_stopped_job_is_due_at_once_even_after_its_last_attempt() -> None:
    assert wait_seconds(BackOff(max_attempts=1), 7, Stopped()) == pytest.approx(0, abs=0.2)


def test_a_job_that_took_down_its_workers_too_often_does_not_run_again() -> None:
    strategy = BackOff(max_attempts=1, max_starts=2)
    strategy.require_attempt_left(job(attempts=1))
    with pytest.raises(AttemptsExhaustedError) as caught:
        strategy.require_attempt_left(job(attempts=2))
    assert strategy.get_retry_decision(exception=caught.value, job=job(attempts=0)) is None
