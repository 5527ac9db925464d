"""Ask for a read model to be built anew from the log, or rolled back to the version before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.ports.projections import ReadModelUpkeep
from application.uploads import settle
from domain.projection import Projection, Swap


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildProjection:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackProjection:
    name: str


class RebuildProjectionHandler:
    """Records the wish; a job does the work, see `operate_projection`."""

    def __init__(self, archive: Archive, upkeep: ReadModelUpkeep) -> None:
        self._archive = archive
        self._upkeep = upkeep

    def __call__(
        self, command: RebuildProjection | RollBackProjection, context: Context
    ) -> Accepted:
        """
        Raises:
            UnknownProjectionError
            OperationRunningError: if one is under way already.
            NothingToRollBackToError: if no earlier version is kept.
            CommandIdReusedError

        Returns:
            The result has `wish`, by which the outcome is known.
        """
        plan: Callable[[str], Swap]
        change: Callable[[Projection, Swap], None]
        if isinstance(command, RebuildProjection):
            plan, change = self._upkeep.plan_rebuild, Projection.request_rebuild
        else:
            plan, change = self._upkeep.plan_roll_back, Projection.request_roll_back

        def decide() -> Decision:
            # In this order: what is planned before another operation ends is not recorded, as the
            # stream has moved by then.
            id_ = Projection.create_id(command.name)
            projection = self._archive.find(Projection, id_) or Projection.register(command.name)
            change(projection, plan(command.name))
            return [projection], {"wish": projection.wish}

        context = replace(context, workspace_id=None)  # read models are the instance's
        name = type(command).__name__
        return settle(self._archive, context, name, decide, {"name": command.name})
