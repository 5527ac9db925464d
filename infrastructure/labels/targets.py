"""Implements the port LabelTargets on the messages read model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from application.ports.label_targets import Target
from domain.label import LabelledMessage

MESSAGES = """
SELECT message_id, conversation_id, message_key, coalesce(author_id, conversation_id)
FROM read.message WHERE workspace_id = %s AND message_id = ANY(%s)
"""
CONVERSATIONS = """
SELECT conversation_id FROM read.conversation_total
WHERE workspace_id = %s AND conversation_id = ANY(%s)
"""


class PostgresLabelTargets:
    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def messages(self, workspace_id: UUID, ids: Collection[int]) -> Mapping[int, Target]:
        with self._pool.connection() as connection:
            return {
                id_: Target(conversation_id, LabelledMessage(id_, key, subject))
                for id_, conversation_id, key, subject in connection.execute(
                    MESSAGES, (workspace_id, list(ids))
                )
            }

    def conversations(self, workspace_id: UUID, ids: Collection[UUID]) -> Collection[UUID]:
        with self._pool.connection() as connection:
            found = connection.execute(CONVERSATIONS, (workspace_id, list(ids)))
            return {row[0] for row in found}
