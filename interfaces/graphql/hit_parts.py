"""What belongs to a hit beside itself: the messages that it stands for."""

from __future__ import annotations

import strawberry

from application.ports.search import Hit as FoundHit
from application.ports.search import SearchRequest
from infrastructure.search.duplicates import StoodFor, duplicates_of
from interfaces.graphql.connections import Connection
from interfaces.graphql.context import Ask
from interfaces.graphql.message import Message
from interfaces.graphql.pages import MESSAGES
from interfaces.graphql.reading import After, Before, First, Last, page_below


@strawberry.type(description="What a hit stands for.")
class HitParts:
    duplicate_count: int = strawberry.field(
        description="Further messages of the result that say the same, but for case, punctuation, "
        "emoji, marks of quoting, or details of a long text: this hit stands for them; for "
        "example 3. 0 where the order is by time: then each message is a hit."
    )
    found: strawberry.Private[FoundHit]
    request: strawberry.Private[SearchRequest]

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
        place = self.found.place
        key = StoodFor(place.message_id, self.found.stands_for, place.messages_position)
        return await page_below(
            info, duplicates_of, key, MESSAGES, window, Message.of, request=self.request
        )
