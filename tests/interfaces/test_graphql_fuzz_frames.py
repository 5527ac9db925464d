"""Messages to a WebSocket that nobody should send: it is closed with a reason, or goes on."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import socket
from collections import Counter
from collections.abc import Iterator
from random import Random
from struct import unpack
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from infrastructure.container import Container
from interfaces.graphql.app import graphql_app
from interfaces.graphql.schema import schema
from tests.support.graphql_site import SECRET, NoContainer
from tests.support.live_client import PROTOCOL, peer
from tests.support.live_server import LiveServer, live_server
from tests.support.malformed import Bodies, Documents
from tests.support.malformed_frames import Frames, raw_frame
from tests.support.projected_container import container

__all__ = ["container"]

SEED = 20_240_302
CONNECTIONS = 600
REQUESTS = 2  # on each, before a message that is likely to end it
RAW_CONNECTIONS = 250  # one frame each
MAX_SECONDS = 2.0
AT_A_TIME = 4
# Of the protocol, and of RFC 6455: what does not fit is named.
CODES = {1000, 1002, 1003, 1007, 1009, 4400, 4401, 4403, 4406, 4409, 4429}
FAILED = {"INTERNAL", "UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED"}
PING = {"type": "ping"}
LATE = "no answer after"
# Many of these clients hang up while an operation is begun. What GraphQL's libraries and we had
# made for its next step is then not awaited by anybody, which costs nothing but Python's warning.
# It may come as late as a collection of garbage: so that is made here, and no other test meets it.
GIVEN_UP = "(Executor|GraphQLCoreConverter|joined|finished|await_maybe)"
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:coroutine '{GIVEN_UP}:RuntimeWarning"),
    pytest.mark.filterwarnings(
        f"ignore:Exception ignored in. <coroutine object {GIVEN_UP}"
        ":pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def server(container: Container) -> Iterator[LiveServer]:
    graphql = graphql_app(container)
    app = Starlette(routes=[WebSocketRoute("/graphql", graphql)])
    with live_server(app, graphql.live.connections) as running:
        yield running
    gc.collect()


def is_busy() -> bool:
    """Whether other tests keep the machine from answering in time."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def faults(message: Any) -> list[str]:
    payload = message.get("payload") or {}
    errors = payload if isinstance(payload, list) else payload.get("errors", [])
    codes = [error.get("extensions", {}).get("code") for error in errors]
    return [f"{code} in {message}" for code in codes if code is None or code in FAILED]


async def converse(port: int, said: list[Any], *, is_greeted: bool) -> tuple[int, list[str]]:
    """The code with which the connection was closed, 0 if it goes on, and what was wrong."""
    found: list[str] = []
    async with peer(port) as client:
        try:
            if is_greeted:
                await client.init()
            for message in said:
                await client.say(message)
            await client.say(PING)
            async with asyncio.timeout(MAX_SECONDS):
                while (heard := orjson.loads(await client.socket.recv()))["type"] != "pong":
                    found += faults(heard)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            return code, found if code in CODES else [*found, f"{code} after {said}"]
        except TimeoutError:
            return 0, [*found, f"{LATE} {said}"]
    return 0, found


def test_messages_that_are_nearly_right(server: LiveServer) -> None:
    async def converse_all() -> list[tuple[int, list[str]]]:
        random = Random(SEED)
        documents = Documents(schema._schema, random, has_subscriptions=True)
        frames = Frames(documents, Bodies(documents, random), random)
        at_a_time = asyncio.Semaphore(AT_A_TIME)

        async def one() -> tuple[int, list[str]]:
            async with at_a_time:
                said = [*(frames.request() for _ in range(REQUESTS)), frames.next()]
                is_greeted = random.random() < 0.85
                code, found = await converse(server.port, said, is_greeted=is_greeted)
                if is_busy() and any(fault.startswith(LATE) for fault in found):
                    # What it chokes on, it chokes on again.
                    code, found = await converse(server.port, said, is_greeted=is_greeted)
                return code, found

        return await asyncio.gather(*(one() for _ in range(CONNECTIONS)))

    with capture_logs() as logs:
        outcomes = asyncio.run(converse_all())
    assert [fault for _, faults in outcomes for fault in faults] == []
    assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []
    codes = Counter(code for code, _ in outcomes)
    assert codes[0] > CONNECTIONS / 20, "some must go on, else only the first message was read"


def test_frames_that_are_none(server: LiveServer) -> None:
    """Below the protocol: faulty opcodes, lengths, masks and characters."""
    random = Random(SEED + 1)
    with capture_logs() as logs:
        outcomes = [
            (frame := raw_frame(random), sent(server.port, frame)) for _ in range(RAW_CONNECTIONS)
        ]
    assert [(code, frame) for frame, code in outcomes if code not in CODES | {0}] == []
    assert len({code for _, code in outcomes}) > 3
    assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []


def sent(port: int, frame: bytes) -> int:
    """The code with which the server closes after it. 0: it waits for more; 1006: no word."""
    with socket.create_connection(("127.0.0.1", port), timeout=MAX_SECONDS) as connection:
        key = base64.b64encode(bytes(16)).decode()
        connection.sendall(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
        )
        with connection.makefile("rb") as stream:
            while stream.readline().strip():
                pass
            connection.sendall(frame)
            connection.settimeout(0.1)
            try:
                while head := stream.read(2):
                    content = stream.read(head[1] & 0x7F)
                    if head[0] & 0x0F == 8:
                        return int(unpack(">H", content[:2])[0]) if content else 1005
            except TimeoutError:
                return 0
    return 1006


def test_an_unexpected_error_is_logged_under_the_reference_that_the_message_has() -> None:
    """As over HTTP: the client can name it, the log explains it, neither quotes anything."""
    graphql = graphql_app(NoContainer())
    app = Starlette(routes=[WebSocketRoute("/graphql", graphql)])

    async def ask(port: int) -> Any:
        async with peer(port) as client:
            await client.init()
            await client.subscribe("{workspaces {__typename}}")
            return await client.hear()

    with capture_logs() as logs, live_server(app, graphql.live.connections) as running:
        heard = asyncio.run(ask(running.port))
    [error] = heard["payload"]["errors"]
    [entry] = [entry for entry in logs if entry["event"] == "graphql_failed"]
    assert error["extensions"] == {"code": "INTERNAL", "reference": entry["reference"]}
    assert entry["reference"] in error["message"]
    assert SECRET not in str(heard)
    assert SECRET not in str(logs)
