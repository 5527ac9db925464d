"""Port: finding messages by meaning and by words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from application.searching.filters import NO_FILTERS, Filters
from application.searching.query import Query
from domain.search import SearchMode

Sort = Literal["relevance", "newest", "oldest"]
# Why a message can be compared with none: its vector is not there yet; nobody said it, but the
# system, or it is no text; it has none.
LikeNote = Literal["not_indexed", "not_said", "no_text"]


class Place(NamedTuple):
    """
    Where in a result a hit stands: the next page goes on behind it.

    A result is of one moment, however long somebody turns its pages: what came later is not in it.
    """

    messages_position: int  # reached by the read models when the first page was made
    vectors_position: int
    level: int  # 0: of the best, which are looked for first; 1: of those behind them
    key: float  # score; where the order is by time, microseconds since 1970
    message_id: int


class Moment(NamedTuple):
    """That a result is of: how far the read models were that it was made from."""

    messages_position: int
    vectors_position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    workspace_id: UUID
    query: str  # in the query language: see application.searching.query
    like: int | None = None  # a message: what is near to it in meaning; the query has no words then
    filters: Filters = NO_FILTERS  # beside those that the query names
    time_zone: str = "UTC"  # in which the query's days begin and end
    mode: SearchMode = "hybrid"
    sort: Sort = "relevance"
    limit: int = 10  # hits, 1 to 100; in bulk, 1 to 1,000
    is_bulk: bool = False  # all hits are written to a file, or labelled, and no page is shown
    after: Place | None = None  # the last hit of the page before
    # Of which the result is; None: of now, or of the page that `after` ends.
    as_of: Moment | None = None
    is_renewed: bool = False  # the result is of now, though `after` is a place in an earlier one
    alone: Place | None = None  # this hit and nothing else, of the result as it was; ranked only
    context: int = 2  # messages before and after each hit, 0 to 20
    duplicates: int = 0  # messages that a hit stands for, shown with it, 0 to 20
    min_position: int = 0  # the answer must reflect the log at least up to here
    timeout_seconds: float = 5.0  # how long to wait for that
    saved_search_id: UUID | None = None  # the one that is run
    is_workspace_known: bool = True  # False: the searcher makes sure that there is one
    # What nobody will look at is not looked up.
    with_highlights: bool = True
    with_same_text: bool = True
    with_duplicates: bool = True
    with_facets: bool = False

    @property
    def begun(self) -> Moment | None:
        """Of which the result is. None: of now."""
        place = self.after or self.alone
        if self.as_of is not None or place is None or self.is_renewed:
            return self.as_of
        return Moment(place.messages_position, place.vectors_position)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMessage:
    id: int
    conversation_id: UUID
    conversation: str  # title
    author_id: UUID | None
    author: str | None  # name; None where the system speaks
    sent_at: datetime
    kind: str
    text: str
    language: str | None = None  # ISO 639-1; None: the text does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    message: FoundMessage
    place: Place
    score: float  # comparable within one answer only; 0 where nothing is ranked
    # That it is to the point, 0 to 1, comparable between answers. None: nothing is known of that.
    probability: float | None
    meaning: float | None  # cosine, -1 to 1; None: not among the nearest
    meaning_rank: int | None  # 1-based
    words: float | None  # full-text rank; None: does not contain the words
    words_rank: int | None
    highlights: tuple[tuple[int, int], ...]  # character spans in message.text, end exclusive
    before: tuple[FoundMessage, ...]
    after: tuple[FoundMessage, ...]
    same_text: int  # further messages with exactly this text
    # Further messages of the result that say the same, which it stands for; 0 if ordered by time.
    duplicates: int = 0
    stands_for: tuple[UUID | int, ...] = ()  # text keys; ids of messages that have none
    others: tuple[FoundMessage, ...] = ()  # of them, as many as were asked for, the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    indexed: int  # messages with a vector
    total: int  # messages that have or will have one

    @property
    def is_partial(self) -> bool:
        return self.indexed < self.total


@dataclass(frozen=True, slots=True)
class FacetValue:
    key: str  # an id; of a month "2024-03"; of a format its name
    name: str
    count: int  # messages of the result


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """How the whole result is made up, not only the page. The most frequent first."""

    total: int  # messages
    authors: tuple[FacetValue, ...]
    conversations: tuple[FacetValue, ...]
    months: tuple[FacetValue, ...]  # the latest first; in UTC
    formats: tuple[FacetValue, ...]
    labels: tuple[FacetValue, ...] = ()  # of the messages, or of their conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    hits: Sequence[Hit]
    has_more: bool  # behind the last hit
    # By relevance: more messages have the words than are ranked. Known once so many are looked for.
    is_cut: bool = False
    coverage: Coverage
    position: int  # the log position that the answer reflects
    is_stale: bool  # min_position was not reached in time
    model: str | None
    engine: str  # what answered the meaning side: "faiss", "pgvector" or "none"
    facets: Facets | None = None  # None: not asked for
    notes: tuple[str, ...] = ()  # sentences for people: what of the query nothing fits
    like_note: LikeNote | None = None  # why nothing could be found that is like a message
    timings_ms: dict[str, float] = field(default_factory=dict)


class EmptyQueryError(ValueError):
    """There is nothing to search for."""


class SearchTookTooLongError(Exception):
    """The search was given up; the message says after how long."""


class Found(NamedTuple):
    """What a search has come to, before what is shown of it is looked up."""

    message_ids: Sequence[int]  # the hits, best first
    model: str | None
    position: int  # the log position that the answer reflects
    is_partial: bool  # some messages were not indexed yet
    moment: Moment = Moment(0, 0)
    engine: str = "none"  # what compared vectors
    has_words_in_memory: bool = False  # else PostgreSQL looked for the words


OnFound = Callable[[Found], None]


class Searcher(Protocol):
    def search(self, request: SearchRequest, query: Query, on_found: OnFound) -> SearchAnswer:
        """
        Blocks; call it off the event loop. Records nothing.

        Args:
            query: what the request asks for, its filters included.
            on_found: called once, in this thread, if it comes so far.

        Raises:
            UnknownWorkspaceError: before anything is found.
            SearchTookTooLongError
        """
        ...
