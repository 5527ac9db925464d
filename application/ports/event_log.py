"""Port: what the log offers beyond the library's own recorder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.context import Context
from application.ports.jobs import JobAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    """What is kept under a command's id, so that its repetition gets the same answer."""

    name: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """What was answered when a command was carried out, and what it was."""

    name: str
    workspace_id: UUID | None
    result: dict[str, Any]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An event that makes the system act, and the request that it came from."""

    position: int
    correlation_id: UUID


class ContextualMapper(Protocol):
    def to_recordable(self, domain_event: Any, context: Context) -> StoredEvent: ...


class EventLog(Protocol):
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        jobs: Sequence[JobAsked] = (),
        answer: CommandAnswer | None = None,
    ) -> list[int]:
        """
        Append in one transaction with the jobs and the answer; block until durable.

        Returns:
            Positions, in order.

        Raises:
            eventsourcing.persistence.IntegrityError: if an event or an answer to the same command
                is stored already; nothing is stored then.
            JobNotFailedError, JobAlreadyQueuedError, JobMovedError: if a job cannot be changed as
                asked; nothing is stored then.
        """
        ...

    def begin_insert(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        jobs: Sequence[JobAsked] = (),
        answer: CommandAnswer | None = None,
    ) -> Callable[[], list[int]]:
        """
        The same, for who has something else to do meanwhile. They are appended whether or not
        the answer is called, which blocks until they are durable, and returns or raises as above.
        """
        ...

    async def insert_events_async(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        jobs: Sequence[JobAsked] = (),
        answer: CommandAnswer | None = None,
    ) -> list[int]:
        """The same without blocking the event loop."""
        ...

    def first_answer(self, command_id: UUID) -> FirstAnswer | None:
        """The answer to a command that was carried out before."""
        ...

    def last_of(self, stream: UUID) -> Cause | None:
        """The last event of a stream; None if it has none."""
        ...

    def head(self) -> int:
        """The last position; 0 if the log is empty."""
        ...

    def close(self) -> None:
        """Write what was accepted, then stop."""
        ...
