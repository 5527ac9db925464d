"""Let a part of the archive leave as a file: the fact comes first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from application.archive import Archive
from application.context import Context
from domain.export import Export, ExportKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSelection:
    """Conditions that narrow each other down; without any it is every message."""

    conversation_ids: tuple[UUID, ...] = ()  # empty: all
    since: datetime | None = None  # sent then or later
    until: datetime | None = None  # sent before
    search: int | None = None  # position of a search: its hits
    context: int = 0  # messages before and after each hit

    def as_facts(self) -> dict[str, Any]:
        return {
            "conversation_ids": [str(id) for id in self.conversation_ids],
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "search": self.search,
            "context": self.context,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeExport:
    kind: ExportKind
    format: str
    up_to: int  # position
    after: int = 0  # position
    topics: tuple[str, ...] = ()  # empty: all
    conversation_id: UUID | None = None
    first_byte: int = 0
    last_byte: int | None = None  # inclusive; None: all up to the end
    selection: MessageSelection | None = None  # of rsmf; of search: that search
    limit: int | None = None  # of search: hits at most; None: all


class MakeExportHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: MakeExport, context: Context) -> int:
        """Returns the position of the fact. What is exported is read afterwards, by the caller."""
        facts = asdict(command)
        facts["topics"] = list(command.topics)
        facts["conversation_id"] = command.conversation_id and str(command.conversation_id)
        facts["selection"] = command.selection and command.selection.as_facts()
        return self._archive.record(context, Export.make(id=uuid4(), **facts))
