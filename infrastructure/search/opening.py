"""The moment that an answer is of, and what has to be known of it first, in one round trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg_pool import ConnectionPool

from application.ports.search import Coverage, Moment, SearchRequest, SearchTookTooLongError
from domain.workspace import UnknownWorkspaceError
from infrastructure.search import messages

READ_MODELS = ("messages", "vectors", "conversations", "authors", "labels")
STATEMENT_SECONDS = 10.0  # a step that takes longer would hold a connection from the others
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
POSITIONS = """
SELECT set_config('statement_timeout', %(milliseconds)s, true), coalesce(min(position), 0),
       coalesce(min(position) FILTER (WHERE name = 'messages'), 0),
       coalesce(min(position) FILTER (WHERE name = 'vectors'), 0),
       EXISTS (SELECT FROM read.workspace WHERE workspace_id = %(workspace)s)
FROM projection.projection WHERE status IN ('live', 'halted') AND name = ANY(%(names)s)
"""
GONE = "SELECT message_id FROM read.removed_message WHERE workspace_id = %s AND position > %s"


class Opened(NamedTuple):
    connection: Connection[Any]  # in a transaction of its own
    reached: int  # by all read models
    now: Moment
    covered: Coverage
    gone: Sequence[int]  # messages that were withdrawn since a position


@contextmanager
def opened(
    pool: ConnectionPool[Any],
    request: SearchRequest,
    *,
    model: str,
    gone_since: int | None,
    statement_seconds: float,
) -> Iterator[Opened]:
    """
    One moment of the database, and a deadline for each statement.

    Args:
        gone_since: a log position; None: nobody asks what is gone.

    Raises:
        UnknownWorkspaceError
        SearchTookTooLongError: a statement met its deadline.
    """
    workspace_id = request.workspace_id
    values = {
        "milliseconds": str(round(statement_seconds * 1000)),
        "names": list(READ_MODELS),
        "workspace": workspace_id,
    }
    try:
        # The pool ends the transaction that is begun here.
        with pool.connection() as connection:
            with connection.pipeline():
                connection.execute(BEGIN)
                positions = connection.execute(POSITIONS, values)
                coverage = messages.coverage(connection, workspace_id=workspace_id, model=model)
                gone = None
                if gone_since is not None:
                    gone = connection.execute(GONE, (workspace_id, gone_since))
            row: Sequence[Any] = positions.fetchone() or (None, 0, 0, 0, False)
            if not (row[4] or request.is_workspace_known):
                raise UnknownWorkspaceError("there is no such workspace")
            yield Opened(
                connection,
                int(row[1]),
                Moment(int(row[2]), int(row[3])),
                coverage(int(row[3])),
                [] if gone is None else [id_ for (id_,) in gone],
            )
    except QueryCanceled as error:
        raise SearchTookTooLongError(
            f"a step of the search took longer than {statement_seconds:g} s: ask again, or more "
            "narrowly"
        ) from error
