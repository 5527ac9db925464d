"""How many messages there are: read, not counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.paging import Listing

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalRow:
    messages: int  # whatever their kind
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceTotalRow:
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """What an upload brought, in messages."""

    fresh: int
    known: int  # an earlier upload had them
    edited: int  # they had another text
    vanished: int  # they are missing in the time that the upload covers


CONVERSATIONS = Listing(
    row=TotalRow,
    source="read.conversation_total AS r",
    parent=("r.workspace_id", "r.conversation_id"),
    types=("uuid", "uuid"),
    order=("r.conversation_id",),
)
AUTHORS = Listing(
    row=TotalRow,
    source="read.author_total AS r",
    parent=("r.workspace_id", "r.author_id"),
    types=("uuid", "uuid"),
    order=("r.author_id",),
)
WORKSPACES = Listing(
    row=WorkspaceTotalRow,
    source="read.message_total AS r",
    parent=("r.workspace_id",),
    types=("uuid",),
    order=("r.workspace_id",),
)
OUTCOMES = Listing(
    row=OutcomeRow,
    source="read.upload_outcome AS r",
    parent=("r.workspace_id", "r.upload_id"),
    types=("uuid", "uuid"),
    order=("r.upload_id",),
)
KNOWN_CONVERSATIONS = """
SELECT workspace_id, conversation_id FROM read.conversation_total
WHERE workspace_id = ANY(%s) AND conversation_id = ANY(%s)
"""
KNOWN_AUTHORS = """
SELECT workspace_id, author_id FROM read.author_total
WHERE workspace_id = ANY(%s) AND author_id = ANY(%s)
"""
PEOPLE = """
SELECT p.workspace_id, p.conversation_id, count(*)
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (workspace_id, conversation_id)
JOIN read.participation AS p USING (workspace_id, conversation_id)
GROUP BY p.workspace_id, p.conversation_id
"""


def conversation_totals(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, TotalRow]:
    """
    Args:
        keys: workspace and conversation.
    """
    return CONVERSATIONS.first(connection, keys)


def author_totals(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, TotalRow]:
    """
    Args:
        keys: workspace and author.
    """
    return AUTHORS.first(connection, keys)


def workspace_totals(
    connection: Connection[Any], keys: Sequence[tuple[UUID]]
) -> dict[tuple[UUID], WorkspaceTotalRow]:
    return WORKSPACES.first(connection, keys)


def upload_outcomes(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, OutcomeRow]:
    """
    Args:
        keys: workspace and upload.
    """
    return OUTCOMES.first(connection, keys)


def author_counts(connection: Connection[Any], keys: Sequence[Pair]) -> dict[Pair, int]:
    """
    How many people wrote in each of these.

    Args:
        keys: workspace and conversation.
    """
    wanted = ([key[0] for key in keys], [key[1] for key in keys])
    found = connection.execute(PEOPLE, wanted, prepare=True).fetchall()
    return {(workspace, conversation): number for workspace, conversation, number in found}


def conversations_with_messages(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> list[Pair]:
    """Those of them in these workspaces: workspace and conversation."""
    return connection.execute(KNOWN_CONVERSATIONS, (list(workspaces), list(ids))).fetchall()


def authors_with_messages(
    connection: Connection[Any], workspaces: Sequence[UUID], ids: Sequence[UUID]
) -> list[Pair]:
    """Those of them in these workspaces: workspace and author."""
    return connection.execute(KNOWN_AUTHORS, (list(workspaces), list(ids))).fetchall()
