"""Port: what a label may be put on, as the archive knows it now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.label import LabelledMessage


class Target(NamedTuple):
    conversation_id: UUID
    message: LabelledMessage


class LabelTargets(Protocol):
    def messages(self, workspace_id: UUID, ids: Collection[int]) -> Mapping[int, Target]:
        """Those of them that the workspace has."""
        ...

    def conversations(self, workspace_id: UUID, ids: Collection[UUID]) -> Collection[UUID]:
        """Those of them in which the workspace has messages."""
        ...
