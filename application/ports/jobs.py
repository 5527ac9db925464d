"""Port: work to be done later, exactly once asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# retry: back into the queue, with all its attempts. remove: only while it does not run.
# abort: ask a running one to stop; it is not tried again.
JobAction = Literal["retry", "remove", "abort"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """
    A job to defer in the transaction that records why.

    Arguments are ids and numbers only: they are logged and stay in the queue's table.
    """

    task: str  # "family:verb_noun"
    queue: str
    arguments: dict[str, str | int] = field(default_factory=dict)
    lock: str | None = None  # at most one job with the same lock runs at a time
    priority: int = 0  # higher runs first


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """What is done to a waiting, failed or running job in the transaction that records it."""

    action: JobAction
    job_id: int


# With a policy's answer or a command's: all of it in the transaction of the events, or none.
JobAsked = JobRequest | JobChange


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """A job as it is now."""

    id: int
    task: str
    arguments: Mapping[str, Any]
    status: str  # todo, doing, failed
    attempts: int  # that have ended


class UnknownJobError(Exception):
    """There is no such job; one that succeeded leaves nothing behind."""


class JobNotFailedError(Exception):
    """Only a failed job can be tried again."""


class JobAlreadyQueuedError(Exception):
    """The same is waiting to be done already."""


class JobMovedError(Exception):
    """The job began, ended or went away between the decision about it and its record."""


class Jobs(Protocol):
    def job(self, id: int) -> JobFacts:
        """
        Raises:
            UnknownJobError
        """
        ...


class Stopped(Exception):  # noqa: N818 - it reports no error
    """The process is stopping: what was recorded stays, run the job again later."""
