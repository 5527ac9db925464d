"""Defers jobs inside somebody else's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import psycopg
from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task
from procrastinate.types import JSONDict
from psycopg import Connection

from application.ports.jobs import JobAsked, JobChange
from infrastructure.jobs.change import change_job

# Never opened: it only renders the statements, which run on the caller's connection. The app's
# own connector is asynchronous and cannot use a synchronous connection.
MANAGER = JobManager(SyncPsycopgConnector())


def defer_within(connection: Connection[Any], jobs: Iterable[JobAsked]) -> None:
    """
    Defer all jobs, one statement for each kind, and change those that are there, in the
    connection's current transaction.

    Without a queueing lock: a job that is asked for twice runs twice, and must bear it.

    Raises:
        psycopg.Error: so that the transaction's owner sees one kind of error for all of it.
        JobNotFailedError, JobAlreadyQueuedError, JobMovedError: as `change_job`.
    """
    by_kind: defaultdict[tuple[str, str, str | None, int], list[JSONDict]] = defaultdict(list)
    for job in jobs:
        if isinstance(job, JobChange):
            change_job(connection, job)
            continue
        by_kind[job.task, job.queue, job.lock, job.priority].append(dict(job.arguments))
    try:
        for (task, queue, lock, priority), arguments in by_kind.items():
            configure_task(
                name=task,
                job_manager=MANAGER,
                queue=queue,
                lock=lock,
                priority=priority,
                connection=connection,
            ).batch_defer(*arguments)
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.Error):
            raise error.__cause__ from None
        raise
