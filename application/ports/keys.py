"""Port: stable pseudonyms, so that ids say nothing about the people and texts behind them."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Pseudonyms(Protocol):
    """Keyed hashes: without the instance's master key no guess can be confirmed."""

    def conversation(self, workspace_id: UUID, format: str, source_id: str) -> UUID: ...

    def author(self, workspace_id: UUID, format: str, source_id: str) -> UUID: ...

    def text(self, workspace_id: UUID, text: str) -> UUID:
        """The text's key in the vector store: the same text in a workspace has the same key."""
        ...
