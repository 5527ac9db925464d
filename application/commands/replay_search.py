"""Run a search again, as of then and as of now, and say what has changed; a fact of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID, uuid4

from application.archive import Archive, NotFoundError
from application.context import Context
from application.ports.past_searches import Fate, PastSearch, PastSearches
from application.ports.search import Found, Moment, SearchAnswer, Searcher, SearchRequest
from application.searches import MAX_LIMIT, QueryRefusedError
from application.searching.operators import QueryUnclearError
from application.searching.query import Query, parse
from domain.search import SearchReplay

USUAL_LIMIT = 10
WAIT_SECONDS = 5.0  # for read models that are not as far as they were then

NoteKind = Literal[
    "withdrawn",
    "edited",
    "model_changed",
    "engine_changed",
    "background",
    "names",
    "later_page",
    "not_recorded",
    "behind",
]
Change = Literal["same", "moved", "added", "gone"]
Reason = Literal["withdrawn", "edited", "arrived", "indexed", "ranking"]


class SearchNotFoundError(NotFoundError):
    """There is no search at this position that the actor has made in this workspace."""


class SearchErasedError(Exception):
    """What was searched for is not known any more: its key was destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySearch:
    position: int  # of the search's event


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What could not be replayed exactly, or compared."""

    kind: NoteKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedHit:
    message_id: int
    rank: int | None  # counted from 1; None: it is gone
    former_rank: int | None  # None: it was added
    change: Change
    reason: Reason | None  # None: it stands where it stood


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    hits: Sequence[ComparedHit]  # in the order in which they are found now
    gone: Sequence[ComparedHit]  # in the order in which they were found then

    @property
    def is_same(self) -> bool:
        return not self.gone and all(hit.change == "same" for hit in self.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    search: PastSearch
    as_of_then: Comparison
    today: Comparison
    notes: Sequence[Note]
    model: str | None
    answered_position: int  # the log position that today's answer reflects
    milliseconds: float
    position: int  # of the SearchReplayed event


class ReplaySearchHandler:
    def __init__(self, archive: Archive, searcher: Searcher, past_searches: PastSearches) -> None:
        self._archive = archive
        self._searcher = searcher
        self._past_searches = past_searches

    def __call__(self, command: ReplaySearch, context: Context) -> Replayed:
        """
        Blocks: call it off the event loop, until the fact is durable. Only who has made a search
        may replay it.

        Raises:
            SearchNotFoundError, SearchErasedError
            QueryRefusedError: the query language has changed since.
            SearchTookTooLongError
        """
        workspace_id = context.workspace_id
        if workspace_id is None:
            raise SearchNotFoundError("a search is one of a workspace")
        past = self._past_searches.find(workspace_id, context.actor_id, command.position)
        if past is None:
            raise SearchNotFoundError(f"you have made no search that is at {command.position}")
        started = time.perf_counter()
        query = query_of(past)
        request = request_of(past, workspace_id)
        then, answer_then = self._search(request, query)
        renewed = replace(request, as_of=None, is_renewed=bool(past.after or past.alone))
        today, answer_today = self._search(renewed, query)
        ids = list(dict.fromkeys([*past.hits, *then.message_ids, *today.message_ids]))
        since = moment_of(past)
        fates = self._past_searches.fates(workspace_id, today.model, ids, since)
        notes = notes_on(past, then, answer_then, fates)
        milliseconds = (time.perf_counter() - started) * 1000
        fact = SearchReplay.replay(
            id=uuid4(),
            search_position=past.event_position,
            hits_then=len(past.hits),
            hits_as_of_then=list(then.message_ids),
            hits_today=list(today.message_ids),
            position=answer_today.position,
            model=today.model,
            notes=[note.kind for note in notes],
            milliseconds=round(milliseconds, 3),
        )
        return Replayed(
            search=past,
            as_of_then=compared(past.hits, then.message_ids, fates),
            today=compared(past.hits, today.message_ids, fates),
            notes=notes,
            model=today.model,
            answered_position=answer_today.position,
            milliseconds=milliseconds,
            position=self._archive.begin_record(context, fact)(),
        )

    def _search(self, request: SearchRequest, query: Query) -> tuple[Found, SearchAnswer]:
        found: list[Found] = []
        answer = self._searcher.search(request, query, found.append)
        return found[0], answer


def query_of(past: PastSearch) -> Query:
    """
    As it was understood then: `today` is that day, and its filters are those that were recorded.

    Raises:
        SearchErasedError, QueryRefusedError
    """
    if past.query is None:
        raise SearchErasedError(
            "what was searched for is not known any more: the key that it was sealed with was "
            "destroyed"
        )
    zone = past.time_zone or "UTC"
    try:
        query = parse(written(past), now=past.searched_at, time_zone=zone)
    except QueryUnclearError as error:
        raise QueryRefusedError(f"this query cannot be meant any more: {error}") from None
    return replace(query, filters=past.filters)


def written(past: PastSearch) -> str:
    """Without the message that others shall be like, which the log has before it."""
    text = past.query or ""
    return text if past.like is None else text.removeprefix(f"Message:{past.like}").strip()


def request_of(past: PastSearch, workspace_id: UUID) -> SearchRequest:
    moment = moment_of(past)
    return SearchRequest(
        workspace_id=workspace_id,
        query=written(past),
        like=past.like,
        filters=past.filters,
        time_zone=past.time_zone or "UTC",
        mode=past.mode,
        sort=past.sort or "relevance",
        limit=past.limit or min(len(past.hits) or USUAL_LIMIT, MAX_LIMIT),
        after=past.after,
        alone=past.alone,
        as_of=moment,
        context=0,
        min_position=max(moment),
        timeout_seconds=WAIT_SECONDS,
        with_highlights=False,
        with_same_text=False,
        with_duplicates=False,
    )


def moment_of(past: PastSearch) -> Moment:
    return past.moment or Moment(past.position, past.position)


def compared(then: Sequence[int], now: Sequence[int], fates: Mapping[int, Fate]) -> Comparison:
    """Best first, each."""
    former = {id_: rank for rank, id_ in enumerate(then, start=1)}
    ranks = {id_: rank for rank, id_ in enumerate(now, start=1)}

    def hit(id_: int) -> ComparedHit:
        rank, former_rank = ranks.get(id_), former.get(id_)
        change: Change = "moved"
        if rank is None:
            change = "gone"
        elif former_rank is None:
            change = "added"
        elif rank == former_rank:
            change = "same"
        reason = None if change == "same" else reason_of(change, fates.get(id_))
        return ComparedHit(
            message_id=id_, rank=rank, former_rank=former_rank, change=change, reason=reason
        )

    return Comparison(
        hits=[hit(id_) for id_ in ranks], gone=[hit(id_) for id_ in former if id_ not in ranks]
    )


def reason_of(change: Change, fate: Fate | None) -> Reason:
    if fate is None:
        return "withdrawn"
    if fate.has_arrived:
        return "arrived"
    if fate.is_edited:
        return "edited"
    if change == "added" and fate.is_indexed:
        return "indexed"
    return "ranking"


def notes_on(
    past: PastSearch, found: Found, answer: SearchAnswer, fates: Mapping[int, Fate]
) -> list[Note]:
    notes: list[Note] = []

    def note(kind: NoteKind, message: str) -> None:
        notes.append(Note(kind=kind, message=message))

    lost = sum(id_ not in fates for id_ in past.hits)
    edited = sum(id_ in fates and fates[id_].is_edited for id_ in past.hits)
    if lost:
        note(
            "withdrawn",
            f"{lost} of its hits are not there any more: what brought them was "
            "withdrawn, and nothing finds them again",
        )
    if edited:
        note(
            "edited",
            f"{edited} of its hits had another text then: they are searched as they are today",
        )
    if past.model != found.model:
        note(
            "model_changed",
            f"meaning was compared by {past.model} then, and is by "
            f"{found.model} now: ranks and scores are not the same",
        )
    engines = (past.engine, past.has_words_in_memory)
    if past.is_whole and engines != (found.engine, found.has_words_in_memory):
        note(
            "engine_changed",
            "another index has answered than then (in memory, or "
            "PostgreSQL): what is nearly equal may stand in another order",
        )
    if found.model is not None and lost:
        note(
            "background",
            "how near a query is to anything is reckoned without what was withdrawn since: what "
            "was hardly likely enough may be left out, and what was hardly too unlikely shown",
        )
    filters = past.filters
    if filters.authors or filters.conversations or filters.uploads or filters.labels:
        note("names", "names in its filters mean what is called so today")
    if past.after is not None or past.alone is not None:
        note("later_page", "it was a further page: today's page begins behind the same place")
    if not past.is_whole:
        note(
            "not_recorded",
            "it was recorded by an early version: order by relevance, days of "
            "UTC and the log position of its answer are assumed",
        )
    if answer.is_stale:
        note("behind", "the read models have not come as far again as they were then")
    return notes
