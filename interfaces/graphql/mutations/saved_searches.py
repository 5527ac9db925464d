"""Mutations about saved searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import strawberry

from application.archive import Accepted
from application.commands.delete_saved_search import DeleteSavedSearch
from application.commands.rename_saved_search import RenameSavedSearch
from application.commands.save_search import SaveSearch
from application.context import Context
from application.searching.filters import NO_FILTERS
from domain.workspace import UnknownWorkspaceError
from interfaces.graphql.context import Ask
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    MutationSuccess,
    carry_out,
    refusal_of,
)
from interfaces.graphql.node_ids import parse_id
from interfaces.graphql.refusals import (
    ArgumentRefused,
    QueryRefused,
    SavedSearchNameRefused,
    SavedSearchNotFound,
    TooManySavedSearches,
    UnknownWorkspace,
)
from interfaces.graphql.saved_search import EXAMPLE, NOBODYS, SavedSearch, own
from interfaces.graphql.scalars import BigInt
from interfaces.graphql.search import SearchMode, SearchSort
from interfaces.graphql.search_filter import SearchFilter

ID = f"The saved search's id, for example `{EXAMPLE}`."
NAME = "1 to 100 printable characters, for example `Life jackets`. Two may have the same."
WORKSPACE = "Its workspace's name or id, for example `default`."


@strawberry.input(description="What `saveSearch` needs.")
class SaveSearchInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    name: str = strawberry.field(description=NAME)
    query: str = strawberry.field(
        description="What to look for, as `search` takes it, for example `life jackets after:7d`: "
        "such days are reckoned whenever it is run."
    )
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    mode: SearchMode = strawberry.field(default=SearchMode.HYBRID, description="What to go by.")
    sort: SearchSort = strawberry.field(
        default=SearchSort.RELEVANCE, description="What the hits are ordered by."
    )
    filter: SearchFilter | None = strawberry.field(
        default=None, description="Which messages may be found, beside what the query says."
    )
    time_zone: str = strawberry.field(
        default="UTC", description="In which days begin, for example `Europe/Berlin`."
    )


@strawberry.input(description="What `renameSavedSearch` needs.")
class RenameSavedSearchInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=ID)
    name: str = strawberry.field(description=NAME)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)


@strawberry.input(description="What `deleteSavedSearch` needs.")
class DeleteSavedSearchInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    id: strawberry.ID = strawberry.field(description=ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)


SHOWN = "As it is now; null: it is recorded, and will be shown in a moment, or is deleted since."


@strawberry.type(description="The search is saved.")
class SaveSearchSuccess(MutationSuccess):
    saved_search: SavedSearch | None = strawberry.field(description=SHOWN)


@strawberry.type(description="The saved search has this name.")
class RenameSavedSearchSuccess(MutationSuccess):
    saved_search: SavedSearch | None = strawberry.field(description=SHOWN)


@strawberry.type(description="The saved search is deleted.")
class DeleteSavedSearchSuccess(MutationSuccess):
    id: strawberry.ID = strawberry.field(description=ID)


SaveSearchAnswer = Annotated[
    SaveSearchSuccess
    | QueryRefused
    | SavedSearchNameRefused
    | TooManySavedSearches
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("SaveSearchAnswer", description="The saved search, or why there is none."),
]
RenameSavedSearchAnswer = Annotated[
    RenameSavedSearchSuccess
    | SavedSearchNotFound
    | SavedSearchNameRefused
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union(
        "RenameSavedSearchAnswer", description="The saved search, or why it keeps its name."
    ),
]
DeleteSavedSearchAnswer = Annotated[
    DeleteSavedSearchSuccess
    | SavedSearchNotFound
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("DeleteSavedSearchAnswer", description="What was done, or why it stays."),
]


async def save_search(
    info: Ask, input: Annotated[SaveSearchInput, strawberry.argument(description="What to save.")]
) -> Any:
    handle = info.context.container.save_search
    filters = NO_FILTERS if input.filter is None else input.filter.filters

    def save(workspace_id: UUID, context: Context) -> Accepted:
        command = SaveSearch(
            workspace_id=workspace_id,
            name=input.name,
            query=input.query,
            mode=input.mode.mode,
            filters=filters,
            sort=input.sort.sort,
            time_zone=input.time_zone,
        )
        return handle(command, context)

    return await change(info, input, save, SaveSearchSuccess)


async def rename_saved_search(
    info: Ask,
    input: Annotated[
        RenameSavedSearchInput, strawberry.argument(description="Which one, and the name.")
    ],
) -> Any:
    handle, id = info.context.container.rename_saved_search, parse_id("SavedSearch", input.id)
    if id is None:
        return nobodys()

    def rename(_workspace_id: UUID, context: Context) -> Accepted:
        return handle(RenameSavedSearch(saved_search_id=id, name=input.name), context)

    return await change(info, input, rename, RenameSavedSearchSuccess)


async def delete_saved_search(
    info: Ask,
    input: Annotated[DeleteSavedSearchInput, strawberry.argument(description="Which one.")],
) -> Any:
    handle, id = info.context.container.delete_saved_search, parse_id("SavedSearch", input.id)
    if id is None:
        return nobodys()

    def delete(_workspace_id: UUID, context: Context) -> Accepted:
        return handle(DeleteSavedSearch(saved_search_id=id), context)

    accepted = await carried_out(info, input, delete)
    if not isinstance(accepted, tuple):
        return accepted
    return DeleteSavedSearchSuccess(
        command_id=input.command_id, position=BigInt(accepted[0].position), id=input.id
    )


async def carried_out(
    info: Ask, input: Any, handle: Callable[[UUID, Context], Accepted]
) -> tuple[Accepted, UUID] | Any:
    """With the workspace that the input names; or a refusal."""
    try:
        workspace_id = await info.context.known_workspace(info, input.workspace)
    except UnknownWorkspaceError as error:
        return refusal_of(error)
    accepted = await carry_out(
        info, input.command_id, lambda context: handle(workspace_id, context), workspace_id
    )
    return (accepted, workspace_id) if isinstance(accepted, Accepted) else accepted


async def change(
    info: Ask,
    input: Any,
    handle: Callable[[UUID, Context], Accepted],
    success: Callable[..., MutationSuccess],
) -> Any:
    """Carry out, and show the saved search as it is then."""
    done = await carried_out(info, input, handle)
    if not isinstance(done, tuple):
        return done
    accepted, workspace_id = done
    await info.context.caught_up(info, ["saved_searches"], accepted.position)
    row = await own(info, workspace_id, UUID(str(accepted.result["saved_search_id"])))
    return success(
        command_id=input.command_id,
        position=BigInt(accepted.position),
        saved_search=None if row is None else SavedSearch.of(row),
    )


def nobodys() -> SavedSearchNotFound:
    return SavedSearchNotFound(code="SAVED_SEARCH_NOT_FOUND", message=NOBODYS)
