"""When a failed job runs again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from application.ports.jobs import Stopped


class AttemptsExhaustedError(Exception):
    """The job took its workers down as often as it may; it is not tried again by itself."""

    is_quotable = True


@dataclass(frozen=True, kw_only=True)
class BackOff(BaseRetryStrategy):
    """
    Exponential waits with a cap and full jitter: jobs that failed together come back apart.

    Never on a task with a queueing lock: a failed job cannot return to the queue while its twin
    waits there, and would block the twin for ever.
    """

    max_attempts: int = 5  # the first one counts
    # A worker's death counts as an attempt too, but seldom is the job's fault, and a resumable job
    # gets further each time: only one that takes its worker down again and again is given up.
    max_starts: int = 100
    first_seconds: float = 2.0  # the longest wait after the first attempt, doubled after each
    cap_seconds: float = 300.0
    permanent: tuple[type[BaseException], ...] = (AttemptsExhaustedError,)
    draw: Callable[[], float] = random.random  # 0 to 1

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Stopped):
            return RetryDecision(retry_at=datetime.now(UTC))
        if isinstance(exception, self.permanent) or self.is_last_attempt(job):
            return None
        longest = min(self.cap_seconds, self.first_seconds * 2.0**job.attempts)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=self.draw() * longest))

    def is_last_attempt(self, job: Job) -> bool:
        return job.attempts + 1 >= self.max_attempts

    def require_attempt_left(self, job: Job) -> None:
        """
        A job whose workers were killed counts its attempts, but nobody is left to give it up.

        Raises:
            AttemptsExhaustedError
        """
        if job.attempts >= self.max_starts:
            raise AttemptsExhaustedError(
                f"after {job.attempts} attempts, the last of which ended with the worker's process"
            )
