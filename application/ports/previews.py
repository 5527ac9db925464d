"""Port: what was found in an upload that waits to be confirmed. Kept for a while, no fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID


class PreviewStore(Protocol):
    def keep(self, workspace_id: UUID, upload_id: UUID, preview: Mapping[str, Any]) -> None:
        """Instead of an earlier one."""
        ...

    def forget(self, upload_id: UUID) -> None:
        """Harmless where there is none."""
        ...
