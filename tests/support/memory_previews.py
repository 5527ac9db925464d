"""Previews without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class MemoryPreviews:
    kept: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)

    def keep(self, workspace_id: UUID, upload_id: UUID, preview: Mapping[str, Any]) -> None:
        self.kept[upload_id] = preview

    def forget(self, upload_id: UUID) -> None:
        self.kept.pop(upload_id, None)
