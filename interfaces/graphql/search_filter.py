"""The filters of a search as input, for those who do not write them into the query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from application.searching.filters import FEATURES, Choice, Feature, Filters
from interfaces.graphql.conversation import ConversationKind
from interfaces.graphql.message_parts import MessageKind
from interfaces.graphql.reading import moment

NAMES = "Ids, or names as people write them; one of them is enough, for example "


@strawberry.enum(description="What a message has.")
class MessageFeature(Enum):
    LINK = strawberry.enum_value("link", description="A link in its text.")
    ATTACHMENT = strawberry.enum_value("attachment", description="A file or a picture.")
    REACTION = strawberry.enum_value("reaction", description="Somebody reacted to it.")
    REPLY = strawberry.enum_value("reply", description="It answers another one.")


@strawberry.input(
    description="Which messages a search may find. Each field narrows the others, and the "
    "operators of the query; an empty list is as none."
)
class SearchFilter:
    authors: list[str] = strawberry.field(
        default_factory=list, description=NAMES + "`Ada Lovelace`; in a query: `from:`."
    )
    not_authors: list[str] = strawberry.field(
        default_factory=list, description="Whose messages are left out, for example `bot`."
    )
    conversations: list[str] = strawberry.field(
        default_factory=list, description=NAMES + "`Boat trip`; in a query: `in:`."
    )
    not_conversations: list[str] = strawberry.field(
        default_factory=list, description="What is left out, for example `off topic`."
    )
    uploads: list[str] = strawberry.field(
        default_factory=list,
        description="Ids or names of files; one of them is enough, for example `chat.zip`; in a "
        "query: `upload:`.",
    )
    not_uploads: list[str] = strawberry.field(
        default_factory=list,
        description="What no message found may have been in, for example `old.zip`.",
    )
    message_kinds: list[MessageKind] = strawberry.field(
        default_factory=list, description="One of them, for example `MESSAGE`; `kind:`."
    )
    conversation_kinds: list[ConversationKind] = strawberry.field(
        default_factory=list,
        description="In a conversation of one of these kinds, for example `CHANNEL`; `kind:`.",
    )
    languages: list[str] = strawberry.field(
        default_factory=list,
        description="ISO 639-1 codes; one of them is enough, for example `de`; `lang:`.",
    )
    labels: list[str] = strawberry.field(
        default_factory=list,
        description="Ids or names of labels that a message or its conversation has; one of them "
        "is enough, for example `to check`; in a query: `label:`.",
    )
    not_labels: list[str] = strawberry.field(
        default_factory=list,
        description="Labels that neither has, for example `privileged`.",
    )
    has: list[MessageFeature] = strawberry.field(
        default_factory=list, description="All of them, for example `LINK`; in a query: `has:`."
    )
    has_not: list[MessageFeature] = strawberry.field(
        default_factory=list, description="None of them, for example `REPLY`."
    )
    sent_from: datetime | None = strawberry.field(
        default=None, description="Then or later, for example `2024-03-01T00:00:00Z`."
    )
    sent_before: datetime | None = strawberry.field(
        default=None, description="Before then, for example `2024-04-01T00:00:00Z`."
    )

    @property
    def filters(self) -> Filters:
        """
        Raises:
            ArgumentRefusedError: a time names no zone.
        """
        return Filters(
            authors=Choice(tuple(self.authors), tuple(self.not_authors)),
            conversations=Choice(tuple(self.conversations), tuple(self.not_conversations)),
            uploads=Choice(tuple(self.uploads), tuple(self.not_uploads)),
            message_kinds=Choice(values(self.message_kinds)),
            conversation_kinds=Choice(values(self.conversation_kinds)),
            languages=Choice(tuple(code.lower() for code in self.languages)),
            labels=Choice(tuple(self.labels), tuple(self.not_labels)),
            has=features(self.has),
            has_not=features(self.has_not),
            sent_from=moment(self.sent_from),
            sent_before=moment(self.sent_before),
        )


def features(chosen: Sequence[MessageFeature]) -> tuple[Feature, ...]:
    names = values(chosen)
    return tuple(feature for feature in FEATURES if feature in names)


def values(chosen: Sequence[Enum]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(member.value) for member in chosen))
