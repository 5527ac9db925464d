"""Jobs that were given up, told in the order in which that happened."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import strawberry
from psycopg_pool import ConnectionPool
from strawberry.scalars import JSON

from infrastructure.jobs.failure_feed import (
    CHANNEL,
    JobFailure,
    failures_after,
    last_failure_id,
)
from infrastructure.postgres.notifications import NotificationHub
from interfaces.graphql.job import Job, JobStatus
from interfaces.graphql.live.changes import Changes, Source
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.scalars import BigInt


@strawberry.type(description="A job that was given up, and waits to be retried or discarded.")
class JobFailed:
    failure_id: BigInt = strawberry.field(
        description="Counts failures in the order in which they became known, for example `7`."
    )
    job: Job = strawberry.field(description="As it was then.")

    @classmethod
    def of(cls, failure: JobFailure) -> JobFailed:
        job = Job(
            id=node_id("Job", failure.job_id),
            task=failure.task,
            queue=failure.queue,
            arguments=JSON(dict(failure.arguments)),
            status=JobStatus.FAILED,
            attempts=failure.attempt,
            scheduled_at=None,
            failed_at=failure.failed_at,
            error=failure.error,
        )
        return cls(failure_id=BigInt(failure.failure_id), job=job)


def job_failures(hub: NotificationHub, pool: ConnectionPool[Any]) -> Changes[JobFailure]:
    def listen(on_move: Callable[[], None]) -> Callable[[], None]:
        end = hub.subscribe(CHANNEL, lambda _: on_move(), on_move)
        hub.start()
        return end

    def page(after: int, limit: int, key: Hashable | None) -> Sequence[JobFailure]:
        del key  # nobody follows a single job
        with pool.connection() as connection:
            return failures_after(connection, after, limit)

    def head() -> int:
        with pool.connection() as connection:
            return last_failure_id(connection)

    return Changes(
        Source(
            listen=listen,
            head=head,
            page=page,
            position=lambda failure: failure.failure_id,
            key=lambda failure: failure.job_id,
            build=JobFailed.of,
        )
    )
