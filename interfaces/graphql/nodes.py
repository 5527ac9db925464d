"""Asking for anything by its id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from interfaces.graphql.audit import find_entries
from interfaces.graphql.author import find_authors
from interfaces.graphql.connections import MAX_FIRST
from interfaces.graphql.context import Ask
from interfaces.graphql.conversation import find_conversations
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.event import find_events
from interfaces.graphql.job import find_jobs
from interfaces.graphql.label import find_labels
from interfaces.graphql.log_position import log_reached
from interfaces.graphql.message import Message, find_messages
from interfaces.graphql.node import Node
from interfaces.graphql.node_ids import key_of, kind_of, parse_id, parse_number
from interfaces.graphql.opening import opened
from interfaces.graphql.projection import find_projections
from interfaces.graphql.reading import MinPosition
from interfaces.graphql.upload import find_uploads
from interfaces.graphql.workspace import find_workspaces

Found = Mapping[Any, Any]


@dataclass(frozen=True)
class Kind:
    """How nodes of one type are found."""

    models: tuple[str, ...]  # the read models that hold them; none: they stand beside the log
    parse: Callable[[str, str], UUID | int | str | None]
    # From a connection, the workspaces that the actor may read, and ids, each once.
    find: Callable[[Database[Any], Sequence[UUID], Sequence[Any]], Found]


KINDS: Mapping[str, Kind] = {
    "AuditEntry": Kind(("audit_trail",), parse_number, find_entries),
    "Author": Kind(("authors", "messages"), parse_id, find_authors),
    "Conversation": Kind(("conversations", "messages", "labels"), parse_id, find_conversations),
    "Event": Kind((), parse_number, find_events),
    "Job": Kind((), parse_number, find_jobs),
    "Label": Kind(("labels", "messages"), parse_id, find_labels),
    "Message": Kind(("messages", "labels"), parse_number, find_messages),
    "Projection": Kind((), key_of, find_projections),
    "Upload": Kind(("uploads",), parse_id, find_uploads),
    "Workspace": Kind(("workspaces",), parse_id, find_workspaces),
}


async def node(
    info: Ask,
    id: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="An id that names its type, for example "
            "`Upload:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`."
        ),
    ],
    min_position: MinPosition = None,
) -> Node | None:
    [found] = await find(info, [id], min_position)
    return found


async def nodes(
    info: Ask,
    ids: Annotated[
        list[strawberry.ID],
        strawberry.argument(
            description=f"At most {MAX_FIRST} ids that name their types, for example "
            '`["Message:52224", "Message:52225"]`.'
        ),
    ],
    min_position: MinPosition = None,
) -> list[Node | None] | None:
    if len(ids) > MAX_FIRST:
        raise ArgumentRefusedError(f"`ids` has at most {MAX_FIRST} entries")
    return await find(info, ids, min_position)


async def find(info: Ask, ids: Sequence[str], min_position: int | None) -> list[Node | None]:
    """In the order of the ids: one statement a type, and one for what the actor may read."""
    info.context.spend(len(ids))
    wanted: defaultdict[str, dict[Any, None]] = defaultdict(dict)  # each once, in order
    places = [place_of(id) for id in ids]
    for place in places:
        if place is not None:
            wanted[place[0]][place[1]] = None
    if not wanted:
        return [None] * len(places)
    models = sorted({model for kind in wanted for model in KINDS[kind].models})
    if models:
        await info.context.caught_up(info, models, min_position)
    else:
        await log_reached(info, min_position)

    def look(database: Database[Any]) -> dict[str, Found]:
        workspaces = info.context.readable(database)
        return {
            kind: KINDS[kind].find(database, workspaces, list(keys))
            for kind, keys in wanted.items()
        }

    found = await info.context.read(look)
    messages = found.get("Message", {}).values()
    await opened(info, [one.row for one in messages if isinstance(one, Message)])
    return [None if place is None else found[place[0]].get(place[1]) for place in places]


def place_of(id: str) -> tuple[str, UUID | int | str] | None:
    """The type and the key of an id. None: nothing has it."""
    name = kind_of(id)
    if name not in KINDS:
        return None
    key = KINDS[name].parse(name, id)
    return None if key is None else (name, key)
