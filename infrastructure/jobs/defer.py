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

from application.ports.jobs import JobRequest

# Never opened: it only renders the statements, which run on the caller's connection. The app's
# own connector is asynchronous and cannot use a synchronous connection.
MANAGER = JobManager(SyncPsycopgConnector())


def defer_within(connection: Connection[Any], jobs: Iterable[JobRequest]) -> None:
    """
    Defer all jobs, one statement for each kind, in the connection's current transaction.

    Without a queueing lock: a job that is asked for twice runs twice, and must bear it.

    Raises:
        psycopg.Error: so that the transaction's owner sees one kind of error for all of it.
    """
    by_kind: defaultdict[tuple[str, str, str | None, int], list[JSONDict]] = defaultdict(list)
    for job in jobs:
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
