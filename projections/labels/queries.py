"""Which labels a workspace has, how much each is on, and which something has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing, Slice, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    workspace_id: UUID
    label_id: UUID
    name: str
    colour: str | None  # "#rrggbb"
    description: str | None
    created_at: datetime
    position: int  # of the event that last changed the row
    sort_name: str  # in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """Of what is there now: what was withdrawn does not count."""

    messages: int  # with the label itself, not because of their conversation
    conversations: int


ORDER = ("r.sort_name", "r.label_id")
LABELS = Listing(
    row=LabelRow,
    source="read.label AS r",
    parent=("r.workspace_id",),
    types=("uuid",),
    order=ORDER,
)
BY_ID = Listing(
    row=LabelRow,
    source="read.label AS r",
    parent=("r.workspace_id", "r.label_id"),
    types=("uuid", "uuid"),
    order=("r.label_id",),
)
OF_MESSAGE = Listing(
    row=LabelRow,
    source="""read.labelled_message AS t JOIN read.label AS r
        ON r.workspace_id = t.workspace_id AND r.label_id = t.label_id""",
    parent=("t.workspace_id", "t.conversation_id", "t.message_key"),
    types=("uuid", "uuid", "text"),
    order=ORDER,
)
OF_CONVERSATION = Listing(
    row=LabelRow,
    source="""read.labelled_conversation AS t JOIN read.label AS r
        ON r.workspace_id = t.workspace_id AND r.label_id = t.label_id""",
    parent=("t.workspace_id", "t.conversation_id"),
    types=("uuid", "uuid"),
    order=ORDER,
)
COUNTS = """
SELECT wanted.workspace_id, wanted.label_id, (
    SELECT count(*) FROM read.labelled_message AS t
    JOIN read.message AS m ON m.workspace_id = t.workspace_id
        AND m.conversation_id = t.conversation_id AND m.message_key = t.message_key
    WHERE t.workspace_id = wanted.workspace_id AND t.label_id = wanted.label_id
), (
    SELECT count(*) FROM read.labelled_conversation AS t
    JOIN read.conversation_total AS c ON c.workspace_id = t.workspace_id
        AND c.conversation_id = t.conversation_id
    WHERE t.workspace_id = wanted.workspace_id AND t.label_id = wanted.label_id
)
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (workspace_id, label_id)
"""

Pair = tuple[UUID, UUID]


def labels_page(
    connection: Connection[Any], workspace_id: UUID, *, window: Window
) -> Slice[LabelRow]:
    """By `sort_name` and `label_id`."""
    return LABELS.page(connection, (workspace_id,), window)


def labels_by_id(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, LabelRow]:
    """
    Args:
        keys: workspace and label.
    """
    return BY_ID.first(connection, keys)


def labels_among(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> dict[UUID, LabelRow]:
    return {row.label_id: row for row in BY_ID.among(connection, workspaces, ids)}


def labels_of_messages(
    connection: Connection[Any], keys: Sequence[tuple[UUID, UUID, str]], *, window: Window
) -> dict[tuple[UUID, UUID, str], Slice[LabelRow]]:
    """
    By name. Those of its conversation are not among them.

    Args:
        keys: workspace, conversation, and the message's key.
    """
    return OF_MESSAGE.pages(connection, keys, window)


def labels_of_conversations(
    connection: Connection[Any], keys: Sequence[Pair], *, window: Window
) -> dict[Pair, Slice[LabelRow]]:
    """
    By name.

    Args:
        keys: workspace and conversation.
    """
    return OF_CONVERSATION.pages(connection, keys, window)


def label_counts(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, LabelCounts]:
    """
    Args:
        keys: workspace and label.
    """
    wanted = ([key[0] for key in keys], [key[1] for key in keys])
    return {
        (workspace_id, label_id): LabelCounts(messages=messages, conversations=conversations)
        for workspace_id, label_id, messages, conversations in connection.execute(
            COUNTS, wanted, prepare=True
        )
    }
