"""Put a failed job back into the queue, with all its attempts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.ports.jobs import JobNotFailedError, Jobs
from application.uploads import settle
from domain.job import JobRetry


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryJob:
    job_id: int


class RetryJobHandler:
    def __init__(self, archive: Archive, jobs: Jobs) -> None:
        self._archive = archive
        self._jobs = jobs

    def __call__(self, command: RetryJob, context: Context) -> Accepted:
        """
        The fact and its effect are one transaction.

        Raises:
            UnknownJobError, JobNotFailedError, JobAlreadyQueuedError, CommandIdReusedError
        """

        def decide() -> Decision:
            job = self._jobs.job(command.job_id)
            if job.status != "failed":
                raise JobNotFailedError(f"job {job.id} has not failed")
            retry = JobRetry.retry(id=uuid4(), job_id=job.id, task=job.task, attempts=job.attempts)
            return [retry], {}

        context = replace(context, workspace_id=None)  # the queue is the instance's
        return settle(self._archive, context, "RetryJob", decide, {"job_id": command.job_id})
