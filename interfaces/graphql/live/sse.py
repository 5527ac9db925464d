"""graphql-sse, in its mode of distinct connections: an event stream for each operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from interfaces.graphql.live.connections import RESTARTING, ConnectionNotHeldError
from interfaces.graphql.live.operation import Answered, Begun, Refused, Subscribed, failure
from interfaces.graphql.live.rendering import are_passing
from interfaces.graphql.live.serving import Live, report

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0  # a peer that takes nothing for so long is given up
# The reference client overlooks an end that reaches it together with an item.
END_SECONDS = 0.05
HEADERS = [
    (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would collect what must be passed on at once
]
HEARTBEAT = b":\n\n"
COMPLETE = b"event: complete\ndata: \n\n"


def wants_events(accept: str | None) -> bool:
    """Whether the client asks for an event stream, with or without other types."""
    kinds = [part.split(";")[0].strip().lower() for part in (accept or "").split(",")]
    return MEDIA_TYPE in kinds


class CutOffError(Exception):
    """What passes ends a stream without a word, so that the client begins again by itself."""


class EventStream:
    """
    An ASGI response: each item is an event `next`, at last comes `complete`. What ends without
    that was cut off, by a restart of the server, an outage, or because too little was read.

    Args:
        begin: begins the operation; called if the connection may be held.
    """

    def __init__(self, live: Live, begin: Callable[[], Awaitable[Begun]]) -> None:
        self._live = live
        self._begin = begin
        self._closed = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = (scope.get("client") or ("", 0))[0]
        try:
            with self._live.connections.hold(address, self._close):
                begun = await self._begin()
                if isinstance(begun, Refused) and are_passing(begun.errors):
                    # The reference client tries again by itself; an event would end it.
                    away = refusal(HTTPStatus.SERVICE_UNAVAILABLE, begun.errors)
                    await away(scope, receive, send)
                else:
                    await self._respond(begun, receive, send)
        except ConnectionNotHeldError as error:
            is_restarting = error.code == RESTARTING
            status = (
                HTTPStatus.SERVICE_UNAVAILABLE if is_restarting else HTTPStatus.TOO_MANY_REQUESTS
            )
            refused = GraphQLError(str(error), extensions={"code": status.name})
            await refusal(status, [refused])(scope, receive, send)

    async def _close(self, code: int, reason: str) -> None:
        """An event stream has no way to say why."""
        del code, reason
        self._closed.set()

    async def _respond(self, begun: Begun, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        telling = asyncio.create_task(self._tell(begun, send))
        tasks = [
            telling,
            asyncio.create_task(gone(receive)),
            asyncio.create_task(self._closed.wait()),
        ]
        try:
            await write(send, HEARTBEAT)  # so that the client knows at once that it is heard
            while not await is_over(tasks):
                await write(send, HEARTBEAT)
            if self._closed.is_set():
                await asyncio.sleep(END_SECONDS)
            await write(send, b"", is_last=True)
        except TimeoutError:
            return  # nothing more reaches it, not even the end
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, TimeoutError):
                    report(outcome)

    async def _tell(self, begun: Begun, send: Send) -> None:
        try:
            async with aclosing(self._payloads(begun)) as payloads:
                async for payload in payloads:
                    await write(send, b"event: next\ndata: " + payload + b"\n\n")
        except TimeoutError:
            return
        except CutOffError:
            self._closed.set()
            return
        if not self._live.connections.is_closing:  # else the client would not come back for more
            await write(send, COMPLETE)

    async def _payloads(self, begun: Begun) -> AsyncGenerator[bytes, None]:
        match begun:
            case Refused(errors):
                yield encode_errors(errors)
            case Answered(payload):
                yield payload
            case Subscribed():
                try:
                    async with aclosing(begun.payloads(self._live.renderer)) as payloads:
                        async for payload in payloads:
                            yield payload
                except Exception as error:
                    errors = failure(error).errors
                    if are_passing(errors):
                        raise CutOffError from error
                    yield encode_errors(errors)


async def write(send: Send, body: bytes, *, is_last: bool = False) -> None:
    """
    Raises:
        TimeoutError: if the peer took nothing for too long.
    """
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": not is_last})


async def gone(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def is_over(tasks: Collection[asyncio.Task[Any]]) -> bool:
    """Waits for the first of them, no longer than until the next heartbeat is due."""
    done, _ = await asyncio.wait(
        tasks, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    return bool(done)


def refusal(status: HTTPStatus, errors: Sequence[GraphQLError]) -> Response:
    headers = {"cache-control": "no-store", "retry-after": "1"}
    return Response(encode_errors(errors), status, headers, media_type="application/json")


def encode_errors(errors: Sequence[GraphQLError]) -> bytes:
    return orjson.dumps({"errors": [error.formatted for error in errors]})
