"""A search run again: as of then, as of today, and what has changed."""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from application.commands import replay_search as command
from application.commands.replay_search import (
    ReplaySearch,
    SearchErasedError,
    SearchNotFoundError,
)
from application.ports.search import SearchTookTooLongError
from application.searches import MAX_LIMIT, QueryRefusedError
from domain.workspace import UnknownWorkspaceError
from infrastructure.search.opening import READ_MODELS
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import CODES
from interfaces.graphql.message import Message
from interfaces.graphql.node_ids import node_id, parse_number
from interfaces.graphql.reading import InWorkspace, MinPosition
from interfaces.graphql.refusals import (
    QueryRefused,
    SearchErased,
    SearchNotFound,
    SearchTimedOut,
    UnknownWorkspace,
)
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search_history import PastSearch
from projections.messages import queries

Refused = QueryRefused | SearchErased | SearchNotFound | SearchTimedOut | UnknownWorkspace
REFUSALS: dict[type[Exception], type[Refused]] = {
    SearchNotFoundError: SearchNotFound,
    SearchErasedError: SearchErased,
    QueryRefusedError: QueryRefused,
    SearchTookTooLongError: SearchTimedOut,
    UnknownWorkspaceError: UnknownWorkspace,
}


@strawberry.enum(description="What has become of a hit.")
class ReplayChange(Enum):
    SAME = strawberry.enum_value("same", description="It has the rank that it had.")
    MOVED = strawberry.enum_value("moved", description="It has another rank.")
    ADDED = strawberry.enum_value("added", description="It was no hit then.")
    GONE = strawberry.enum_value("gone", description="It is a hit no longer.")


@strawberry.enum(description="Why a hit does not stand where it stood.")
class ReplayReason(Enum):
    WITHDRAWN = strawberry.enum_value(
        "withdrawn", description="What brought it was withdrawn: it is not there any more."
    )
    EDITED = strawberry.enum_value("edited", description="It had another text then.")
    ARRIVED = strawberry.enum_value("arrived", description="It was not there yet.")
    INDEXED = strawberry.enum_value("indexed", description="It could not be found by meaning yet.")
    RANKING = strawberry.enum_value(
        "ranking", description="The message is the same; what ranks before it is not."
    )


@strawberry.enum(description="What could not be replayed exactly, or compared.")
class ReplayNoteKind(Enum):
    WITHDRAWN = strawberry.enum_value(
        "withdrawn", description="Hits of then are not there any more."
    )
    EDITED = strawberry.enum_value(
        "edited", description="Hits of then had other texts; they are searched as they are today."
    )
    MODEL_CHANGED = strawberry.enum_value(
        "model_changed", description="Another model compares meaning today."
    )
    ENGINE_CHANGED = strawberry.enum_value(
        "engine_changed", description="Another index has answered than then."
    )
    BACKGROUND = strawberry.enum_value(
        "background",
        description="How near the query is to anything is reckoned without what was withdrawn.",
    )
    NAMES = strawberry.enum_value(
        "names", description="Names in filters mean what is called so today."
    )
    LATER_PAGE = strawberry.enum_value("later_page", description="It was no first page.")
    NOT_RECORDED = strawberry.enum_value(
        "not_recorded", description="An early version did not record all that it takes."
    )
    BEHIND = strawberry.enum_value(
        "behind", description="The read models have not come as far again as they were."
    )


@strawberry.type(description="Something that could not be replayed exactly, or compared.")
class ReplayNote:
    kind: ReplayNoteKind = strawberry.field(description="What it is, for programs.")
    message: str = strawberry.field(
        description="A sentence for people, for example `2 of its hits had another text then: "
        "they are searched as they are today`; it may change."
    )


@strawberry.type(description="A hit of then or of now, and what has become of it.")
class ReplayedHit:
    message_id: strawberry.ID = strawberry.field(
        description="The message's id, for example `Message:52224`."
    )
    rank: int | None = strawberry.field(
        description="Its place now, from 1; for example 2. Null: it is a hit no longer."
    )
    former_rank: int | None = strawberry.field(
        description="Its place then, from 1; for example 1. Null: it was no hit."
    )
    change: ReplayChange = strawberry.field(description="What has become of it.")
    reason: ReplayReason | None = strawberry.field(
        description="Why. Null: it stands where it stood."
    )
    key: strawberry.Private[tuple[UUID, int]]

    @strawberry.field(description="The message as it is today; null: it is not there any more.")
    async def message(self, info: Ask) -> Message | None:
        row = await info.context.load(queries.messages_by_id, self.key)
        return None if row is None else Message.of(row)

    @classmethod
    def of(cls, hit: command.ComparedHit, workspace_id: UUID) -> ReplayedHit:
        return cls(
            message_id=node_id("Message", hit.message_id),
            rank=hit.rank,
            former_rank=hit.former_rank,
            change=ReplayChange(hit.change),
            reason=None if hit.reason is None else ReplayReason(hit.reason),
            key=(workspace_id, hit.message_id),
        )


