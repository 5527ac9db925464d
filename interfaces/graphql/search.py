"""Searching an archive by meaning and by words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from application.commands.perform_search import (
    MAX_CONTEXT,
    MAX_LIMIT,
    MAX_QUERY,
    QueryRefusedError,
    Searched,
)
from application.ports.search import EmptyQueryError, SearchRequest, SearchTookTooLongError
from application.ports.search import Hit as FoundHit
from domain.search import SearchMode as Mode
from domain.workspace import UnknownWorkspaceError
from infrastructure.search.hybrid import READ_MODELS
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import CODES
from interfaces.graphql.message import Message
from interfaces.graphql.reading import InWorkspace, MinPosition
from interfaces.graphql.refusals import QueryRefused, SearchTimedOut, UnknownWorkspace
from interfaces.graphql.scalars import BigInt

Refused = QueryRefused | SearchTimedOut | UnknownWorkspace
REFUSALS: Mapping[type[Exception], type[Refused]] = {
    EmptyQueryError: QueryRefused,
    QueryRefusedError: QueryRefused,
    SearchTookTooLongError: SearchTimedOut,
    UnknownWorkspaceError: UnknownWorkspace,
}


@strawberry.enum(description="What a search goes by.")
class SearchMode(Enum):
    HYBRID = strawberry.enum_value("hybrid", description="Meaning and words, fused by rank.")
    MEANING = strawberry.enum_value("meaning", description="Nearness of meaning alone.")
    WORDS = strawberry.enum_value("words", description="The words of the query, in any inflection.")

    @property
    def mode(self) -> Mode:
        return cast("Mode", self.value)


@strawberry.type(description="How near a message is in meaning.")
class MeaningScore:
    cosine: float = strawberry.field(
        description="Of the angle between the vectors, -1 to 1, for example 0.83."
    )
    rank: int = strawberry.field(description="Its place among the nearest, from 1; for example 4.")


@strawberry.type(description="How well a message fits the words of the query.")
class WordsScore:
    rank: int = strawberry.field(
        description="Its place among those with the words, from 1; for example 2."
    )
    score: float = strawberry.field(
        description="Full-text score, for example 0.61; comparable within one answer."
    )


@strawberry.type(
    description="A part of the message's text, in UTF-16 code units as JavaScript counts them."
)
class Span:
    start: int = strawberry.field(description="The first unit, from 0; for example 15.")
    end: int = strawberry.field(description="The unit after the last one, for example 19.")


@strawberry.type(description="A message that was found, and why.")
class Hit:
    score: float = strawberry.field(
        description="Fused, for example 0.0328; comparable within one answer only."
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
    def of(cls, hit: FoundHit, workspace_id: UUID) -> Hit:
        meaning = words = None
        if hit.meaning is not None and hit.meaning_rank is not None:
            meaning = MeaningScore(cosine=hit.meaning, rank=hit.meaning_rank)
        if hit.words is not None and hit.words_rank is not None:
            words = WordsScore(rank=hit.words_rank, score=hit.words)
        return cls(
            score=hit.score,
            meaning=meaning,
            words=words,
            message=Message.of_search(hit.message, workspace_id),
            highlights=spans(hit.message.text, hit.highlights),
            before=[Message.of_search(message, workspace_id) for message in hit.before],
            after=[Message.of_search(message, workspace_id) for message in hit.after],
            same_text_count=hit.same_text,
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
    hits: list[Hit] = strawberry.field(description="Best first.")
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
    def of(cls, searched: Searched, workspace_id: UUID) -> SearchResult:
        answer = searched.answer
        return cls(
            hits=[Hit.of(hit, workspace_id) for hit in answer.hits],
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


async def search(
    info: Ask,
    query: Annotated[
        str,
        strawberry.argument(
            description=f"What to look for, in any words, at most {MAX_QUERY:,} characters, for "
            'example `who brings the life jackets?`. For words: `"exact phrase"`, `or`, `-not`.'
        ),
    ],
    workspace: InWorkspace = "default",
    mode: Annotated[
        SearchMode, strawberry.argument(description="What to go by.")
    ] = SearchMode.HYBRID,
    limit: Annotated[
        int, strawberry.argument(description=f"Hits at most, 1 to {MAX_LIMIT}, for example 20.")
    ] = 10,
    context: Annotated[
        int,
        strawberry.argument(
            description=f"Messages before and after each hit, 0 to {MAX_CONTEXT}, for example 3."
        ),
    ] = 2,
    min_position: MinPosition = None,
) -> SearchAnswer | None:
    asked = info.context
    asked.spend(max(limit, 0) * (1 + 2 * max(context, 0)))
    try:
        workspace_id = asked.workspace_id(workspace)
        # Without a thread: those are few, and everybody waits for them.
        await asked.caught_up(info, READ_MODELS, min_position)
        shown = shown_of_hits(info)
        request = SearchRequest(
            workspace_id=workspace_id,
            query=query,
            mode=mode.mode,
            limit=limit,
            context=context if shown & {"before", "after"} or not is_valid(context) else 0,
            with_highlights="highlights" in shown,
            with_same_text="sameTextCount" in shown,
            min_position=min_position or 0,
            timeout_seconds=0,
            is_workspace_known=False,
        )
        container = asked.container

        async def perform() -> Searched:
            return await asked.run(
                lambda: container.perform_search(request, asked.within(workspace_id))
            )

        found = await asked.once_known(info, perform, min_position)
    except tuple(REFUSALS) as error:
        return refused(error)
    if found.answer.is_stale:
        asked.say_stale(info)
    return SearchResult.of(found, workspace_id)


def is_valid(context: int) -> bool:
    """Else it is refused, whether or not anybody looks at what it stands for."""
    return 0 <= context <= MAX_CONTEXT


def shown_of_hits(info: Ask) -> set[str]:
    """The fields of hits that the operation asks for: what else a hit has is not looked up."""

    def named(selections: Iterable[Selection], name: str | None) -> Iterator[Selection]:
        for selection in selections:
            if not isinstance(selection, SelectedField):
                yield from named(selection.selections, name)
            elif name is None or selection.name == name:
                yield selection

    hits = named(named_within(info.selected_fields), "hits")
    return {
        field.name
        for hit in hits
        for field in named(hit.selections, None)
        if isinstance(field, SelectedField)
    }


def named_within(fields: Iterable[Selection]) -> Iterator[Selection]:
    for field in fields:
        yield from field.selections


def refused(error: Exception) -> Refused:
    """As the answer's union has it, with the code that the same error has elsewhere."""
    kind = next(REFUSALS[known] for known in REFUSALS if isinstance(error, known))
    return kind(code=CODES[type(error)], message=str(error))


def spans(text: str, found: tuple[tuple[int, int], ...]) -> list[Span]:
    """From characters to UTF-16 code units, of which an emoji has two."""

    def units(characters: int) -> int:
        head = text[:characters]
        if head.isascii():
            return characters
        return characters + sum(1 for character in head if character > "\uffff")

    return [Span(start=units(start), end=units(end)) for start, end in found]
