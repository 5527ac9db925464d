"""Labels as people put them on, and what then has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from application.archive import Accepted, Archive
from application.commands.add_label import AddLabel
from application.commands.create_label import CreateLabel
from application.commands.delete_label import DeleteLabel
from application.commands.remove_label import RemoveLabel
from application.commands.rename_label import RenameLabel
from application.context import Context
from infrastructure.labels.handlers import LabelHandlers
from infrastructure.labels.targets import PostgresLabelTargets

IDS = "SELECT message_id, text FROM read.message WHERE workspace_id = %s AND text = ANY(%s)"
LABELLED = """
SELECT m.text FROM read.label AS l
JOIN read.labelled_message AS t USING (workspace_id, label_id)
JOIN read.message AS m USING (workspace_id, conversation_id, message_key)
WHERE l.workspace_id = %s AND l.name = %s ORDER BY m.text
"""
ROOMS = """
SELECT c.title FROM read.label AS l
JOIN read.labelled_conversation AS t USING (workspace_id, label_id)
JOIN read.conversation AS c USING (workspace_id, conversation_id)
WHERE l.workspace_id = %s AND l.name = %s ORDER BY c.title
"""


@dataclass(frozen=True)
class Labels:
    """Of one workspace."""

    archive: Archive
    pool: Any
    context: Context

    @property
    def handlers(self) -> LabelHandlers:
        return LabelHandlers(self.archive, PostgresLabelTargets(self.pool))

    def _context(self, command_id: UUID | None) -> Context:
        return replace(self.context, correlation_id=uuid4(), command_id=command_id)

    def create(self, name: str, command_id: UUID | None = None, **facts: Any) -> UUID:
        accepted = self.handlers.create(CreateLabel(name=name, **facts), self._context(command_id))
        return UUID(accepted.result["label_id"])

    def rename(self, label: str | UUID, name: str, command_id: UUID | None = None) -> Accepted:
        return self.handlers.rename(RenameLabel(label=label, name=name), self._context(command_id))

    def delete(self, label: str | UUID, command_id: UUID | None = None) -> Accepted:
        return self.handlers.delete(DeleteLabel(label=label), self._context(command_id))

    def add(
        self,
        label: str | UUID,
        *messages: int,
        rooms: Iterable[UUID] = (),
        command_id: UUID | None = None,
    ) -> Accepted:
        command = AddLabel(label=label, message_ids=messages, conversation_ids=tuple(rooms))
        return self.handlers.add(command, self._context(command_id))

    def remove(
        self,
        label: str | UUID,
        *messages: int,
        rooms: Iterable[UUID] = (),
        command_id: UUID | None = None,
    ) -> Accepted:
        command = RemoveLabel(label=label, message_ids=messages, conversation_ids=tuple(rooms))
        return self.handlers.remove(command, self._context(command_id))

    def ids(self, *texts: str) -> list[int]:
        """Of the messages that say so."""
        with self.pool.connection() as connection:
            rows = connection.execute(IDS, (self.context.workspace_id, list(texts))).fetchall()
        return sorted(row[0] for row in rows)

    def texts(self, label: str) -> list[str]:
        """Of the messages that have it themselves."""
        return self._named(LABELLED, label)

    def titles(self, label: str) -> list[str]:
        return self._named(ROOMS, label)

    def _named(self, statement: str, label: str) -> list[str]:
        with self.pool.connection() as connection:
            rows = connection.execute(statement.encode(), (self.context.workspace_id, label))
            return [row[0] for row in rows]