@strawberry.type(description="The hits of now beside those of then.")
class ReplayComparison:
    is_same: bool = strawberry.field(description="The same hits in the same order.")
    hits: list[ReplayedHit] = strawberry.field(description="What is found now, in order.")
    gone: list[ReplayedHit] = strawberry.field(
        description="What is found no longer, in the order of then."
    )

    @classmethod
    def of(cls, found: command.Comparison, workspace_id: UUID) -> ReplayComparison:
        return cls(
            is_same=found.is_same,
            hits=[ReplayedHit.of(hit, workspace_id) for hit in found.hits],
            gone=[ReplayedHit.of(hit, workspace_id) for hit in found.gone],
        )


@strawberry.type(description="A search that was run again.")
class SearchReplay:
    search: PastSearch = strawberry.field(description="The search as the log has it.")
    as_of_then: ReplayComparison = strawberry.field(
        description="Run again over what the archive held then, as far as that is still there."
    )
    today: ReplayComparison = strawberry.field(
        description="Run again over all that the archive holds now."
    )
    notes: list[ReplayNote] = strawberry.field(
        description="What could not be replayed exactly; none: nothing is known to differ."
    )
    model: str | None = strawberry.field(
        description="What compares meaning now, for example `all-MiniLM-L6-v2@1`; null for words "
        "alone."
    )
    position: BigInt = strawberry.field(
        description="The log position that today's answer reflects, for example 1030."
    )
    event_position: BigInt = strawberry.field(
        description="Where the log has recorded this replay, before this answer was given, for "
        "example 1031."
    )
    milliseconds: float = strawberry.field(
        description="How long it took until all hits were known, for example 25.5."
    )

    @classmethod
    def of(cls, replayed: command.Replayed, workspace_id: UUID) -> SearchReplay:
        return cls(
            search=PastSearch.of_log(replayed.search),
            as_of_then=ReplayComparison.of(replayed.as_of_then, workspace_id),
            today=ReplayComparison.of(replayed.today, workspace_id),
            notes=[
                ReplayNote(kind=ReplayNoteKind(note.kind), message=note.message)
                for note in replayed.notes
            ],
            model=replayed.model,
            position=BigInt(replayed.answered_position),
            event_position=BigInt(replayed.position),
            milliseconds=replayed.milliseconds,
        )


SearchReplayAnswer = Annotated[
    SearchReplay | QueryRefused | SearchErased | SearchNotFound | SearchTimedOut | UnknownWorkspace,
    strawberry.union(
        "SearchReplayAnswer", description="What is found again, or why nothing was replayed."
    ),
]


async def replay_search(
    info: Ask,
    search: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="The search's event, for example `Event:1025`, or its position alone: "
            "`eventPosition` of a search and of `searchHistory`."
        ),
    ],
    workspace: InWorkspace = "default",
    min_position: MinPosition = None,
) -> SearchReplayAnswer | None:
    asked = info.context
    asked.spend(2 * MAX_LIMIT)
    position = parse_number("Event", search)
    try:
        if position is None:
            raise SearchNotFoundError("this is not the position of a search")
        await asked.caught_up(info, READ_MODELS, min_position)
        workspace_id = await asked.known_workspace(info, workspace, min_position)
        handle, wanted = asked.container.replay_search, ReplaySearch(position=position)
        found = await asked.run(lambda: handle(wanted, asked.within(workspace_id)))
    except tuple(REFUSALS) as error:
        kind = next(REFUSALS[known] for known in REFUSALS if isinstance(error, known))
        return kind(code=CODES[type(error)], message=str(error))
    sides = (found.as_of_then, found.today)
    shown = sum(len(side.hits) + len(side.gone) for side in sides)
    asked.spend(max(0, shown - 2 * MAX_LIMIT))  # a page of an export has more than other searches
    return SearchReplay.of(found, workspace_id)
