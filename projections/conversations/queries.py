"""Which conversations a workspace has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window

# Greater than every character that a title goes on with.
LAST_CHARACTER = "\U0010ffff"
Order = Literal["last_message", "title"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRow:
    workspace_id: UUID
    conversation_id: UUID
    format: str
    kind: str  # direct, group, channel, ai, unknown
    title: str  # as last seen in an export
    former_titles: list[str]  # oldest first
    upload_id: UUID  # where it was first seen
    position: int  # of the event that last changed the row
    sort_title: str  # the title's beginning, in lower case
    last_at: datetime | None  # of the messages that the list is ordered by; None: by title


BY_ID = Listing(
    row=ConversationRow,
    source="read.conversation AS r",
    parent=("r.workspace_id", "r.conversation_id"),
    types=("uuid", "uuid"),
    order=("r.conversation_id",),
    columns={"last_at": "NULL::timestamptz"},
)
BY_TITLE = Listing(
    row=ConversationRow,
    source="read.conversation AS r",
    parent=("r.workspace_id",),
    types=("uuid",),
    order=("r.sort_title", "r.conversation_id"),
    columns={"last_at": "NULL::timestamptz"},
)
# Counts and times are those that the messages read model keeps.
BY_LAST_MESSAGE = Listing(
    row=ConversationRow,
    source="""read.conversation_total AS t JOIN read.conversation AS r
        ON r.workspace_id = t.workspace_id AND r.conversation_id = t.conversation_id""",
    parent=("t.workspace_id",),
    types=("uuid",),
    order=("t.last_at", "t.conversation_id"),
    is_descending=True,
    columns={"last_at": "t.last_at"},
)
OF_AUTHOR = Listing(
    row=ConversationRow,
    source="""read.participation AS p JOIN read.conversation AS r
        ON r.workspace_id = p.workspace_id AND r.conversation_id = p.conversation_id""",
    parent=("p.workspace_id", "p.author_id"),
    types=("uuid", "uuid"),
    order=("p.last_at", "p.conversation_id"),
    is_descending=True,
    columns={"last_at": "p.last_at"},
)


def conversations_page(
    connection: Connection[Any],
    workspace_id: UUID,
    *,
    window: Window,
    order: Order = "last_message",
    kinds: Sequence[str] | None = None,
    title: str | None = None,
) -> Slice[ConversationRow]:
    """
    By `last_at` and `conversation_id`, the latest first, or by `sort_title` and
    `conversation_id`. One whose title was erased is in neither.

    Args:
        title: what titles begin with, whatever the case of its letters.
    """
    where, values = "", list[Any]()
    if kinds is not None:
        where, values = " AND r.kind = ANY(%s)", [list(kinds)]
    if title:
        where += " AND r.sort_title >= lower(%s) AND r.sort_title < lower(%s) || %s"
        values += [title, title, LAST_CHARACTER]
    listing = BY_TITLE if order == "title" else BY_LAST_MESSAGE
    return listing.page(connection, (workspace_id,), window, where, values)


def conversations_of_author(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]], *, window: Window
) -> dict[tuple[UUID, UUID], Slice[ConversationRow]]:
    """
    Where they last wrote first, by `last_at` and `conversation_id`.

    Args:
        keys: workspace and author.
    """
    return OF_AUTHOR.pages(connection, keys, window)


def conversations_by_id(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], ConversationRow]:
    """
    Args:
        keys: workspace and conversation.
    """
    return BY_ID.first(connection, keys)


def conversations_among(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, ConversationRow]:
    return {row.conversation_id: row for row in BY_ID.among(connection, workspaces, ids)}
