"""A WebSocket and an event stream by hand: says what no well-behaved client would say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PROTOCOL = "graphql-transport-ws"


class Peer:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, message: object) -> None:
        """A string or bytes as they are, all else as JSON."""
        is_raw = isinstance(message, str | bytes)
        await self.socket.send(message if is_raw else json.dumps(message))  # type: ignore[arg-type]

    async def init(self) -> None:
        await self.say({"type": "connection_init"})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, /, *, operation: str = "1", **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.say({"id": operation, "type": "subscribe", "payload": payload})

    async def hear(self) -> Any:
        return json.loads(await self.socket.recv())

    async def closed(self) -> tuple[int, str]:
        """What comes meanwhile is dropped. The code and the reason; 1006: without a word."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as error:
            frame = error.rcvd
            return (1006, "") if frame is None else (frame.code, frame.reason)


@asynccontextmanager
async def peer(port: int, protocol: str = PROTOCOL, **options: Any) -> AsyncIterator[Peer]:
    async with connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[Subprotocol(protocol)],
        max_size=None,
        compression=None,
        **options,
    ) as socket:
        yield Peer(socket)


@asynccontextmanager
async def events(
    port: int, query: str, *, method: str = "POST", **variables: Any
) -> AsyncIterator[httpx.Response]:
    """The response of an event stream, whose body has not been read."""
    asked: dict[str, Any] = {"query": query, "variables": variables}
    async with httpx.AsyncClient(timeout=30) as client:
        content: dict[str, Any] = {"json": asked}
        if method == "GET":
            content = {"params": {"query": query, "variables": json.dumps(variables)}}
        async with client.stream(
            method,
            f"http://127.0.0.1:{port}/graphql",
            headers={"accept": "text/event-stream"},
            **content,
        ) as response:
            yield response


async def told(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """The name and the data of each event; comments as `("", None)`."""
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            yield name, json.loads(value) if value.strip() else None
        elif line.startswith(":"):
            yield "", None


async def until(condition: Callable[[], bool], timeout_seconds: float = 5) -> None:
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110 - what it looks at lives in another thread
            await asyncio.sleep(0.005)
