"""The event store's one door: what use cases load, decide and record goes through here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import IntegrityError, Mapper, StoredEvent

from application.context import Context
from application.ports.event_log import CommandAnswer, ContextualMapper, EventLog
from application.ports.jobs import JobRequest
from domain.aggregate import Aggregate

# When this event is recorded, ask for these jobs: in the same transaction, never on replay.
Policy = Callable[[Any], Iterable[JobRequest]]
Decision = tuple[Sequence[Aggregate], dict[str, Any]]  # what to record, what to answer
AnAggregate = TypeVar("AnAggregate", bound=Aggregate)


class NotFoundError(Exception):
    """There is no such thing in this workspace."""


class CommandIdReusedError(Exception):
    """The id of a command that was carried out was given to another one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command was carried out. A reader that has reached `position` sees its effect."""

    position: int
    result: Mapping[str, Any]


class Archive(Application[UUID]):
    name = "archive"

    def __init__(
        self, *, env: Mapping[str, str], mapper: Mapper[UUID], policies: Sequence[Policy] = ()
    ) -> None:
        self._given_mapper = mapper
        self._policies = policies
        super().__init__(dict(env))

    def construct_mapper(self) -> Mapper[UUID]:
        return self._given_mapper

    def close(self) -> None:
        """Write what was accepted, then let go of the database."""
        self.event_log.close()
        super().close()

    @property
    def event_log(self) -> EventLog:
        return cast("EventLog", self.recorder)

    def load(self, cls: type[AnAggregate], id: UUID) -> AnAggregate:
        """
        Raises:
            NotFoundError: if there is none with this id.
        """
        try:
            found: object = self.repository.get(id)
        except AggregateNotFoundError:
            raise NotFoundError(f"no {cls.__name__.lower()} {id}") from None
        if not isinstance(found, cls):
            raise NotFoundError(f"no {cls.__name__.lower()} {id}")
        return found

    def find(self, cls: type[AnAggregate], id: UUID) -> AnAggregate | None:
        try:
            return self.load(cls, id)
        except NotFoundError:
            return None

    def record(
        self, context: Context, *aggregates: Aggregate, answer: CommandAnswer | None = None
    ) -> int:
        """
        Make the pending events durable, with the jobs that the policies ask for.

        Returns:
            The position of the last one; the head of the log if nothing was pending.

        Raises:
            eventsourcing.persistence.IntegrityError: if somebody else was quicker.
        """
        stored, jobs = self._prepare(context, aggregates)
        if not stored:
            return self.event_log.head()
        return self.event_log.insert_events(stored, jobs=jobs, answer=answer)[-1]

    async def record_async(self, context: Context, *aggregates: Aggregate) -> int:
        """The same from an event loop, for facts that carry no command id."""
        stored, jobs = self._prepare(context, aggregates)
        return (await self.event_log.insert_events_async(stored, jobs=jobs))[-1]

    def once(self, context: Context, name: str, decide: Callable[[], Decision]) -> Accepted:
        """
        Carry out a command; if it was carried out under its id before, give the first answer.

        Raises:
            CommandIdReusedError: if the id is that of another command, or of another workspace.
        """
        first = self._first_answer(context, name)
        if first is not None:
            return first
        aggregates, result = decide()
        has_id = context.command_id is not None
        answer = CommandAnswer(name=name, result=result) if has_id else None
        try:
            return Accepted(self.record(context, *aggregates, answer=answer), result)
        except IntegrityError:
            first = self._first_answer(context, name)
            if first is None:
                raise
            return first

    def _first_answer(self, context: Context, name: str) -> Accepted | None:
        if context.command_id is None:
            return None
        first = self.event_log.first_answer(context.command_id)
        if first is None:
            return None
        if (first.name, first.workspace_id) != (name, context.workspace_id):
            # Says neither what the other one was nor where: it may be somebody else's.
            raise CommandIdReusedError(
                f"the command id {context.command_id} was used for something else; "
                "take a new one for each command"
            )
        return Accepted(first.position, first.result)

    def _prepare(
        self, context: Context, aggregates: Iterable[Aggregate]
    ) -> tuple[list[StoredEvent], list[JobRequest]]:
        events = [event for aggregate in aggregates for event in aggregate.collect_events()]
        mapper = cast("ContextualMapper", self.mapper)
        stored = [mapper.to_recordable(event, context) for event in events]
        jobs = [job for event in events for policy in self._policies for job in policy(event)]
        return stored, jobs
