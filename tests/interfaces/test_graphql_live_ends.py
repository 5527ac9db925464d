"""How what is followed comes to its end: at the wish of either side, or because one is too slow."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from interfaces.graphql.live import sse, websocket
from interfaces.graphql.live.connections import LiveConnections
from interfaces.graphql.live.serving import Live
from tests.support.live_client import events, peer, told, until
from tests.support.live_server import LiveServer, live_server
from tests.support.live_site import LiveSite

pytest_plugins = ["tests.support.live_fixtures"]

TICKS = "subscription {ticks {number}}"


def test_who_leaves_is_not_followed_for_any_longer(server: LiveServer, site: LiveSite) -> None:
    """Whether a subscription is completed, its connection closed or cut off, or a stream left."""

    async def talk() -> None:
        async with peer(server.port) as other, events(server.port, TICKS):
            await other.init()
            for number in range(3):
                await other.subscribe(TICKS, operation=str(number))
            await until(lambda: site.ticks.following == 4)
            await other.say({"id": "1", "type": "complete"})
            await until(lambda: site.ticks.following == 3)
        await until(lambda: site.ticks.following == 0)
        async with peer(server.port) as other, events(server.port, TICKS):
            await other.init()
            await other.subscribe(TICKS)
            await until(lambda: site.ticks.following == 2)
            server.cut()
            await until(lambda: site.ticks.following == 0)
        await until(lambda: len(site.live.connections) == 0)

    asyncio.run(talk())


def test_one_address_holds_only_so_many_connections() -> None:
    site = LiveSite(Live(LiveConnections(max_per_address=2)))

    async def talk(port: int) -> None:
        async with peer(port) as first, events(port, TICKS):
            await first.init()
            async with peer(port) as third:
                assert await third.closed() == (1013, "too many connections of this address")
            async with events(port, TICKS) as response:
                assert response.status_code == 429
        await until(lambda: len(site.live.connections) == 0)
        async with peer(port) as other:
            await other.init()

    with live_server(site.app, site.live.connections) as server:
        asyncio.run(talk(server.port))


def test_a_server_that_stops_tells_everybody_to_come_back(
    server: LiveServer, site: LiveSite
) -> None:
    """A WebSocket by its code; a stream by ending without `complete`. Nobody new is held."""

    async def talk() -> tuple[Any, list[Any]]:
        async with peer(server.port) as other, events(server.port, TICKS) as response:
            await other.init()
            await other.subscribe(TICKS)
            await until(lambda: site.ticks.following == 2)
            server.call(site.ticks.tell())
            server.call(site.live.connections.close_all())
            ends = await other.closed(), [event async for event in told(response)]
            async with peer(server.port) as late:
                assert (await late.closed())[0] == 1012
            async with events(server.port, TICKS) as refused:
                assert refused.status_code == 503
            return ends

    closed, streamed = asyncio.run(talk())
    assert closed == (1012, "the server restarts")
    assert streamed == [("", None), ("next", {"data": {"ticks": {"number": 1}}})]


def test_who_reads_nothing_is_let_go_and_the_others_go_on(
    server: LiveServer, site: LiveSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(sse, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.1)
    site.ticks.text = "x" * 100_000
    with_text = TICKS.replace("{number}", "{number text}")
    deaf = [asleep(server.port, with_text, is_stream=kind) for kind in (True, False)]

    async def talk() -> None:
        async with peer(server.port) as other:
            await other.init()
            await other.subscribe(with_text)
            await until(lambda: site.ticks.following == 3)
            for number in range(1, 200):
                server.call(site.ticks.tell())
                assert (await other.hear())["payload"]["data"]["ticks"]["number"] == number
                if site.ticks.following == 1:
                    break
            await until(lambda: site.ticks.following == 1)
            server.call(site.ticks.tell())
            assert (await other.hear())["type"] == "next"

    try:
        asyncio.run(talk())
    finally:
        for connection in deaf:
            connection.close()


def asleep(port: int, query: str, *, is_stream: bool) -> socket.socket:
    """A client that asks and then reads nothing, with little room for what is on its way."""
    body = json.dumps({"query": query}).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    if is_stream:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        return connection
    connection.sendall(
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    assert connection.recv(1000).endswith(b"\r\n\r\n")
    for message in (
        {"type": "connection_init"},
        {"id": "1", "type": "subscribe", "payload": json.loads(body)},
    ):
        text = json.dumps(message).encode()
        length = bytes([0x80 | 126]) + len(text).to_bytes(2)
        connection.sendall(bytes([0x81]) + length + bytes(4) + text)  # masked with zeros
    return connection
