"""The event store's one door: what use cases load, decide and record goes through here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import Mapper, StoredEvent

from application.context import Context
from application.ports.event_log import CommandAnswer, ContextualMapper, EventLog
from application.ports.jobs import JobAsked
from domain.aggregate import Aggregate

# When this event is recorded, ask for these jobs: in the same transaction, never on replay.
Policy = Callable[[Any], Iterable[JobAsked]]
Decision = tuple[Sequence[Aggregate], dict[str, Any]]  # what to record, what to answer
NOTHING: Mapping[str, Any] = MappingProxyType({})
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

    def begin_record(self, context: Context, *aggregates: Aggregate) -> Callable[[], int]:
        """
        The same for who has something else to do meanwhile, of facts that carry no command id.
        The answer blocks until they are durable.
        """
        stored, jobs = self._prepare(context, aggregates)
        wait = self.event_log.begin_insert(stored, jobs=jobs)
        return lambda: wait()[-1]

    async def record_async(self, context: Context, *aggregates: Aggregate) -> int:
        """The same from an event loop, for facts that carry no command id."""
        stored, jobs = self._prepare(context, aggregates)
        return (await self.event_log.insert_events_async(stored, jobs=jobs))[-1]

    def once(
        self,
        context: Context,
        name: str,
        decide: Callable[[], Decision],
        about: Mapping[str, Any] = NOTHING,
    ) -> Accepted:
        """
        Carry out a command; if it was carried out under its id before, give the first answer.

        Args:
            about: what the command is to do, as JSON has it; part of the answer.

        Raises:
            CommandIdReusedError: if the id is that of another command, of another workspace, or
                of the same about something else.
        """
        first = self._first_answer(context, name, about)
        if first is not None:
            return first
        try:
            aggregates, result = decide()
            result = {**about, **result}
            has_id = context.command_id is not None
            answer = CommandAnswer(name=name, result=result) if has_id else None
            return Accepted(self.record(context, *aggregates, answer=answer), result)
        except Exception:
            # Perhaps for the very reason that the same command was carried out meanwhile.
            first = self._first_answer(context, name, about)
            if first is None:
                raise
            return first

    def _first_answer(
        self, context: Context, name: str, about: Mapping[str, Any]
    ) -> Accepted | None:
        if context.command_id is None:
            return None
        first = self.event_log.first_answer(context.command_id)
        if first is None:
            return None
        is_same = (first.name, first.workspace_id) == (name, context.workspace_id)
        if not is_same or not about.items() <= first.result.items():
            # Says neither what the other one was nor where: it may be somebody else's.
            raise CommandIdReusedError(
                f"the command id {context.command_id} was used for something else; "
                "take a new one for each command"
            )
        return Accepted(first.position, first.result)

    def _prepare(
        self, context: Context, aggregates: Iterable[Aggregate]
    ) -> tuple[list[StoredEvent], list[JobAsked]]:
        mapper = cast("ContextualMapper", self.mapper)
        found = [
            (event, context_of(aggregate, context))
            for aggregate in aggregates
            for event in aggregate.collect_events()
        ]
        events = [event for event, _ in found]
        stored = [mapper.to_recordable(event, own) for event, own in found]
        jobs = [job for event in events for policy in self._policies for job in policy(event)]
        return stored, jobs


def context_of(aggregate: Aggregate, context: Context) -> Context:
    """What belongs to a workspace is recorded there, even if the command is the instance's."""
    workspace_id: UUID | None = getattr(aggregate, "workspace_id", None)
    if workspace_id is None or workspace_id == context.workspace_id:
        return context
    return replace(context, workspace_id=workspace_id)
