"""How the result of a search is made up."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry

from application.ports.search import Facets as FoundFacets
from application.ports.search import FacetValue as FoundValue
from interfaces.graphql.node_ids import node_id


@strawberry.type(description="One value that messages of a result have.")
class FacetValue:
    key: str = strawberry.field(
        description="What a filter takes: the id of a person, a conversation or a label, a month, "
        "the name of a format; for example `2024-03`."
    )
    name: str = strawberry.field(description="For people, for example `Ada Lovelace`.")
    count: int = strawberry.field(description="Messages that have it, for example 12.")


@strawberry.type(
    description="How the whole result is made up, not only the page. The most frequent values come "
    "first, twenty at most; months come the latest first, all of them, in UTC."
)
class Facets:
    total: int = strawberry.field(
        description="Messages of the result, equal texts each for itself; for example 2013."
    )
    authors: list[FacetValue] = strawberry.field(description="Who wrote them.")
    conversations: list[FacetValue] = strawberry.field(description="Where they were written.")
    months: list[FacetValue] = strawberry.field(description="When they were sent.")
    formats: list[FacetValue] = strawberry.field(description="What kind of export they are from.")
    labels: list[FacetValue] = strawberry.field(
        description="What labels they, or their conversations, have."
    )

    @classmethod
    def of(cls, found: FoundFacets) -> Facets:
        return cls(
            total=found.total,
            authors=values(found.authors, "Author"),
            conversations=values(found.conversations, "Conversation"),
            months=values(found.months),
            formats=values(found.formats),
            labels=values(found.labels, "Label"),
        )


def values(found: Iterable[FoundValue], kind: str | None = None) -> list[FacetValue]:
    return [
        FacetValue(
            key=value.key if kind is None else node_id(kind, value.key),
            name=value.name,
            count=value.count,
        )
        for value in found
    ]
