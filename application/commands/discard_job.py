"""Take a job out of the queue, or ask it to stop; what it was about counts as failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID, uuid4

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.ports.jobs import JobFacts, JobMovedError, Jobs
from application.uploads import ATTEMPTS, UNFINISHED, settle
from domain.aggregate import Aggregate
from domain.job import JobDiscard
from domain.projection import Projection
from domain.upload import Upload

REASON = "its job was discarded"
# What a task does to its upload.
STEPS: Mapping[str, str] = MappingProxyType(
    {"uploads:read": "reading", "uploads:embed": "embedding"}
)
OPERATE = "projections:operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardJob:
    job_id: int


class DiscardJobHandler:
    def __init__(self, archive: Archive, jobs: Jobs) -> None:
        self._archive = archive
        self._jobs = jobs

    def __call__(self, command: DiscardJob, context: Context) -> Accepted:
        """
        The fact and its effect are one transaction. A running job stops within seconds.

        Returns:
            The result has `job_id` and `was_running`.

        Raises:
            UnknownJobError, CommandIdReusedError
            JobMovedError: if it begins and ends too often to be caught.
        """
        context = replace(context, workspace_id=None)  # the queue is the instance's
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                return self._discard(command, context)
            except JobMovedError:
                if not attempts_left:
                    raise
        raise AssertionError("unreachable")

    def _discard(self, command: DiscardJob, context: Context) -> Accepted:
        def decide() -> Decision:
            job = self._jobs.job(command.job_id)
            was_running = job.status == "doing"
            discard = JobDiscard.discard(
                id=uuid4(), job_id=job.id, task=job.task, was_running=was_running
            )
            return [*self._left_undone(job), discard], {"was_running": was_running}

        return settle(self._archive, context, "DiscardJob", decide, {"job_id": command.job_id})

    def _left_undone(self, job: JobFacts) -> list[Aggregate]:
        """What waits for the job to be done, told that it will not be."""
        if job.task in STEPS:
            stage = STEPS[job.task]
            upload = self._archive.find(Upload, UUID(job.arguments["upload_id"]))
            if upload is not None and upload.stage in UNFINISHED[stage]:
                upload.fail(stage=stage, reason=REASON, attempt=max(1, job.attempts), is_final=True)
                return [upload]
        if job.task == OPERATE:
            id_ = Projection.create_id(job.arguments["name"])
            projection = self._archive.find(Projection, id_)
            if projection is not None:
                projection.fail(job.arguments["wish"], REASON)
                return [projection]
        return []
