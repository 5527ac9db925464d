"""Implements the port PastSearches on the log and the read models of messages and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.past_searches import Fate, PastSearch
from application.ports.search import Moment, Place
from application.searching.filters import NO_FILTERS, Filters
from domain.aggregate import Erased
from domain.search import Search
from infrastructure.log.reader import LogReader
from infrastructure.search.comparing import ids_below
from projections.contract import RecordedEvent

IS_OWN = """
SELECT FROM log.archive_events
WHERE notification_id = %s AND topic = %s AND workspace_id = %s AND actor_id = %s
"""
FATES = """
SELECT m.message_id, m.message_id >= %(below)s,
       EXISTS (
           SELECT FROM read.message_version AS v
           WHERE v.workspace_id = m.workspace_id AND v.message_id = m.message_id
             AND v.position > %(since)s
       ),
       coalesce(t.vector_id >= %(vectors_below)s, false)
FROM read.message AS m
LEFT JOIN read.text_vector AS t ON t.workspace_id = m.workspace_id
    AND t.model = %(model)s AND t.text_key = m.text_key
WHERE m.workspace_id = %(workspace)s AND m.message_id = ANY(%(ids)s)
"""


class LoggedSearches:
    def __init__(self, pool: ConnectionPool[Connection[Any]], reader: LogReader) -> None:
        self._pool = pool
        self._reader = reader

    def find(self, workspace_id: UUID, searcher_id: UUID, position: int) -> PastSearch | None:
        topic = Search.Performed.TOPIC
        with self._pool.connection() as connection:
            values = (position, topic, workspace_id, searcher_id)
            if connection.execute(IS_OWN, values).fetchone() is None:
                return None
            page = self._reader.page(
                connection, after=position - 1, up_to=position, topics=[topic], limit=1
            )
        [recorded] = page.events
        return past_search(recorded)

    def fates(
        self,
        workspace_id: UUID,
        model: str | None,
        message_ids: Sequence[int],
        since: Moment,
    ) -> Mapping[int, Fate]:
        values = {
            "workspace": workspace_id,
            "model": model,
            "ids": list(message_ids),
            "since": since.messages_position,
            "below": ids_below(since.messages_position),
            "vectors_below": ids_below(since.vectors_position),
        }
        with self._pool.connection() as connection:
            return {id_: Fate(*facts) for id_, *facts in connection.execute(FATES, values)}


def past_search(recorded: RecordedEvent) -> PastSearch:
    event = cast("Any", recorded.event)
    moment = None
    if event.messages_position is not None:
        moment = Moment(event.messages_position, event.vectors_position)
    saved = event.saved_search_id
    is_erased = isinstance(event.filters, Erased)
    return PastSearch(
        event_position=recorded.position,
        searched_at=recorded.recorded_at,
        query=None if isinstance(event.query, Erased) else event.query,
        filters=NO_FILTERS if is_erased else Filters.from_dict(event.filters),
        mode=event.mode,
        model=event.model,
        position=event.position,
        hits=event.hits,
        is_partial=event.is_partial,
        milliseconds=event.milliseconds,
        saved_search_id=None if saved is None else UUID(saved),
        after=None if event.after is None else Place(*event.after),
        alone=None if event.alone is None else Place(*event.alone),
        like=event.like,
        sort=event.sort,
        time_zone=event.time_zone,
        limit=event.limit,
        moment=moment,
        engine=event.engine,
        has_words_in_memory=event.has_words_in_memory,
    )
