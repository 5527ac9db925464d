"""The base class of every aggregate, and how an event says which of its fields are personal."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from eventsourcing.domain import AggregateCreated as LibraryCreated
from eventsourcing.domain import AggregateEvent as LibraryEvent
from eventsourcing.domain import BaseAggregate

# Every id that is derived from other ids hangs below this one. Never change it.
CHATLEDGER_NAMESPACE = UUID("6f1ce0c4-6d1c-5b52-9c1c-6b7f0a3c55d1")


class Personal:
    """
    What an event class says about its own fields; the mapper seals accordingly.

    `personal` maps a field to the field that holds the id of the person (or file) it is about.
    `personal_by_subject` lists fields that are a dict from subject id to that subject's own data.
    A field stored under a subject whose key was destroyed comes back as `ERASED` (or, by subject,
    is missing from the dict). Raise `class_version` when an event's fields change, and write the
    static method `upcast_vN_vM(state)` that turns an older stored state into the next version.
    """

    class_version: ClassVar[int] = 1
    personal: ClassVar[dict[str, str]] = {}
    personal_by_subject: ClassVar[tuple[str, ...]] = ()


class Creation(Personal, LibraryCreated):
    """The first fact of a stream."""


class Aggregate(BaseAggregate[UUID]):
    """Subclasses set TOPIC; the library then demands one on every event too."""

    class Event(Personal, LibraryEvent):
        """A fact about one aggregate: past tense, never edited."""


class Erased(str):
    """What stands where personal data was before its key was destroyed."""

    __slots__ = ()


ERASED = Erased("[erased]")
