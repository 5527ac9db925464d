"""Begins an operation that came over a WebSocket or an event stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from graphql import ExecutionResult, FieldNode, GraphQLError
from graphql.execution import Executor, create_source_event_stream
from strawberry.exceptions import MissingQueryError
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType
from strawberry.utils.await_maybe import await_maybe

from application.context import Context
from interfaces.graphql.context import RequestContext
from interfaces.graphql.deadline import GRACE_SECONDS, DeadlineExceededError
from interfaces.graphql.errors import PresentingSchema, presentable
from interfaces.graphql.live.grouping import group_of
from interfaces.graphql.live.item import Item, may_see
from interfaces.graphql.live.rendering import Renderer, Rendering, encode
from interfaces.graphql.observing import followed

# Subscriptions that are begun at a time. After a restart everybody comes back at once, and each
# asks the database where to begin.
MAX_BEGINNING = 16


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was executed."""

    errors: Sequence[GraphQLError]  # as clients may see them


@dataclass(frozen=True, slots=True)
class Answered:
    """A query or a mutation."""

    payload: bytes  # JSON on one line


@dataclass(frozen=True, slots=True)
class Subscribed:
    items: AsyncGenerator[Item, None]
    rendering: Rendering
    actor: Context

    async def payloads(self, renderer: Renderer) -> AsyncGenerator[bytes, None]:
        """Ends when the source ends, or when the actor may not see any more of it."""
        async with aclosing(self.items) as items:
            async for item in items:
                if not may_see(self.actor, item):
                    return
                yield await renderer.render(item, self.rendering)


Begun = Refused | Answered | Subscribed


class Turns:
    """So many at a time; in each event loop, since a schema may serve in several."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._by_loop = WeakKeyDictionary()

    def taken(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop not in self._by_loop:
            self._by_loop[loop] = asyncio.Semaphore(self._at_a_time)
        return self._by_loop[loop]


class LiveSchema(PresentingSchema):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._turns = Turns(MAX_BEGINNING)

    async def begin(
        self,
        data: GraphQLRequestData,
        context: RequestContext,
        allowed: Iterable[OperationType] = DEFAULT_ALLOWED_OPERATION_TYPES,
    ) -> Begun:
        """
        Check, then execute; of a subscription open the source, so that whoever serves it renders
        each item once for all who select the same. The schema's extensions see all but the items.
        """
        execution = self._create_execution_context(
            query=data.query,
            allowed_operation_types=allowed,
            variable_values=data.variables,
            context_value=context,
            operation_name=data.operation_name,
            operation_extensions=data.extensions,
        )
        seconds = context.threads.deadline_seconds
        extensions = self.get_extensions()
        for extension in extensions:
            extension.execution_context = execution
        runner = self.create_extensions_runner(execution, extensions)
        try:
            async with asyncio.timeout(seconds + GRACE_SECONDS) as deadline, runner.operation():
                begun = await self._begin(execution, runner, deadline)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            return refused([GraphQLError(explained(error))])
        except TimeoutError as error:
            return failure(DeadlineExceededError(seconds) if deadline.expired() else error)
        except Exception as error:  # noqa: BLE001 - every failure is the client's answer
            return failure(error)
        if isinstance(begun, Refused | Subscribed):
            return begun
        answer = await self._handle_execution_result(
            execution, begun, runner, skip_process_errors=True
        )
        errors = [presentable(error) for error in answer.errors or ()]
        return Answered(encode(answer.data, errors, answer.extensions))

    async def _begin(
        self,
        execution: ExecutionContext,
        runner: SchemaExtensionsRunner,
        deadline: asyncio.Timeout,
    ) -> Refused | Subscribed | Any:
        """Of a query or a mutation the result."""
        failed = await self._prepare_operation_async(execution, runner)
        if failed is not None:
            return refused(failed.errors or [])
        if execution.operation_type is not OperationType.SUBSCRIPTION:
            return await self._execute_operation(
                execution,
                runner,
                self._get_middleware_manager(runner.extensions),
                self._get_execute_function(),
                self._get_custom_context_kwargs(execution.operation_extensions),
            )
        deadline.reschedule(None)  # to wait for its turn is no fault of the operation's
        async with self._turns.taken():
            seconds: float = execution.context.threads.deadline_seconds
            deadline.reschedule(asyncio.get_running_loop().time() + seconds + GRACE_SECONDS)
            async with runner.executing():
                return await self._subscribe(execution, runner)

    async def _subscribe(
        self, execution: ExecutionContext, runner: SchemaExtensionsRunner
    ) -> Refused | Subscribed:
        document = execution.graphql_document
        if document is None:
            raise MissingQueryError
        context: RequestContext = execution.context
        context.is_lasting = True
        executor = self.execution_context_class.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=execution.variables,
            operation_name=execution.operation_name,
            middleware=self._get_middleware_manager(runner.extensions),
            hide_suggestions=context.is_production,
            operation_extensions=execution.operation_extensions,
        )
        if not isinstance(executor, Executor):
            return refused(executor)  # of variables
        source: Any = await await_maybe(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            return refused(source.errors or [])
        group = group_of(document, executor.operation, execution.variables or {})
        # Who asks belongs to the group: what people may see of an item can differ.
        seen_by = context.actor.actor_id.bytes + group
        rendering = Rendering(seen_by, executor, context.for_operation)
        return Subscribed(followed(source, field_of(executor)), rendering, context.actor)


def field_of(executor: Executor[Any]) -> str:
    """A subscription has one root field; validation has seen to that."""
    [field] = executor.operation.selection_set.selections[:1]
    return field.name.value if isinstance(field, FieldNode) else "fragment"


def refused(errors: Sequence[GraphQLError]) -> Refused:
    return Refused([presentable(error) for error in errors])


def failure(error: Exception) -> Refused:
    """What was raised while an operation was begun, or while its source was followed."""
    if isinstance(error, GraphQLError):
        return refused([error])
    return refused([GraphQLError("the operation failed", original_error=error)])


def explained(error: Exception) -> str:
    if isinstance(error, MissingQueryError):
        return "No GraphQL query found in the request"
    if isinstance(error, CannotGetOperationTypeError):
        return error.as_http_error_reason()
    return "This operation is not allowed here."
