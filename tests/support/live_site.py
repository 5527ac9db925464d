"""An endpoint with a subscription of its own, so that tests decide what is told, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import strawberry
from cross_web import HTTPException
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from strawberry.types import Info

from application.context import LOCAL_OWNER, Context
from interfaces.graphql.context import RequestContext
from interfaces.graphql.deadline import OperationThreads
from interfaces.graphql.errors import PresentErrors
from interfaces.graphql.limits import limits
from interfaces.graphql.live.endpoint import LiveEndpoint
from interfaces.graphql.live.item import Item
from interfaces.graphql.live.operation import LiveSchema
from interfaces.graphql.live.serving import Live
from interfaces.graphql.operation import OperationContext


@strawberry.type
class Tick:
    number: int
    text: str

    @strawberry.field
    def square(self) -> int:
        return self.number**2

    @strawberry.field
    def broken(self) -> int:
        raise RuntimeError("a secret detail")


class Ticks:
    """What is told to every subscriber: numbers, counted from 1. In the server's event loop."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.built = 0
        self.following = 0
        self.text = ""
        self.error: Exception | None = None  # raised by every source, instead of waiting
        self._more = asyncio.Condition()

    async def tell(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.items) + 1
            self.items.append(Item(partial(self.build, number)))
        async with self._more:
            self._more.notify_all()

    async def fail(self, error: Exception) -> None:
        self.error = error
        async with self._more:
            self._more.notify_all()

    def build(self, number: int) -> Tick:
        self.built += 1
        return Tick(number=number, text=self.text)

    async def follow(self, after: int, up_to: int | None) -> AsyncGenerator[Item, None]:
        self.following += 1
        try:
            while up_to is None or after < up_to:
                if self.error is not None:
                    raise self.error
                if after < len(self.items):
                    after += 1
                    yield self.items[after - 1]
                    continue
                async with self._more:
                    if after >= len(self.items) and self.error is None:
                        await self._more.wait()
        finally:
            self.following -= 1


class LiveSite(LiveEndpoint):
    """
    An ASGI application for /graphql.

    Args:
        refusal: raised whenever a subscription is begun.
    """

    def __init__(self, live: Live | None = None, refusal: Exception | None = None) -> None:
        self.ticks = Ticks()
        self.beginning = self.most_beginning = 0  # subscriptions
        self.refusal, self.refused = refusal, 0

        async def follow(info: Info, after: int = 0, up_to: int | None = None) -> Any:
            del info
            self.beginning += 1
            self.most_beginning = max(self.most_beginning, self.beginning)
            await asyncio.sleep(0.001)  # as who asks the database where to begin
            self.beginning -= 1
            if self.refusal is not None:
                self.refused += 1
                raise self.refusal
            return self.ticks.follow(after, up_to)

        @strawberry.type
        class Query:
            answer: int = strawberry.field(resolver=lambda: 42)

        @strawberry.type
        class Mutation:
            @strawberry.mutation
            def double(self, number: int) -> int:
                return number * 2

        @strawberry.type
        class Subscription:
            ticks: Tick = strawberry.subscription(resolver=follow, graphql_type=Tick)

        schema = LiveSchema(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            extensions=[OperationContext, PresentErrors, *limits()],
        )
        super().__init__(schema, live)
        self._threads = OperationThreads()
        self.app = Starlette(
            routes=[Route("/graphql", self), WebSocketRoute("/graphql", self)],
        )

    async def get_context(self, request: Any, response: Any) -> RequestContext:
        del request, response
        actor = Context(actor_id=LOCAL_OWNER, workspace_id=None)
        return RequestContext(container=None, actor=actor, threads=self._threads)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        try:
            response: Any = await self.events(Request(scope, receive))
        except HTTPException as error:
            response = PlainTextResponse(error.reason, error.status_code)
        await response(scope, receive, send)
