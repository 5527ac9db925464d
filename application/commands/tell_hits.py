"""Tell somebody of new hits of a saved search, and leave the fact behind before they hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from application.archive import Archive
from application.context import Context
from domain.saved_search import ToldHits


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHits:
    saved_search_id: UUID
    message_ids: Sequence[int]


class TellHitsHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: TellHits, context: Context) -> int:
        """Blocks until the fact is durable, together with what others record. Its position."""
        fact = ToldHits.tell(
            id=uuid4(),
            saved_search_id=command.saved_search_id,
            hits=list(command.message_ids),
        )
        return self._archive.begin_record(context, fact)()
