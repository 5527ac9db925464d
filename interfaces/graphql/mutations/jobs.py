"""Mutations about jobs."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from application.archive import Accepted
from application.commands.discard_job import DiscardJob
from application.commands.retry_job import RetryJob
from interfaces.graphql.context import Ask
from interfaces.graphql.job import Job, find_job
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    JobAlreadyQueued,
    JobMoved,
    JobNotFailed,
    JobNotFound,
    MutationSuccess,
    carry_out,
)
from interfaces.graphql.node_ids import parse_number
from interfaces.graphql.refusals import ArgumentRefused
from interfaces.graphql.scalars import BigInt

JOB_ID = "The job's id, for example `Job:1024`."


@strawberry.input(description="What `retryJob` needs.")
class RetryJobInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=JOB_ID)


@strawberry.input(description="What `discardJob` needs.")
class DiscardJobInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=JOB_ID)


@strawberry.type(description="The job was put back into the queue, with all its attempts.")
class RetryJobSuccess(MutationSuccess):
    job: Job | None = strawberry.field(description="As it is now; null: it is done already.")


@strawberry.type(
    description="The job is out of the queue. The upload or the read model that waited for it "
    "counts as failed."
)
class DiscardJobSuccess(MutationSuccess):
    was_running: bool = strawberry.field(
        description="It was asked to stop, which it does within seconds."
    )


RetryJobAnswer = Annotated[
    RetryJobSuccess
    | JobNotFound
    | JobNotFailed
    | JobAlreadyQueued
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("RetryJobAnswer", description="The job, or why it is not tried again."),
]
DiscardJobAnswer = Annotated[
    DiscardJobSuccess | JobNotFound | JobMoved | CommandIdReused | ArgumentRefused,
    strawberry.union("DiscardJobAnswer", description="What was done, or why nothing was."),
]


async def retry_job(
    info: Ask, input: Annotated[RetryJobInput, strawberry.argument(description="Which one.")]
) -> Any:
    number = parse_number("Job", input.id)
    if number is None:
        return no_job()
    handle, command = info.context.container.retry_job, RetryJob(job_id=number)
    accepted = await carry_out(info, input.command_id, lambda context: handle(command, context))
    if not isinstance(accepted, Accepted):
        return accepted
    return RetryJobSuccess(
        command_id=input.command_id,
        position=BigInt(accepted.position),
        job=await find_job(info, number),
    )


async def discard_job(
    info: Ask, input: Annotated[DiscardJobInput, strawberry.argument(description="Which one.")]
) -> Any:
    number = parse_number("Job", input.id)
    if number is None:
        return no_job()
    handle, command = info.context.container.discard_job, DiscardJob(job_id=number)
    accepted = await carry_out(info, input.command_id, lambda context: handle(command, context))
    if not isinstance(accepted, Accepted):
        return accepted
    return DiscardJobSuccess(
        command_id=input.command_id,
        position=BigInt(accepted.position),
        was_running=bool(accepted.result["was_running"]),
    )


def no_job() -> JobNotFound:
    return JobNotFound(code="JOB_NOT_FOUND", message="there is no such job")
