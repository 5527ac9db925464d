"""What somebody did about a job by hand. What the queue does by itself is no fact of the log."""

from __future__ import annotations

from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation


class JobRetry(Aggregate):
    """A failed job was put back into the queue."""

    TOPIC = "job_retry"

    class Retried(Creation):
        TOPIC = "job.retried"
        job_id: int
        task: str
        attempts: int  # that had failed

    @classmethod
    def retry(cls, *, id: UUID, job_id: int, task: str, attempts: int) -> JobRetry:
        return cls._create(cls.Retried, id=id, job_id=job_id, task=task, attempts=attempts)

    @event(Retried)
    def __init__(self, *, job_id: int, task: str, attempts: int) -> None:
        self.job_id = job_id
        self.task = task
        self.attempts = attempts


class JobDiscard(Aggregate):
    """A job was taken out of the queue, or, if it was running, asked to stop."""

    TOPIC = "job_discard"

    class Discarded(Creation):
        TOPIC = "job.discarded"
        job_id: int
        task: str
        was_running: bool

    @classmethod
    def discard(cls, *, id: UUID, job_id: int, task: str, was_running: bool) -> JobDiscard:
        return cls._create(cls.Discarded, id=id, job_id=job_id, task=task, was_running=was_running)

    @event(Discarded)
    def __init__(self, *, job_id: int, task: str, was_running: bool) -> None:
        self.job_id = job_id
        self.task = task
        self.was_running = was_running
