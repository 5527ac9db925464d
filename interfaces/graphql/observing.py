"""How long operations and their root fields take, and how they end; never what they ask."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import lru_cache
from inspect import isawaitable
from typing import Any, NamedTuple, TypeVar

import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode
from prometheus_client import Histogram
from strawberry.extensions import SchemaExtension

from infrastructure.logging import get_logger
from infrastructure.observability.metrics import Metrics, Names, metrics, subscription_open
from infrastructure.observability.reached import note_facts
from infrastructure.observability.tracing import is_tracing, span

T = TypeVar("T")
log = get_logger(__name__)

ANONYMOUS, INVALID = "anonymous", "invalid"
NO_CODE = "GRAPHQL_VALIDATION_FAILED"  # GraphQL itself explains what is wrong with the document
NAMES = Names()


class Operation(NamedTuple):
    type: str  # query, mutation, subscription; "invalid" if it never became one
    name: str


class ObserveOperations(SchemaExtension):
    """
    One measurement and one span for each operation, and what its request's line says of it. On
    a WebSocket there is no line of a request: each operation has its own.

    The first of all extensions: what the others do counts, and errors are seen as clients see them.
    """

    _known: Operation | None = None

    def on_operation(self) -> Iterator[None]:
        began_at = time.perf_counter()
        try:
            yield
        finally:
            self._ended(time.perf_counter() - began_at)

    def on_execute(self) -> Iterator[None]:
        operation = self._known = self._operation()
        if not is_tracing():
            yield
            return
        if operation.type == "subscription":  # its items are fetched by whoever comes along
            yield
            return
        with span(
            f"graphql {operation.type}",
            graphql__operation__type=operation.type,
            graphql__operation__name=operation.name,
        ) as current:
            yield
            if current is not None:
                errors = codes_of(self.execution_context.result, None)
                current.set_attribute("chatledger.errors", len(errors))

    def _operation(self) -> Operation:
        context = self.execution_context
        return operation_of(context.graphql_document, context.operation_name)

    def _ended(self, seconds: float) -> None:
        context = self.execution_context
        codes = codes_of(context.result, context.pre_execution_errors)
        operation = self._known or self._operation()
        own = metrics()
        if operation.type != "subscription":  # how long somebody listens is no latency
            name = NAMES.bounded(operation.name)
            latency(own, operation.type, name).observe(seconds)
        for code in codes:
            own.graphql_errors.labels(operation.type, code).inc()
        facts = {
            "operation_type": operation.type,
            "operation_name": operation.name,
            "errors": len(codes),
            "codes": sorted(set(codes)),
        }
        if not note_facts(facts):
            log.info("graphql_operation", **facts, duration_ms=round(seconds * 1000, 2))


@lru_cache(maxsize=1_000)
def latency(own: Metrics, type_: str, name: str) -> Histogram:
    """The library would look for it under a lock, each time."""
    return own.graphql.labels(type_, name)


@lru_cache(maxsize=1_000)
def field_latency(own: Metrics, field: str) -> Histogram:
    return own.resolvers.labels(field)


def operation_of(document: DocumentNode | None, wanted: str | None) -> Operation:
    """A name is a word of letters, digits and underscores: GraphQL's grammar sees to that."""
    found = [
        definition
        for definition in (document.definitions if document is not None else ())
        if isinstance(definition, OperationDefinitionNode)
    ]
    if wanted is not None:
        found = [one for one in found if one.name is not None and one.name.value == wanted]
    if len(found) != 1:
        return Operation(INVALID, INVALID)
    [operation] = found
    name = operation.name.value[:100] if operation.name is not None else ANONYMOUS
    return Operation(operation.operation.value, name)


def codes_of(result: Any, refused: list[GraphQLError] | None) -> list[str]:
    errors = refused or getattr(result, "errors", None) or []
    return [str((error.extensions or {}).get("code", NO_CODE)) for error in errors]


def observe_root_fields(schema: strawberry.Schema) -> None:
    """
    Measure each field of `Query` and `Mutation`, with all that its resolver waits for.

    On the built schema: as an extension it would be called for every field of every answer.
    """
    core = schema._schema  # noqa: SLF001 - Strawberry has no other way to its fields
    for root in (core.query_type, core.mutation_type):
        for name, field in (root.fields if root is not None else {}).items():
            if root is not None and field.resolve is not None:
                field.resolve = measured(field.resolve, f"{root.name}.{name}")


def measured(resolve: Callable[..., Any], field: str) -> Callable[..., Any]:
    def resolver(*args: Any, **kwargs: Any) -> Any:
        began_at = time.perf_counter()
        is_awaited = False
        try:
            found = resolve(*args, **kwargs)
            if isawaitable(found):
                is_awaited = True
                return finished(found, began_at)
            return found
        finally:
            if not is_awaited:
                observe(began_at)

    async def finished(found: Awaitable[Any], began_at: float) -> Any:
        try:
            return await found
        finally:
            observe(began_at)

    def observe(began_at: float) -> None:
        field_latency(metrics(), field).observe(time.perf_counter() - began_at)

    return resolver


async def followed(items: AsyncGenerator[T, None], field: str) -> AsyncGenerator[T, None]:
    """The same items; while somebody follows them, they count as one open subscription."""
    with subscription_open(field):
        async with aclosing(items):
            async for item in items:
                yield item
