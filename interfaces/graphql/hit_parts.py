"""What belongs to a hit: why it was found, and the messages that it stands for."""

from __future__ import annotations

from enum import Enum

import strawberry

from application.ports.search import Hit as FoundHit
from application.ports.search import SearchRequest
from infrastructure.search.duplicates import StoodFor, duplicates_of
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.message import Message
from interfaces.graphql.pages import MESSAGES
from interfaces.graphql.reading import After, Before, First, Last, page_below
from projections.messages.threads import MOST_COUNTED, ThreadRow, threads_of


@strawberry.enum(description="Why a message was found.")
class HitReason(Enum):
    MEANING = strawberry.enum_value("meaning", description="It is among the nearest in meaning.")
    WORDS = strawberry.enum_value("words", description="It has words of the query.")
    CONTEXT = strawberry.enum_value(
        "context", description="It belongs to what was said around others that were found."
    )


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


@strawberry.type(description="The thread that a hit belongs to: its `message.thread` lists it.")
class HitThread:
    message_count: int = strawberry.field(
        description="Its messages, the hit and the root among them, for example 12."
    )
    is_whole: bool = strawberry.field(
        description=f"It has no more than these; from {MOST_COUNTED:,} on nobody counts."
    )
    root: Message | None = strawberry.field(
        description="The message that it began with, which may be the hit; null: no upload has it."
    )

    @classmethod
    def of(cls, row: ThreadRow) -> HitThread:
        root = None if row.root is None else Message.of(row.root)
        return cls(message_count=row.messages, is_whole=row.is_whole, root=root)


@strawberry.type(description="What a hit stands for.")
class HitParts:
    duplicate_count: int = strawberry.field(
        description="Further messages of the result that say the same, but for case, punctuation, "
        "emoji, marks of quoting, or details of a long text: this hit stands for them; for "
        "example 3. 0 where the order is by time: then each message is a hit."
    )
    found: strawberry.Private[FoundHit]
    request: strawberry.Private[SearchRequest]

    @strawberry.field(description="The thread that it belongs to; null: it is in none.")
    async def thread(self, info: Ask) -> HitThread | None:
        key = (self.request.workspace_id, self.found.message.id)
        row: ThreadRow | None = await info.context.load(threads_of, key)
        return None if row is None else HitThread.of(row)

    @strawberry.field(
        description="The messages that it stands for besides itself, the oldest first, of the "
        "result as it was. The search's argument `hit` asks for one hit alone, to read on."
    )
    async def duplicates(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        window = MESSAGES.window(first=first, after=after, last=last, before=before)
        key, made = StoodFor.by(self.found), Message.of
        return await page_below(
            info, duplicates_of, key, MESSAGES, window, made, request=self.request
        )


def reasons(hit: FoundHit) -> list[HitReason]:
    found = []
    if hit.meaning_rank is not None:
        found.append(HitReason.MEANING)
    if hit.words_rank is not None:
        found.append(HitReason.WORDS)
    return found or ([HitReason.CONTEXT] if hit.score else [])


def spans(text: str, found: tuple[tuple[int, int], ...]) -> list[Span]:
    """From characters to UTF-16 code units, of which an emoji has two."""

    def units(characters: int) -> int:
        head = text[:characters]
        if head.isascii():
            return characters
        return characters + sum(1 for character in head if character > "\uffff")

    return [Span(start=units(start), end=units(end)) for start, end in found]
