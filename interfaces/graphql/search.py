"""Searching an archive by meaning and by words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Annotated, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation

from application.commands.perform_search import Searched
from application.ports.search import EmptyQueryError, SearchRequest, SearchTookTooLongError, Sort
from application.ports.search import Hit as FoundHit
from application.searches import MAX_CONTEXT, MAX_LIMIT, MAX_QUERY, QueryRefusedError
from application.searching.filters import NO_FILTERS
from application.searching.operators import OPERATORS
from domain.search import SearchMode as Mode
from domain.workspace import UnknownWorkspaceError
from infrastructure.search.opening import READ_MODELS
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import CODES
from interfaces.graphql.hit_parts import (
    HitParts,
    HitReason,
    MeaningScore,
    Span,
    WordsScore,
    reasons,
    spans,
)
from interfaces.graphql.message import Message
from interfaces.graphql.node_ids import parse_number
from interfaces.graphql.reading import InWorkspace, MinPosition
from interfaces.graphql.refusals import QueryRefused, SearchTimedOut, UnknownWorkspace
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search_cursors import cursor_of, place_of
from interfaces.graphql.search_facets import Facets
from interfaces.graphql.search_filter import SearchFilter
from interfaces.graphql.selected import shown_of_hits, shown_of_result

Refused = QueryRefused | SearchTimedOut | UnknownWorkspace
REFUSALS: Mapping[type[Exception], type[Refused]] = {
    EmptyQueryError: QueryRefused,
    QueryRefusedError: QueryRefused,
    SearchTookTooLongError: SearchTimedOut,
    UnknownWorkspaceError: UnknownWorkspace,
}


@strawberry.enum(description="What a search goes by.")
class SearchMode(Enum):
    HYBRID = strawberry.enum_value(
        "hybrid", description="Meaning and words together, and what was said around."
    )
    MEANING = strawberry.enum_value("meaning", description="Nearness of meaning alone.")
    WORDS = strawberry.enum_value("words", description="The words of the query, in any inflection.")

    @property
    def mode(self) -> Mode:
        return cast("Mode", self.value)


@strawberry.enum(description="What a result is ordered by.")
class SearchSort(Enum):
    RELEVANCE = strawberry.enum_value("relevance", description="The best first.")
    NEWEST = strawberry.enum_value("newest", description="What was sent last first.")
    OLDEST = strawberry.enum_value("oldest", description="What was sent first first.")

    @property
    def sort(self) -> Sort:
        return cast("Sort", self.value)


@strawberry.enum(description="Why nothing could be found that is like a message.")
class LikeNote(Enum):
    NOT_INDEXED = strawberry.enum_value(
        "not_indexed", description="It has no vector yet: ask again later."
    )
    NOT_SAID = strawberry.enum_value(
        "not_said", description="The chat system wrote it, or somebody did something."
    )
    NO_TEXT = strawberry.enum_value("no_text", description="It has no text: a file, for example.")


@strawberry.type(description="A message that was found, and why.")
class Hit(HitParts):
    cursor: str = strawberry.field(
        description="What `after` takes to go on behind it, for example `WyI5ZjI1Il0`."
    )
    score: float = strawberry.field(
        description="Of meaning, words and context together, for example 0.83; comparable "
        "within one answer only. 0 where the order is by time."
    )
    probability: float | None = strawberry.field(
        description="That it is to the point, 0 to 1, for example 0.83: means the same for every "
        "query. Null: only words or an order by time were asked for, or nobody has measured the "
        "model."
    )
    reasons: list[HitReason] = strawberry.field(
        description="Why it is here; none where everything is listed."
    )
    meaning: MeaningScore | None = strawberry.field(description="Null: not among the nearest.")
    words: WordsScore | None = strawberry.field(description="Null: it has none of the words.")
    message: Message = strawberry.field(description="The message itself.")
    highlights: list[Span] = strawberry.field(description="Where the query's words are in it.")
    before: list[Message] = strawberry.field(description="What was said before it, oldest first.")
    after: list[Message] = strawberry.field(description="What was said after it, oldest first.")
    same_text_count: int = strawberry.field(
        description="Further messages with exactly this text, for example 3."
    )

    @classmethod
    def of(cls, hit: FoundHit, request: SearchRequest) -> Hit:
        workspace_id = request.workspace_id
        meaning = words = None
        if hit.meaning is not None and hit.meaning_rank is not None:
            meaning = MeaningScore(cosine=hit.meaning, rank=hit.meaning_rank)
        if hit.words is not None and hit.words_rank is not None:
            words = WordsScore(rank=hit.words_rank, score=hit.words)
        return cls(
            cursor=cursor_of(hit.place, request),
            score=hit.score,
            probability=hit.probability,
            reasons=reasons(hit),
            meaning=meaning,
            words=words,
            message=Message.of_search(hit.message, workspace_id),
            highlights=spans(hit.message.text, hit.highlights),
            before=[Message.of_search(message, workspace_id) for message in hit.before],
            after=[Message.of_search(message, workspace_id) for message in hit.after],
            same_text_count=hit.same_text,
            duplicate_count=hit.duplicates,
            found=hit,
            request=request,
        )


@strawberry.type(description="How much of the archive could be found by meaning.")
class Coverage:
    indexed: int = strawberry.field(description="Messages with a vector, for example 51000.")
    total: int = strawberry.field(
        description="Messages that have one or will have one, for example 52224."
    )
    is_partial: bool = strawberry.field(description="Some were not indexed yet: ask again later.")


@strawberry.type(description="The answer to a search.")
class SearchResult:
    hits: list[Hit] = strawberry.field(description="In the order that was asked for.")
    has_more: bool = strawberry.field(description="Something follows behind the last hit.")
    end_cursor: str | None = strawberry.field(
        description="The last hit's cursor, for example `WyI5ZjI1Il0`; null: there are no hits."
    )
    facets: Facets | None = strawberry.field(
        description="How the whole result is made up; counted only if it is asked for."
    )
    notes: list[str] = strawberry.field(
        description="What of the query nothing fits, in sentences for people; for example "
        "`nobody is called 'Adda'; did you mean Ada?`."
    )
    like_note: LikeNote | None = strawberry.field(
        description="Why no message could be compared with the one that others shall be like; null "
        "where they could, or words were looked for."
    )
    coverage: Coverage = strawberry.field(description="How much of the archive was searched.")
    position: BigInt = strawberry.field(
        description="The log position that the answer reflects, for example 1024."
    )
    event_position: BigInt = strawberry.field(
        description="Where the log has recorded this search, before this answer was given, "
        "for example 1025."
    )
    is_stale: bool = strawberry.field(
        description="`minPosition` was not reached within five seconds."
    )
    model: str | None = strawberry.field(
        description="The embedding model, for example `intfloat/multilingual-e5-small`; null "
        "for words alone."
    )
    engine: str = strawberry.field(
        description="What compared vectors: faiss, pgvector or none; for example `faiss`."
    )
    milliseconds: float = strawberry.field(
        description="How long it took until the hits were known, for example 12.5."
    )

    @classmethod
    def of(cls, searched: Searched, request: SearchRequest) -> SearchResult:
        answer = searched.answer
        hits = [Hit.of(hit, request) for hit in answer.hits]
        return cls(
            hits=hits,
            has_more=answer.has_more,
            end_cursor=hits[-1].cursor if hits else None,
            facets=None if answer.facets is None else Facets.of(answer.facets),
            notes=list(answer.notes),
            like_note=None if answer.like_note is None else LikeNote(answer.like_note),
            coverage=Coverage(
                indexed=answer.coverage.indexed,
                total=answer.coverage.total,
                is_partial=answer.coverage.is_partial,
            ),
            position=BigInt(answer.position),
            event_position=BigInt(searched.position),
            is_stale=answer.is_stale,
            model=answer.model,
            engine=answer.engine,
            milliseconds=searched.milliseconds,
        )


SearchAnswer = Annotated[
    SearchResult | QueryRefused | SearchTimedOut | UnknownWorkspace,
    strawberry.union(
        "SearchAnswer",
        description="What was found, or why nothing was looked for. A client asks for `... on "
        "SearchResult` and, for all the others, for `... on Refusal { code message }`.",
    ),
]


async def search(  # noqa: PLR0913, PLR0917 - the field's arguments
    info: Ask,
    query: Annotated[
        str,
        strawberry.argument(
            description=f"What to look for, in any words, at most {MAX_QUERY:,} characters, for "
            'example `who brings the "life jackets"? from:Ada after:2024-03`. `"exact phrase"`, '
            "`-not`, `or`, `beginn*`, and the operators "
            + ", ".join(f"`{name}:`" for name in OPERATORS)
            + "; a minus before one excludes. Only operators: everything that they leave."
        ),
    ] = "",
    workspace: InWorkspace = "default",
    mode: Annotated[
        SearchMode, strawberry.argument(description="What to go by.")
    ] = SearchMode.HYBRID,
    like_message: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description="What is near in meaning to this message is looked for, by its own vector, "
            "without it and its exact copies; for example `Message:52224`. The query has operators "
            "at most then."
        ),
    ] = None,
    sort: Annotated[
        SearchSort, strawberry.argument(description="What the hits are ordered by.")
    ] = SearchSort.RELEVANCE,
    filter: Annotated[
        SearchFilter | None,
        strawberry.argument(description="Which messages may be found, beside what the query says."),
    ] = None,
    time_zone: Annotated[
        str,
        strawberry.argument(
            description="In which the days of the query begin, for example `Europe/Berlin`."
        ),
    ] = "UTC",
    limit: Annotated[
        int, strawberry.argument(description=f"Hits at most, 1 to {MAX_LIMIT}, for example 20.")
    ] = 10,
    after: Annotated[
        str | None,
        strawberry.argument(
            description="The cursor of a hit: what follows on it, of the result as it was when its "
            "first page was made; for example `WyI5ZjI1Il0`."
        ),
    ] = None,
    hit: Annotated[
        str | None,
        strawberry.argument(
            description="The cursor of a hit by relevance: this hit alone, of the result as it "
            "was, to read on in its `duplicates`; not with `after`; for example `WyI5ZjI1Il0`."
        ),
    ] = None,
    context: Annotated[
        int,
        strawberry.argument(
            description=f"Messages before and after each hit, 0 to {MAX_CONTEXT}, for example 3."
        ),
    ] = 2,
    min_position: MinPosition = None,
) -> SearchAnswer | None:
    return await answered(
        info,
        lambda: SearchRequest(
            workspace_id=info.context.workspace_id(workspace),
            query=query,
            like=None if like_message is None else message_number(like_message),
            filters=NO_FILTERS if filter is None else filter.filters,
            time_zone=time_zone,
            mode=mode.mode,
            sort=sort.sort,
            limit=limit,
            context=context,
            min_position=min_position or 0,
        ),
        after=after,
        hit=hit,
    )


async def answered(
    info: Ask, make: Callable[[], SearchRequest], *, after: str | None, hit: str | None = None
) -> SearchAnswer:
    """
    Args:
        make: what to search for; what it refuses is an answer.
    """
    asked = info.context
    try:
        request = make()
        min_position = request.min_position or None
        asked.spend(max(request.limit, 0) * (1 + 2 * max(request.context, 0)))
        # Without a thread: those are few, and everybody waits for them.
        await asked.caught_up(info, READ_MODELS, min_position)
        shown, context = shown_of_hits(info), request.context
        request = replace(
            request,
            context=context if shown & {"before", "after"} or not is_valid(context) else 0,
            with_highlights="highlights" in shown,
            with_same_text="sameTextCount" in shown,
            with_duplicates="duplicateCount" in shown,
            with_facets="facets" in shown_of_result(info),
            timeout_seconds=0,
            is_workspace_known=False,
            after=place_of(after, request),
            alone=place_of(hit, request),
        )
        container = asked.container

        async def perform() -> Searched:
            context = asked.within(request.workspace_id)
            return await asked.run(lambda: container.perform_search(request, context))

        found = await asked.once_known(info, perform, min_position)
    except tuple(REFUSALS) as error:
        return refused(error)
    if found.answer.is_stale:
        asked.say_stale(info)
    return SearchResult.of(found, request)


def message_number(id: str) -> int:
    """
    Raises:
        QueryRefusedError: no message has such an id.
    """
    number = parse_number("Message", id)
    if number is None:
        raise QueryRefusedError("`likeMessage` is no id of a message")
    return number


def is_valid(context: int) -> bool:
    """Else it is refused, whether or not anybody looks at what it stands for."""
    return 0 <= context <= MAX_CONTEXT


def refused(error: Exception) -> Refused:
    """As the answer's union has it, with the code that the same error has elsewhere."""
    kind = next(REFUSALS[known] for known in REFUSALS if isinstance(error, known))
    return kind(code=CODES[type(error)], message=str(error))


# For those whom this module needs: a message finds others that are like it.
ANSWER = StrawberryAnnotation(SearchAnswer).resolve()
