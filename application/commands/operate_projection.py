"""Rebuild or roll back a read model as it was asked for, and record what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.ports.jobs import Stopped
from application.ports.projections import (
    NothingToRollBackToError,
    NotWantedError,
    ReadModelUpkeep,
    RebuildRunningError,
    RebuildStoppedError,
    SwapRefusedError,
    UnknownProjectionError,
)
from application.uploads import ATTEMPTS, job_context
from domain.projection import Projection, Swap

WAIT_SECONDS = 0.2  # while somebody else is at it
REFUSALS = (
    NothingToRollBackToError,
    RebuildStoppedError,
    SwapRefusedError,
    UnknownProjectionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateProjection:
    name: str
    wish: int  # which of all that were asked of this read model


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOperationFailure:
    name: str
    wish: int
    reason: str  # without anything personal


class OperateProjectionHandler:
    def __init__(self, archive: Archive, upkeep: ReadModelUpkeep) -> None:
        self._archive = archive
        self._upkeep = upkeep

    def __call__(self, command: OperateProjection, *, should_stop: Callable[[], bool]) -> None:
        """
        Safe to run again, and by several at a time: the wish names the version that is to be
        read. Where it is read already, that is recorded, no more; where the wish has ended,
        nothing is done. What a killed run has built is not built again.

        Raises:
            Stopped: when asked to.
        """
        id_ = Projection.create_id(command.name)
        while True:
            projection = self._archive.find(Projection, id_)
            if projection is None or not projection.is_wanted(command.wish):
                return
            try:
                version = self._operate(projection, command, should_stop)
            except NotWantedError:
                return
            except RebuildRunningError:
                if should_stop():
                    raise Stopped from None
                time.sleep(WAIT_SECONDS)
            except REFUSALS as error:
                self._amend(id_, partial(Projection.fail, wish=command.wish, reason=str(error)))
                return
            else:
                self._amend(
                    id_, partial(Projection.switch_over, wish=command.wish, version=version)
                )
                return

    def fail(self, command: RecordOperationFailure) -> None:
        """Does nothing where the wish has ended already."""
        id_ = Projection.create_id(command.name)
        self._amend(id_, lambda current: current.fail(command.wish, command.reason))

    def _operate(
        self, projection: Projection, command: OperateProjection, should_stop: Callable[[], bool]
    ) -> int:
        swap = projection.swap
        if not isinstance(swap, Swap):
            raise NotWantedError

        def is_wanted() -> bool:
            return self._archive.load(Projection, projection.id).is_wanted(command.wish)

        is_rebuild = projection.running == "rebuild"
        operate = self._upkeep.rebuild if is_rebuild else self._upkeep.roll_back
        return operate(command.name, swap, is_wanted=is_wanted, should_stop=should_stop)

    def _amend(self, id: UUID, change: Callable[[Projection], None]) -> None:
        for attempts_left in reversed(range(ATTEMPTS)):
            projection = self._archive.load(Projection, id)
            change(projection)
            try:
                self._archive.record(job_context(self._archive, id), projection)
            except IntegrityError:
                if not attempts_left:
                    raise
            else:
                return
