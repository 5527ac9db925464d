"""Builds an item's payload once for every group of subscribers, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor

from interfaces.graphql.errors import TRY_AGAIN, presentable
from interfaces.graphql.live.item import Item

Executed = ExecutionResult | Awaitable[ExecutionResult]

MAX_KEPT = 16  # renderings of one item; whoever selects yet another thing has it built for him
AWAY_SECONDS = 0.5  # between attempts, while the database is away
SHARED_SECONDS = 0.5  # what went wrong is told to all who are told the item now, and not kept


class Renderer:
    """Of one process. To be used in one event loop."""

    def __init__(self) -> None:
        # Each with its item, whose id must not become another one's meanwhile.
        self._underway: dict[tuple[int, Hashable], tuple[Item, asyncio.Task[bytes]]] = {}

    async def render(self, item: Item, rendering: Rendering) -> bytes:
        """The payload as JSON on one line: `data`, and `errors` where there are any."""
        if (payload := item.rendered.get(rendering.group)) is not None:
            return payload
        place = (id(item.rendered), rendering.group)
        if place not in self._underway:
            result = rendering.execute(item.build)
            if isinstance(result, ExecutionResult) and not result.errors:
                return self._keep(item, rendering, encode(result.data, ()))
            # A task of its own: others wait for it, too, when the first of them has gone.
            task = asyncio.create_task(self._finish(item, rendering, result))
            self._underway[place] = (item, task)
            task.add_done_callback(lambda _: self._forget(item, rendering))
        _, task = self._underway[place]
        return await asyncio.shield(task)

    async def _finish(self, item: Item, rendering: Rendering, result: Executed) -> bytes:
        payload, has_errors = await rendering.payload(result, item.build)
        return payload if has_errors else self._keep(item, rendering, payload)

    def _forget(self, item: Item, rendering: Rendering) -> None:
        is_kept = rendering.group in item.rendered
        place = (id(item.rendered), rendering.group)
        asyncio.get_running_loop().call_later(
            0 if is_kept else SHARED_SECONDS, self._underway.pop, place, None
        )

    def _keep(self, item: Item, rendering: Rendering, payload: bytes) -> bytes:
        if len(item.rendered) < MAX_KEPT:
            item.rendered[rendering.group] = payload
        return payload


class Rendering:
    """
    How one subscription's items look.

    Args:
        group: the same for all whose payloads are the same.
        make_context: called for each item, so that no item sees what another has loaded.
    """

    def __init__(
        self, group: Hashable, executor: Executor[Any], make_context: Callable[[], Any]
    ) -> None:
        self.group = group
        self._executor = executor
        self._make_context = make_context

    def execute(self, build: Callable[[], object]) -> Executed:
        """Nearly always done at once, because nothing has to be waited for."""
        try:
            executor = self._executor.build_per_event_executor(build())
            executor.context_value = self._make_context()
            result: Any = executor.execute_operation(serially=False)
        except Exception as error:  # noqa: BLE001 - presented, as every other
            return failed(error)
        found: Executed = result
        return found

    async def payload(self, executed: Executed, build: Callable[[], object]) -> tuple[bytes, bool]:
        """
        Waits while the database is away: who follows must not lose an item to that.

        Returns:
            The payload, and whether it tells of errors.
        """
        while True:
            result = await finished(executed)
            errors = [presentable(error) for error in result.errors or ()]
            if not any(map(is_passing, errors)):
                return encode(result.data, errors), bool(errors)
            await asyncio.sleep(AWAY_SECONDS)
            executed = self.execute(build)


async def finished(executed: Executed) -> ExecutionResult:
    if isinstance(executed, ExecutionResult):
        return executed
    try:
        return await executed
    except Exception as error:  # noqa: BLE001 - presented, as every other
        return failed(error)


def failed(error: Exception) -> ExecutionResult:
    shown = error if isinstance(error, GraphQLError) else located(error)
    return ExecutionResult(data=None, errors=[shown])


def located(error: Exception) -> GraphQLError:
    return GraphQLError("the item could not be built", original_error=error)


def are_passing(errors: Sequence[GraphQLError]) -> bool:
    """Whether the same may be all right in a moment."""
    return bool(errors) and all(map(is_passing, errors))


def is_passing(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("code") in TRY_AGAIN


def encode(
    data: Any, errors: Sequence[GraphQLError], extensions: Mapping[str, Any] | None = None
) -> bytes:
    """An answer as JSON on one line."""
    payload: dict[str, Any] = {"data": data}
    if errors:
        payload["errors"] = [error.formatted for error in errors]
    if extensions:
        payload["extensions"] = extensions
    return orjson.dumps(payload)
