"""Open messages, and leave the fact behind before they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from application.archive import Archive
from application.context import Context
from domain.opening import Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMessages:
    """Of one workspace, that of the context. Each was found there: what is not is not opened."""

    message_ids: Sequence[int]
    conversation_ids: Sequence[UUID]  # of each message, in the same order


class OpenMessagesHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: OpenMessages, context: Context) -> int:
        """Blocks until the fact is durable, together with what others record. Its position."""
        fact = Opening.open(
            id=uuid4(),
            message_ids=command.message_ids,
            conversation_ids=command.conversation_ids,
        )
        return self._archive.begin_record(context, fact)()
