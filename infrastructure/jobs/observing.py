"""Around each attempt at a job: one log line, one measurement, one span, and who asked for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException, JobAborted
from structlog.contextvars import bound_contextvars

from application.ports.jobs import Stopped
from infrastructure.logging import get_logger
from infrastructure.observability.metrics import metrics
from infrastructure.observability.reached import reached
from infrastructure.observability.tracing import TRACEPARENT, span

log = get_logger(__name__)

# A job acts on the last event of the stream that it is about.
CAUSE = """
SELECT correlation_id::text AS correlation_id, notification_id AS position
FROM log.archive_events WHERE originator_id = %(stream)s::uuid
ORDER BY originator_version DESC LIMIT 1
"""
STREAM = "upload_id"
# Of a job's arguments: ids, and the names of read models.
ABOUT = {"upload_id": "upload_id", "name": "projection"}


class Cause(NamedTuple):
    """The request that a job is part of, and the event that it follows from."""

    correlation_id: str
    position: int


async def cause_of(context: JobContext) -> Cause | None:
    """None if the job is about no stream, or if the database does not answer now."""
    stream = context.job.task_kwargs.get(STREAM)
    if stream is None:
        return None
    try:
        rows = await context.app.connector.execute_query_all_async(CAUSE, stream=str(stream))
    except ConnectorException:
        return None
    return Cause(**rows[0]) if rows else None


@contextmanager
def observed(context: JobContext, cause: Cause | None) -> Iterator[None]:
    """All that is logged while the job runs, in its thread too, says for which request it is."""
    job = context.job
    began_at = time.perf_counter()
    facts: dict[str, Any] = {"job_id": job.id}
    if cause is not None:
        facts |= {"correlation_id": cause.correlation_id, "causation_position": cause.position}
    with (
        bound_contextvars(**facts),
        span(
            f"job {job.task_name}",
            "consumer",
            parent=text_of(job.task_kwargs, TRACEPARENT),
            chatledger__correlation_id=facts.get("correlation_id"),
            chatledger__causation_position=facts.get("causation_position"),
            chatledger__job_id=job.id,
            chatledger__queue=job.queue,
            chatledger__attempt=job.attempts + 1,
        ),
        reached() as done,
    ):
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            ended(context, error, time.perf_counter() - began_at, done.position)


def ended(
    context: JobContext, error: BaseException | None, seconds: float, position: int | None
) -> None:
    job, outcome = context.job, outcome_of(context, error)
    metrics().jobs.labels(job.task_name, outcome).observe(seconds)
    say = {"failed": log.error, "retried": log.warning}.get(outcome, log.info)
    kwargs: dict[str, Any] = {"exc_info": error} if outcome in {"failed", "retried"} else {}
    say(
        "job_ended",
        task=job.task_name,
        queue=job.queue,
        attempt=job.attempts + 1,
        outcome=outcome,
        duration_ms=round(seconds * 1000, 2),
        position=position,
        **about(job.task_kwargs),
        **kwargs,
    )


def outcome_of(context: JobContext, error: BaseException | None) -> str:
    if error is None:
        return "succeeded"
    if isinstance(error, Stopped):
        return "stopped"  # it will go on where it was
    if isinstance(error, JobAborted | asyncio.CancelledError) or not isinstance(error, Exception):
        return "aborted"
    retry = context.task.get_retry_exception(exception=error, job=context.job)
    return "failed" if retry is None else "retried"


def about(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {said: arguments[name] for name, said in ABOUT.items() if name in arguments}


def text_of(arguments: Mapping[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    return value if isinstance(value, str) else None
