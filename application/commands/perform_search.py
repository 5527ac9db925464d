"""Search, and leave the fact behind before the answer leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from application.archive import Archive
from application.context import Context
from application.ports.search import Found, SearchAnswer, Searcher, SearchRequest
from application.searches import asked, understood
from domain.search import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    answer: SearchAnswer
    position: int  # of the SearchPerformed event
    milliseconds: float  # until the hits were known


class PerformSearchHandler:
    def __init__(self, archive: Archive, searcher: Searcher) -> None:
        self._archive = archive
        self._searcher = searcher

    def __call__(self, request: SearchRequest, context: Context) -> Searched:
        """
        Blocks: call it off the event loop. What is shown of the hits is looked up while the log
        records that they were found; the answer waits for both.

        Raises:
            EmptyQueryError, QueryRefusedError: before anything is searched or recorded.
            SearchTookTooLongError: there was no answer; it is recorded only if hits were found.
        """
        query = understood(request)
        started = time.perf_counter()
        recording: list[tuple[Callable[[], int], float]] = []

        def record(found: Found) -> None:
            milliseconds = (time.perf_counter() - started) * 1000
            fact = Search.perform(
                id=uuid4(),
                searcher_id=str(context.actor_id),
                query=asked(request),
                mode=request.mode if request.like is None else "meaning",
                filters=query.filters.as_dict(),
                model=found.model,
                position=found.position,
                hits=list(found.message_ids),
                is_partial=found.is_partial,
                milliseconds=round(milliseconds, 3),
                sort=request.sort,
                time_zone=request.time_zone,
                limit=request.limit,
                after=None if request.after is None else list(request.after),
                alone=None if request.alone is None else list(request.alone),
                like=request.like,
                messages_position=found.moment.messages_position,
                vectors_position=found.moment.vectors_position,
                engine=found.engine,
                has_words_in_memory=found.has_words_in_memory,
                saved_search_id=request.saved_search_id and str(request.saved_search_id),
            )
            recording.append((self._archive.begin_record(context, fact), milliseconds))

        answer = self._searcher.search(request, query, record)
        [(wait, milliseconds)] = recording
        return Searched(answer=answer, position=wait(), milliseconds=milliseconds)
