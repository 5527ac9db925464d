"""Port: building read models anew, and going back to the version before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from domain.projection import Swap


class UnknownProjectionError(Exception):
    """There is no read model of this name, or it has no version yet."""


class RebuildRunningError(Exception):
    """Somebody is rebuilding or rolling back this read model already."""


class RebuildStoppedError(Exception):
    """An event cannot be digested. What is read stays as it was."""

    is_quotable = True

    def __init__(self, name: str, *, position: int, topic: str, error: str) -> None:
        super().__init__(
            f"the rebuild of {name} stopped at position {position} ({topic}): "
            f"{error}; what is read stays as it was"
        )
        self.position = position


class SwapRefusedError(Exception):
    """The versions could not be swapped; what is read stays as it was."""

    is_quotable = True


class NothingToRollBackToError(Exception):
    """No earlier version is kept, or it cannot be brought up to date."""

    is_quotable = True


class NotWantedError(Exception):
    """The wish has ended: somebody else fulfilled it, or it was given up."""


class ReadModelUpkeep(Protocol):
    def plan_rebuild(self, name: str) -> Swap:
        """
        Which version a rebuild that is asked for now is to build.

        Raises:
            UnknownProjectionError
        """
        ...

    def plan_roll_back(self, name: str) -> Swap:
        """
        Which version a roll-back that is asked for now leads to.

        Raises:
            NothingToRollBackToError, UnknownProjectionError
        """
        ...

    def rebuild(
        self,
        name: str,
        swap: Swap,
        *,
        is_wanted: Callable[[], bool],
        should_stop: Callable[[], bool],
    ) -> int:
        """
        Returns the version that is read now. What a killed rebuild has done is not done again.

        Args:
            is_wanted: asked when nobody else can be at it any more, and before each swap.

        Raises:
            NotWantedError, RebuildRunningError, RebuildStoppedError, SwapRefusedError,
            UnknownProjectionError
            Stopped: when asked to.
        """
        ...

    def roll_back(
        self,
        name: str,
        swap: Swap,
        *,
        is_wanted: Callable[[], bool],
        should_stop: Callable[[], bool],
    ) -> int:
        """
        Returns the version that is read now. Harmless to repeat.

        Args:
            is_wanted: as for a rebuild.

        Raises:
            NotWantedError, NothingToRollBackToError, RebuildRunningError, RebuildStoppedError,
            SwapRefusedError, UnknownProjectionError
            Stopped: when asked to.
        """
        ...
