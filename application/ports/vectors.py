"""Port: which texts have a vector already."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol
from uuid import UUID


class VectorsLaggingError(Exception):
    """The vectors read model has not caught up in time; asking again later may succeed."""

    is_quotable = True


class VectorCatalogue(Protocol):
    def catch_up(self, position: int, *, should_stop: Callable[[], bool]) -> None:
        """
        Wait until the catalogue reflects the log up to this position.

        Raises:
            VectorsLaggingError: if it does not within a minute.
            Stopped: when asked to.
        """
        ...

    def known(self, workspace_id: UUID, model: str, text_keys: Collection[UUID]) -> set[UUID]:
        """Those of these texts that have a vector under this model."""
        ...
