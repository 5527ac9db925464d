"""Who wrote in a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window

# Greater than every character that a name goes on with.
LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorRow:
    workspace_id: UUID
    author_id: UUID
    format: str
    source_id: str  # the source's own id; where it has none, the name
    name: str  # as last seen in an export
    former_names: list[str]  # oldest first
    upload_id: UUID  # where they were first seen
    position: int  # of the event that last changed the row
    sort_name: str  # the name's beginning, in lower case


BY_ID = Listing(
    row=AuthorRow,
    source="read.author AS r",
    parent=("r.workspace_id", "r.author_id"),
    types=("uuid", "uuid"),
    order=("r.author_id",),
)
BY_NAME = Listing(
    row=AuthorRow,
    source="read.author AS r",
    parent=("r.workspace_id",),
    types=("uuid",),
    order=("r.sort_name", "r.author_id"),
)
# Who wrote where, the messages read model knows.
IN_CONVERSATION = Listing(
    row=AuthorRow,
    source="""read.participation AS p JOIN read.author AS r
        ON r.workspace_id = p.workspace_id AND r.author_id = p.author_id""",
    parent=("p.workspace_id", "p.conversation_id"),
    types=("uuid", "uuid"),
    order=("r.sort_name", "r.author_id"),
)


def authors_page(
    connection: Connection[Any], workspace_id: UUID, *, window: Window, name: str | None = None
) -> Slice[AuthorRow]:
    """
    By `sort_name` and `author_id`. Erased ones are not there.

    Args:
        name: what names begin with, whatever the case of its letters.
    """
    where, values = "", list[Any]()
    if name:
        where = " AND r.sort_name >= lower(%s) AND r.sort_name < lower(%s) || %s"
        values = [name, name, LAST_CHARACTER]
    return BY_NAME.page(connection, (workspace_id,), window, where, values)


def authors_in_conversation(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]], *, window: Window
) -> dict[tuple[UUID, UUID], Slice[AuthorRow]]:
    """
    By `sort_name` and `author_id`.

    Args:
        keys: workspace and conversation.
    """
    return IN_CONVERSATION.pages(connection, keys, window)


def authors_by_id(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], AuthorRow]:
    """
    Args:
        keys: workspace and author.
    """
    return BY_ID.first(connection, keys)


def authors_among(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, AuthorRow]:
    return {row.author_id: row for row in BY_ID.among(connection, workspaces, ids)}
