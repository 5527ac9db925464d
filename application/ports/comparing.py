"""Port: what an export would bring to the archive, found out without recording any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from application.comparison import Comparison
from domain.message import Conversation, Message


class Comparing(Protocol):
    """One pass over one export. Memory stays bounded however many messages come."""

    def add(self, messages: Sequence[Message], conversations: Mapping[str, Conversation]) -> None:
        """
        Args:
            messages: the next ones, in the export's order.
            conversations: by id, at least those of the messages.
        """
        ...

    def result(self) -> Comparison:
        """After the last message: the same numbers that the upload brings if it is read now."""
        ...


class Decided(Protocol):
    """That a conversation of an export is one of the archive."""

    @property
    def into(self) -> UUID: ...
    @property
    def is_foreign(self) -> bool:
        """By its source's id it would be another one."""
        ...

    @property
    def rule(self) -> str:
        """In words."""
        ...


class DecidedBook(Protocol):
    def get(self, source_id: str) -> Decided | None:
        """Of a conversation of the export; None if it is nobody else's."""
        ...


class ArchiveComparer(Protocol):
    def comparing(
        self,
        workspace_id: UUID,
        format: str,
        *,
        book: DecidedBook | None = None,
        is_apart: bool = False,
    ) -> AbstractContextManager[Comparing]:
        """
        Args:
            book: which conversations of the export are which of the archive; its messages come
                with the archive's keys then.
            is_apart: nothing of the export is the archive's, as somebody asked for.
        """
        ...
