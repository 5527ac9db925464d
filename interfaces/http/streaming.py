"""Answers that are sent in pieces, to clients that are slow, stop reading, or go away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")
Pieces = AsyncGenerator[bytes, None]


class SlowReaderError(Exception):
    """The client is connected but takes nothing. The connection is cut."""

    is_quotable = True


class StreamedResponse(Response):
    """
    Opens what it sends only when it is about to send, and closes it whatever happens.

    What breaks on the way cuts the connection: an answer that ends well is complete.
    """

    STALL_SECONDS = 60.0  # without taking a single piece

    def __init__(
        self,
        status: HTTPStatus,
        headers: Mapping[str, str],
        pieces: Callable[[], Pieces],
    ) -> None:
        self.status_code = status
        self.background = None
        self._pieces = pieces
        self.init_headers(dict(headers))

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """As given: there is no body here whose length could be counted."""
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(until_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Cancelled and awaited: what is open is closed before this returns.
            for task in (sending, leaving):
                if not task.done():
                    task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                try:
                    async with asyncio.timeout(self.STALL_SECONDS):
                        message = {"type": "http.response.body", "body": piece, "more_body": True}
                        await send(message)
                except TimeoutError as error:
                    raise SlowReaderError(
                        f"nothing was taken for {self.STALL_SECONDS:g} seconds"
                    ) from error
        await send({"type": "http.response.body", "body": b""})


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """
    Args:
        receive: of a request whose body nobody reads.

    Raises:
        ClientDisconnect: the client has gone, and the work was cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(until_gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        leaving.result()
        raise ClientDisconnect
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def no_pieces() -> Pieces:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
