"""A read model's upkeep: who had it built anew or rolled back, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate, Creation

Operation = Literal["rebuild", "roll_back"]


class OperationRunningError(Exception):
    """The read model is being rebuilt or rolled back already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What a wish comes down to. Once `version` is read it is fulfilled, whoever sees to it."""

    version: int  # that readers are to see
    replaces: int  # that they saw when it was asked for


class Projection(Aggregate):
    """One stream a read model, for the whole instance. One operation at a time."""

    TOPIC = "projection"

    class Registered(Creation):
        """Somebody asks something of it for the first time."""

        TOPIC = "projection.registered"
        name: str

    class RebuildRequested(Aggregate.Event):
        TOPIC = "projection.rebuild_requested"
        name: str
        wish: int  # 1 for the first that was asked of this read model
        version: int  # to be built
        replaces: int

    class RollBackRequested(Aggregate.Event):
        TOPIC = "projection.roll_back_requested"
        name: str
        wish: int
        version: int  # to be read again
        replaces: int

    class SwitchedOver(Aggregate.Event):
        """Readers see another version now."""

        TOPIC = "projection.switched_over"
        name: str
        wish: int
        version: int

    class OperationFailed(Aggregate.Event):
        """The operation was given up. What readers see is what they saw before."""

        TOPIC = "projection.operation_failed"
        name: str
        wish: int
        operation: str
        reason: str  # without anything personal

    @staticmethod
    def create_id(name: str) -> UUID:
        return uuid5(CHATLEDGER_NAMESPACE, f"projection/{name}")

    @classmethod
    def register(cls, name: str) -> Projection:
        return cls._create(cls.Registered, id=cls.create_id(name), name=name)

    @event(Registered)
    def __init__(self, *, name: str) -> None:
        self.name = name
        self.running: Operation | None = None
        self.wish = 0  # the last one; 0: none yet
        self.swap: Swap | None = None  # of that one
        self.fulfilled: set[int] = set()

    def is_wanted(self, wish: int) -> bool:
        """Whether this is what it is waiting for."""
        return self.running is not None and self.wish == wish

    def request_rebuild(self, swap: Swap) -> None:
        """
        Raises:
            OperationRunningError
        """
        self._require_rest()
        self.trigger_event(
            self.RebuildRequested,
            name=self.name,
            wish=self.wish + 1,
            version=swap.version,
            replaces=swap.replaces,
        )

    def request_roll_back(self, swap: Swap) -> None:
        """
        Raises:
            OperationRunningError
        """
        self._require_rest()
        self.trigger_event(
            self.RollBackRequested,
            name=self.name,
            wish=self.wish + 1,
            version=swap.version,
            replaces=swap.replaces,
        )

    def switch_over(self, wish: int, version: int) -> None:
        """
        Once for each wish, whoever saw to it; also for one that was given up too late.

        Another wish that was uttered meanwhile is still to be seen to.
        """
        if wish not in self.fulfilled:
            self.trigger_event(self.SwitchedOver, name=self.name, wish=wish, version=version)

    def fail(self, wish: int, reason: str) -> None:
        """Does nothing where this wish has ended already."""
        if self.is_wanted(wish):
            self.trigger_event(
                self.OperationFailed,
                name=self.name,
                wish=wish,
                operation=str(self.running),
                reason=reason,
            )

    def _require_rest(self) -> None:
        if self.running is not None:
            raise OperationRunningError(f"{self.name} is being rebuilt or rolled back already")

    @event(RebuildRequested)
    def _apply_rebuild_requested(self, wish: int, version: int, replaces: int) -> None:
        self.running = "rebuild"
        self.wish = wish
        self.swap = Swap(version=version, replaces=replaces)

    @event(RollBackRequested)
    def _apply_roll_back_requested(self, wish: int, version: int, replaces: int) -> None:
        self.running = "roll_back"
        self.wish = wish
        self.swap = Swap(version=version, replaces=replaces)

    @event(SwitchedOver)
    def _apply_switched_over(self, wish: int) -> None:
        self.fulfilled.add(wish)
        if wish == self.wish:
            self.running = None

    @event(OperationFailed)
    def _apply_failed(self) -> None:
        self.running = None
