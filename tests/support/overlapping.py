"""An archive into which exports that overlap are read, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from application.commands.create_workspace import CreateWorkspace
from application.commands.join_conversations import JoinConversations
from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from application.commands.withdraw_upload import WithdrawUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from infrastructure.container import Container
from tests.support.archive_fixture import advance

NUMBERS = count()
OUTCOME = "SELECT fresh, known, edited, vanished FROM read.upload_outcome WHERE upload_id = %s"


class Outcome(NamedTuple):
    fresh: int
    known: int
    edited: int
    vanished: int


def never() -> bool:
    return False


@dataclass
class Shelf:
    """A workspace of its own."""

    container: Container
    context: Context

    @classmethod
    def of(cls, container: Container) -> Shelf:
        nobody = Context(actor_id=LOCAL_OWNER, workspace_id=None, origin={"channel": "test"})
        name = f"shelf {next(NUMBERS)}"
        created = container.create_workspace(CreateWorkspace(name=name), nobody)
        id = UUID(str(created.result["workspace_id"]))
        origin = {"channel": "test"}
        return cls(container, Context(actor_id=LOCAL_OWNER, workspace_id=id, origin=origin))

    def send(self, name: str, content: bytes, **options: Any) -> UUID:
        command = ReceiveUpload(filename=name, options=options)
        accepted = self.container.receive_upload(command, [content], self.context)
        return UUID(str(accepted.result["upload_id"]))

    def read(self, upload_id: UUID, should_stop: Callable[[], bool] = never) -> None:
        self.container.read_upload(ReadUpload(upload_id=upload_id), should_stop=should_stop)

    def add(self, name: str, content: bytes, **options: Any) -> UUID:
        """Receive and read it; then the read models are up to date."""
        upload_id = self.send(name, content, **options)
        self.read(upload_id)
        advance(self.container)
        return upload_id

    def join(self, upload_id: UUID) -> list[UUID]:
        """Have what the upload joins read again, as its jobs do; the uploads that were read."""
        join = JoinConversations(upload_id=upload_id)
        self.container.join_conversations(join)
        advance(self.container)
        waiting = [
            row[0]
            for row in self.rows("upload_id", "upload", "received_at")
            if self.upload(row[0]).stage == "received"
        ]
        for id in waiting:
            self.read(id)
            advance(self.container)
        return waiting

    def withdraw(self, upload_id: UUID) -> None:
        self.container.withdraw_upload(WithdrawUpload(upload_id=upload_id), self.context)
        advance(self.container)

    def upload(self, upload_id: UUID) -> Upload:
        return self.container.archive.load(Upload, upload_id)

    def rules(self, upload_id: UUID) -> list[str]:
        return [match["rule"] for match in self.upload(upload_id).matches]

    def outcome(self, upload_id: UUID) -> Outcome:
        with self.container.pool.connection() as connection:
            row = connection.execute(OUTCOME, (upload_id,)).fetchone()
        assert row is not None
        return Outcome(*row)

    def rows(self, columns: str, table: str = "message", order: str = "sent_at, message_id") -> Any:
        statement = f"SELECT {columns} FROM read.{table} WHERE workspace_id = %s ORDER BY {order}"
        with self.container.pool.connection() as connection:
            return connection.execute(statement.encode(), (self.context.workspace_id,)).fetchall()

    def said(self) -> list[str]:
        """What people said, in order."""
        return [row[0] for row in self.rows("text, kind") if row[1] != "system"]

    @property
    def conversations(self) -> int:
        [(found,)] = self.rows("count(DISTINCT conversation_id)", order="1")
        return int(found)
