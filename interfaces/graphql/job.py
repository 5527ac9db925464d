"""The job queue: what failed and why, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from psycopg import Connection as Database
from strawberry.scalars import JSON

from application.ports.jobs import UnknownJobError
from infrastructure.jobs.queue import JobEntry, JobQueue, QueueGauge, jobs_by_id
from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.log_position import log_reached
from interfaces.graphql.node import Node, later
from interfaces.graphql.node_ids import node_id, parse_number
from interfaces.graphql.reading import After, Before, First, Last, MinPosition
from interfaces.graphql.subjects import upload_of_job

JOBS = PageOf[JobEntry]((int,), lambda job: (job.id,))


@strawberry.enum(description="Where a job stands.")
class JobStatus(Enum):
    QUEUED = strawberry.enum_value("todo", description="It waits for a worker.")
    RUNNING = strawberry.enum_value("doing", description="A worker is at it.")
    FAILED = strawberry.enum_value("failed", description="It was given up.")
    ENDED = strawberry.enum_value("other", description="It has ended, and is soon forgotten.")


KNOWN = ("todo", "doing", "failed")


@strawberry.type(description="Work in the queue. What succeeded leaves no job behind.")
class Job(Node):
    task: str = strawberry.field(description="What is to be done, for example `uploads:read`.")
    queue: str = strawberry.field(description="Where it waits, for example `reading`.")
    arguments: JSON = strawberry.field(
        description='Ids and numbers only, for example `{"upload_id": "5b1f0d3c-…"}`.'
    )
    status: JobStatus = strawberry.field(description="Where it stands.")
    attempts: int = strawberry.field(description="Attempts that have ended, for example 5.")
    scheduled_at: datetime | None = strawberry.field(
        description="Not before, in UTC, for example `2026-03-01T09:02:00+00:00`; null: as "
        "soon as a worker is free."
    )
    failed_at: datetime | None = strawberry.field(
        description="When it was given up, in UTC, for example `2026-03-01T09:02:00+00:00`; "
        "null: it was not."
    )
    error: str | None = strawberry.field(
        description="The exception's class and place, of the last attempt, for example "
        "`TimeoutError`; null: none is known, or it was put back by hand since."
    )

    @classmethod
    def of(cls, entry: JobEntry) -> Job:
        return cls(
            id=node_id("Job", entry.id),
            task=entry.task,
            queue=entry.queue,
            arguments=JSON(dict(entry.arguments)),
            status=JobStatus(entry.status if entry.status in KNOWN else "other"),
            attempts=entry.attempts,
            scheduled_at=entry.scheduled_at,
            failed_at=entry.failed_at,
            error=entry.error,
        )

    @strawberry.field(
        description="The upload that it works on; null: none, or one that you may not read."
    )
    async def upload(self, info: Ask) -> later("Upload", "upload") | None:  # type: ignore[valid-type]
        return await upload_of_job(info, cast("Mapping[str, Any]", self.arguments))


@strawberry.type(description="How many jobs of a queue are in one state.")
class QueueState:
    queue: str = strawberry.field(description="For example `reading`.")
    status: JobStatus = strawberry.field(description="Where these jobs stand.")
    jobs: int = strawberry.field(description="How many there are, for example 5.")
    oldest_waiting_seconds: float | None = strawberry.field(
        description="How long the first of those that are due has waited, for example 1.5; "
        "null: none is."
    )

    @classmethod
    def of(cls, gauge: QueueGauge) -> QueueState:
        return cls(
            queue=gauge.queue,
            status=JobStatus(gauge.status if gauge.status in KNOWN else "other"),
            jobs=gauge.jobs,
            oldest_waiting_seconds=gauge.oldest_waiting_seconds,
        )


async def failed_jobs(
    info: Ask,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    min_position: MinPosition = None,
) -> Connection[Job] | None:
    window = JOBS.window(first=first, after=after, last=last, before=before)
    info.context.spend_window(window)
    await log_reached(info, min_position)
    queue = JobQueue(info.context.container.pool)
    return JOBS.connection(
        await info.context.run(lambda: queue.failed_page(window)), window, Job.of
    )


async def job(
    info: Ask,
    id: Annotated[strawberry.ID, strawberry.argument(description="For example `Job:1024`.")],
    min_position: MinPosition = None,
) -> Job | None:
    await log_reached(info, min_position)
    number = parse_number("Job", id)
    return None if number is None else await find_job(info, number)


async def find_job(info: Ask, number: int) -> Job | None:
    queue = JobQueue(info.context.container.pool)
    try:
        return Job.of(await info.context.run(lambda: queue.job(number)))
    except UnknownJobError:
        return None


def find_jobs(
    database: Database[Any], workspaces: Sequence[UUID], ids: Sequence[int]
) -> dict[int, Job]:
    """Of the instance: no job belongs to a workspace."""
    del workspaces
    return {id: Job.of(entry) for id, entry in jobs_by_id(database, ids).items()}


async def queues(info: Ask, min_position: MinPosition = None) -> list[QueueState] | None:
    await log_reached(info, min_position)
    gauges = await info.context.run(JobQueue(info.context.container.pool).gauges)
    return [QueueState.of(gauge) for gauge in gauges]
