"""What belongs to one operation: what it has loaded, and what it must say of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strawberry.extensions import SchemaExtension

from interfaces.graphql.context import RequestContext


class OperationContext(SchemaExtension):
    """A WebSocket has one context and many operations: each gets its own copy."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        if isinstance(context, RequestContext):
            self.execution_context.context = context.for_operation()
        yield

    def on_stream_result(self, result: Any) -> Iterator[None]:
        del result
        yield
        context = self.execution_context.context
        if isinstance(context, RequestContext):
            context.start_anew()

    def get_results(self) -> dict[str, Any]:
        context = self.execution_context.context
        if isinstance(context, RequestContext) and context.stale:
            return {"stale": sorted(context.stale)}
        return {}
