"""Implements the port ReadModelUpkeep on the rebuilder."""

from __future__ import annotations

from collections.abc import Callable

from domain.projection import Swap
from infrastructure.projections.progress import OnProgress, ignore
from infrastructure.projections.rebuild import ProjectionRebuilder


class Upkeep:
    """
    Args:
        on_progress: told how far a rebuild is, for whoever watches it in this process.
    """

    def __init__(self, rebuilder: ProjectionRebuilder, on_progress: OnProgress = ignore) -> None:
        self._rebuilder = rebuilder
        self._on_progress = on_progress

    def plan_rebuild(self, name: str) -> Swap:
        return self._rebuilder.plan_rebuild(name)

    def plan_roll_back(self, name: str) -> Swap:
        return self._rebuilder.plan_roll_back(name)

    def rebuild(
        self,
        name: str,
        swap: Swap,
        *,
        is_wanted: Callable[[], bool],
        should_stop: Callable[[], bool],
    ) -> int:
        return self._rebuilder.rebuild(
            name, self._on_progress, swap=swap, is_wanted=is_wanted, should_stop=should_stop
        ).version

    def roll_back(
        self,
        name: str,
        swap: Swap,
        *,
        is_wanted: Callable[[], bool],
        should_stop: Callable[[], bool],
    ) -> int:
        return self._rebuilder.roll_back(
            name, self._on_progress, swap=swap, is_wanted=is_wanted, should_stop=should_stop
        ).version
