"""Whether an exception says that the database is away, not that it refuses something."""

from __future__ import annotations

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from infrastructure.log.appender import AppenderClosedError

# SQLSTATE classes: connection, resources, shut down or still starting.
CLASSES = frozenset({"08", "53", "57"})
OF_OURS = (PoolTimeout, PoolClosed, TooManyRequests, AppenderClosedError)
OF_THE_LOG = (OperationalError, InterfaceError)
MAX_CAUSES = 5


def is_outage(error: BaseException | None) -> bool:
    """Of the exception, or of what caused it; a moment later the same may succeed."""
    for _ in range(MAX_CAUSES):
        if error is None or isinstance(error, QueryCanceled):
            return False
        if isinstance(error, OF_OURS):
            return True
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return error.sqlstate is None or error.sqlstate[:2] in CLASSES
        if isinstance(error, OF_THE_LOG) and error.__cause__ is None:
            return True
        error = error.__cause__
    return False
