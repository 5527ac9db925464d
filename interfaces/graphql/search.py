"""Searching an archive by meaning and by words."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast

import strawberry

from application.commands.perform_search import MAX_CONTEXT, MAX_LIMIT, Searched
from application.ports.search import Hit as FoundHit
from application.ports.search import SearchRequest
from domain.search import SearchMode as Mode
from interfaces.graphql.context import WAIT_SECONDS, Ask
from interfaces.graphql.message import Message
from interfaces.graphql.scalars import BigInt


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
    cosine: float = strawberry.field(description="Of the angle between the vectors, -1 to 1.")
    rank: int = strawberry.field(description="Its place among the nearest, from 1.")


@strawberry.type(description="How well a message fits the words of the query.")
class WordsScore:
    rank: int = strawberry.field(description="Its place among those with the words, from 1.")
    score: float = strawberry.field(description="Full-text score; comparable within one answer.")


@strawberry.type(
    description="A part of the message's text, in UTF-16 code units as JavaScript counts them."
)
class Span:
    start: int = strawberry.field(description="The first unit, from 0.")
    end: int = strawberry.field(description="The unit after the last one.")


@strawberry.type(description="A message that was found, and why.")
class Hit:
    score: float = strawberry.field(description="Fused; comparable within one answer only.")
    meaning: MeaningScore | None = strawberry.field(description="Null: not among the nearest.")
    words: WordsScore | None = strawberry.field(description="Null: it has none of the words.")
    message: Message = strawberry.field(description="The message itself.")
    highlights: list[Span] = strawberry.field(description="Where the query's words are in it.")
    before: list[Message] = strawberry.field(description="What was said before it, oldest first.")
    after: list[Message] = strawberry.field(description="What was said after it, oldest first.")
    same_text: int = strawberry.field(description="Further messages with exactly this text.")

    @classmethod
    def of(cls, hit: FoundHit) -> Hit:
        meaning = words = None
        if hit.meaning is not None and hit.meaning_rank is not None:
            meaning = MeaningScore(cosine=hit.meaning, rank=hit.meaning_rank)
        if hit.words is not None and hit.words_rank is not None:
            words = WordsScore(rank=hit.words_rank, score=hit.words)
        return cls(
            score=hit.score,
            meaning=meaning,
            words=words,
            message=Message.of(hit.message),
            highlights=spans(hit.message.text, hit.highlights),
            before=[Message.of(message) for message in hit.before],
            after=[Message.of(message) for message in hit.after],
            same_text=hit.same_text,
        )


@strawberry.type(description="How much of the archive could be found by meaning.")
class Coverage:
    indexed: int = strawberry.field(description="Messages with a vector.")
    total: int = strawberry.field(description="Messages that have one or will have one.")
    is_partial: bool = strawberry.field(description="Some were not indexed yet: ask again later.")


@strawberry.type(description="The answer to a search.")
class SearchResult:
    hits: list[Hit] = strawberry.field(description="Best first.")
    coverage: Coverage = strawberry.field(description="How much of the archive was searched.")
    position: BigInt = strawberry.field(description="The log position that the answer reflects.")
    event_position: BigInt = strawberry.field(
        description="Where the log has recorded this search, before this answer was given."
    )
    is_stale: bool = strawberry.field(
        description="`minPosition` was not reached within five seconds."
    )
    model: str | None = strawberry.field(description="The embedding model; null for words alone.")
    engine: str = strawberry.field(description="What compared vectors: faiss, pgvector or none.")
    milliseconds: float = strawberry.field(description="How long the search itself took.")

    @classmethod
    def of(cls, searched: Searched) -> SearchResult:
        answer = searched.answer
        return cls(
            hits=[Hit.of(hit) for hit in answer.hits],
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


async def search(
    info: Ask,
    query: Annotated[str, strawberry.argument(description="What to look for, in any words.")],
    workspace: Annotated[str, strawberry.argument(description="The archive's name.")] = "default",
    mode: Annotated[
        SearchMode, strawberry.argument(description="What to go by.")
    ] = SearchMode.HYBRID,
    limit: Annotated[int, strawberry.argument(description=f"Hits at most, 1 to {MAX_LIMIT}.")] = 10,
    context: Annotated[
        int,
        strawberry.argument(description=f"Messages before and after each hit, 0 to {MAX_CONTEXT}."),
    ] = 2,
    min_position: Annotated[
        BigInt | None,
        strawberry.argument(
            description="A log position, such as an upload's, that the answer must reflect."
        ),
    ] = None,
) -> SearchResult | None:
    asked = info.context
    position = min_position or 0
    asked.spend(max(limit, 0) * (1 + 2 * max(context, 0)))

    def perform() -> Searched:
        request = SearchRequest(
            workspace_id=asked.workspace_id(workspace, position),
            query=query,
            mode=mode.mode,
            limit=limit,
            context=context,
            min_position=position,
            timeout_seconds=WAIT_SECONDS,
        )
        return asked.container.perform_search(request, asked.within(request.workspace_id))

    return SearchResult.of(await asked.run(perform))


def spans(text: str, found: tuple[tuple[int, int], ...]) -> list[Span]:
    """From characters to UTF-16 code units, of which an emoji has two."""

    def units(characters: int) -> int:
        head = text[:characters]
        if head.isascii():
            return characters
        return characters + sum(1 for character in head if character > "\uffff")

    return [Span(start=units(start), end=units(end)) for start, end in found]
