"""Which messages an export is made of: some conversations, a time range, the hits of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.commands.make_export import MessageSelection
from domain.search import Search
from domain.transcript import IDS_PER_POSITION
from infrastructure.exports.messages import ChangedSinceError, below, require_nothing_withdrawn
from infrastructure.log.frames import frames

KNOWN = """
SELECT conversation_id FROM read.conversation
WHERE workspace_id = %s AND conversation_id = ANY(%s)
"""
# As they stood at the position: what came later is no neighbour.
HITS = """
WITH hit AS (
    SELECT message_id, conversation_id, sent_at FROM read.message
    WHERE workspace_id = %(workspace)s AND message_id = ANY(%(hits)s) AND message_id < %(below)s
)
SELECT message_id, conversation_id, message_id AS hit FROM hit
UNION ALL
SELECT near.message_id, hit.conversation_id, hit.message_id FROM hit CROSS JOIN LATERAL (
    (
        SELECT message_id FROM read.message
        WHERE conversation_id = hit.conversation_id AND message_id < %(below)s
          AND (sent_at, message_id) < (hit.sent_at, hit.message_id)
        ORDER BY sent_at DESC, message_id DESC LIMIT %(context)s
    ) UNION ALL (
        SELECT message_id FROM read.message
        WHERE conversation_id = hit.conversation_id AND message_id < %(below)s
          AND (sent_at, message_id) > (hit.sent_at, hit.message_id)
        ORDER BY sent_at, message_id LIMIT %(context)s
    )
) AS near
"""
# Whole conversations, whatever part of them is selected: a change may have moved a message out of
# the time range, or made it no neighbour of a hit. And all authors: reactions name them, too.
CHANGED = f"""
SELECT EXISTS (
    SELECT FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.position > %(up_to)s
      AND m.position > m.message_id / {IDS_PER_POSITION} AND m.message_id < %(below)s
      AND (%(conversations)s::uuid[] IS NULL OR m.conversation_id = ANY(%(conversations)s))
) OR EXISTS (
    SELECT FROM read.conversation AS c
    WHERE c.workspace_id = %(workspace)s AND c.position > %(up_to)s
      AND (%(conversations)s::uuid[] IS NULL OR c.conversation_id = ANY(%(conversations)s))
      AND EXISTS (
        SELECT FROM read.message AS m
        WHERE m.conversation_id = c.conversation_id AND m.message_id < %(below)s
    )
) OR EXISTS (
    SELECT FROM read.author AS a
    WHERE a.workspace_id = %(workspace)s AND a.position > %(up_to)s AND EXISTS (
        SELECT FROM read.message AS m
        WHERE m.workspace_id = %(workspace)s AND m.author_id = a.author_id
          AND m.message_id < %(below)s
    )
)
"""


class SelectionError(ValueError):
    """What is to be exported is not there."""

    is_quotable = True


class UnknownConversationError(SelectionError):
    """None of this workspace."""


class UnknownSearchError(SelectionError):
    """None of this workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Messages of a workspace as they stood at a position. Each condition narrows the others."""

    workspace_id: UUID
    up_to: int  # position
    conversation_ids: tuple[UUID, ...] | None = None  # None: all
    since: datetime | None = None  # sent then or later
    until: datetime | None = None  # sent before
    message_ids: tuple[int, ...] | None = None  # None: all
    lost_hits: int = 0  # of the search: their upload was withdrawn since


def selection_of(
    connection: Connection[Any], asked: MessageSelection, workspace_id: UUID, up_to: int
) -> Selection:
    """
    What the conditions mean at a position.

    Raises:
        SelectionError
    """
    named = asked.conversation_ids
    require_known(connection, workspace_id, named)
    chosen: tuple[UUID, ...] | None = named or None
    message_ids: tuple[int, ...] | None = None
    lost = 0
    if asked.search is not None:
        hits = hits_of(connection, workspace_id, asked.search)
        values = {
            "workspace": workspace_id,
            "hits": list(hits),
            "below": below(up_to),
            "context": asked.context,
        }
        found = connection.execute(HITS, values).fetchall()
        lost = len(set(hits)) - len({hit for _, _, hit in found})
        kept = [row for row in found if not named or row[1] in named]
        chosen = tuple(sorted({conversation for _, conversation, _ in kept}))
        message_ids = tuple(sorted({message for message, _, _ in kept}))
    return Selection(
        workspace_id=workspace_id,
        up_to=up_to,
        conversation_ids=chosen,
        since=asked.since,
        until=asked.until,
        message_ids=message_ids,
        lost_hits=lost,
    )


def require_known(
    connection: Connection[Any], workspace_id: UUID, conversation_ids: Sequence[UUID]
) -> None:
    if not conversation_ids:
        return
    rows = connection.execute(KNOWN, (workspace_id, list(conversation_ids))).fetchall()
    known = {row[0] for row in rows}
    if unknown := [id for id in conversation_ids if id not in known]:
        raise UnknownConversationError(f"this workspace has no conversation {unknown[0]}")


def hits_of(connection: Connection[Any], workspace_id: UUID, position: int) -> Sequence[int]:
    """
    The ids of the messages that a search found. It may have been recorded after the position that
    is exported: the read models hear of it a moment later, and what it found is older.
    """
    found = frames(
        connection,
        workspace_id=workspace_id,
        after=position - 1,
        up_to=position,
        topics=[Search.Performed.TOPIC],
        limit=1,
    )
    if not found:
        raise UnknownSearchError(f"the event at position {position} is no search of this workspace")
    return [int(hit) for hit in found[0].facts["hits"]]


def require_unchanged(connection: Connection[Any], selection: Selection) -> None:
    """
    Raises:
        ChangedSinceError: if what it was cannot be told any more.
    """
    chosen = selection.conversation_ids
    values = {
        "workspace": selection.workspace_id,
        "up_to": selection.up_to,
        "below": below(selection.up_to),
        "conversations": None if chosen is None else list(chosen),
    }
    row = connection.execute(CHANGED, values).fetchone()
    if row is not None and row[0]:
        raise ChangedSinceError(f"changed after position {selection.up_to}")
    require_nothing_withdrawn(connection, selection.workspace_id, selection.up_to)
