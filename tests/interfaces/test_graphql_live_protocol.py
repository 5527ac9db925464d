"""What the protocol says of order and form, and what a peer may say without breaking anything."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from interfaces.graphql.live import websocket
from tests.support.live_client import Peer, peer
from tests.support.live_server import MAX_FRAME, LiveServer, live_server
from tests.support.live_site import LiveSite

pytest_plugins = ["tests.support.live_fixtures"]

DEEP = 200_000
COUNT = "subscription($to: Int) {ticks(upTo: $to) {number}}"


@pytest.fixture
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with capture_logs() as logs, caplog.at_level(logging.ERROR):
        yield
    assert logs == []
    assert [record.getMessage() for record in caplog.records] == []


def subscribe(**payload: Any) -> dict[str, Any]:
    return {"id": "1", "type": "subscribe", "payload": payload}


MALFORMED: dict[str, Any] = {
    "no object": [],
    "a number": 1,
    "null": None,
    "a string": '"connection_init"',
    "no JSON": "{",
    "empty": "",
    "not a number": "NaN",
    "half a surrogate": '{"type": "\\ud800"}',
    "no type": {},
    "a type that is no string": {"type": ["ping"]},
    "an unknown type": {"type": "x" * 1_000},
    "the legacy protocol": {"id": "1", "type": "start", "payload": {"query": COUNT}},
    "an id that cannot be a key": {"id": ["a"], "type": "complete"},
    "a number as id": {"id": 1, "type": "subscribe", "payload": {"query": COUNT}},
    "an empty id": {"id": "", "type": "subscribe", "payload": {"query": COUNT}},
    "no id": {"type": "subscribe", "payload": {"query": COUNT}},
    "a long id": {"id": "a" * 1_000, "type": "complete"},
    "no payload": {"id": "1", "type": "subscribe"},
    "null for a payload": {"id": "1", "type": "subscribe", "payload": None},
    "a string for a payload": {"id": "1", "type": "subscribe", "payload": "x"},
    "a list for a payload": {"id": "1", "type": "subscribe", "payload": []},
    "a ping with a list": {"type": "ping", "payload": []},
    "a pong with a string": {"type": "pong", "payload": "x"},
    "a number as query": subscribe(query=5),
    "a list as query": subscribe(query=[COUNT]),
    "a number as operationName": subscribe(query=COUNT, operationName=5),
    "a list for variables": subscribe(query=COUNT, variables=[]),
    "a string for variables": subscribe(query=COUNT, variables="{}"),
    "a list for extensions": subscribe(query=COUNT, extensions=[]),
    "deep lists": "[" * DEEP + "]" * (MAX_FRAME - DEEP),
    "deep lists that never end": "[" * DEEP,
    "deep objects": '{"a":' * 40_000 + "1" + "}" * 40_000,
    "deep variables": '{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":{"a":'
    + "[" * 100
    + "]" * 100
    + "}}}",
    "binary": b'{"type":"ping"}',
    "empty binary": b"",
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_message_closes_the_connection_and_says_why(
    server: LiveServer, frame: Any, nothing_is_logged: None
) -> None:
    async def talk() -> tuple[int, str]:
        async with peer(server.port) as other:
            await other.init()
            await other.say(frame)
            return await other.closed()

    code, reason = asyncio.run(talk())
    assert code == 4400
    assert reason


@pytest.mark.parametrize("frame", [*MALFORMED.values(), subscribe(query=COUNT)])
def test_nothing_but_an_initialisation_comes_first(
    server: LiveServer, frame: Any, nothing_is_logged: None
) -> None:
    async def talk() -> tuple[int, str]:
        async with peer(server.port) as other:
            await other.say(frame)
            return await other.closed()

    code, _ = asyncio.run(talk())
    assert code == (4401 if frame == subscribe(query=COUNT) else 4400)


def test_messages_made_at_random_never_end_a_connection_without_a_word(
    server: LiveServer, nothing_is_logged: None
) -> None:
    made = random.Random(7)
    good = [json.dumps(frame) for frame in (subscribe(query=COUNT, variables={"to": 0}), {"a": 1})]

    def frame() -> str | bytes:
        text = list(made.choice(good))
        for _ in range(made.randrange(6)):
            text[made.randrange(len(text))] = made.choice('[]{}",:0x\\u\x00é☔')
        return "".join(text) if made.random() < 0.9 else "".join(text).encode()

    async def talk() -> set[int]:
        codes = set()
        for _ in range(300):
            async with peer(server.port) as other:
                await other.init()
                await other.say(frame())
                await other.say({"type": "connection_init"})  # ends what was well-formed
                codes.add((await other.closed())[0])
        return codes

    assert asyncio.run(talk()) == {4400, 4429}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
        ([{"type": "connection_init", "payload": None}], 4400),
        ([{"type": "connection_init"}, subscribe(query=COUNT), subscribe(query=COUNT)], 4409),
        (["x" * (MAX_FRAME + 1)], 1009),
    ],
)
def test_each_breach_of_the_protocol_has_its_code(
    server: LiveServer, frames: list[Any], code: int, nothing_is_logged: None
) -> None:
    async def talk() -> tuple[int, str]:
        async with peer(server.port) as other:
            for frame in frames:
                await other.say(frame)
            return await other.closed()

    assert asyncio.run(talk())[0] == code


def test_text_that_is_not_utf_8_has_the_code_of_the_websocket(server: LiveServer) -> None:
    async def talk() -> tuple[int, str]:
        async with peer(server.port) as other:
            await other.init()
            await other.socket.send(b"\xff\xfe", text=True)
            return await other.closed()

    assert asyncio.run(talk())[0] == 1007


@pytest.mark.parametrize("protocol", ["graphql-ws", "graphql-sse", "soap"])
def test_no_other_protocol_is_spoken(server: LiveServer, protocol: str) -> None:
    async def talk() -> tuple[int, str]:
        async with peer(server.port, protocol) as other:
            return await other.closed()

    assert asyncio.run(talk())[0] == 4406


def test_who_never_initialises_is_not_waited_for(site: LiveSite) -> None:
    site.connection_init_wait_timeout = timedelta(seconds=0.1)

    async def talk(port: int) -> tuple[int, str]:
        async with peer(port) as other:
            return await other.closed()

    with live_server(site.app, site.live.connections) as server:
        assert asyncio.run(talk(server.port)) == (4408, "Connection initialisation timeout")


def test_a_connection_without_operations_is_closed_after_a_while(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings do not keep it open; an operation does, and then the while begins anew."""
    monkeypatch.setattr(websocket, "IDLE_SECONDS", 0.4)

    async def talk() -> None:
        async with peer(server.port) as other:
            await other.init()
            await other.subscribe(COUNT)
            for _ in range(6):
                await asyncio.sleep(0.1)
                await other.say({"type": "ping"})
                assert await other.hear() == {"type": "pong"}
            await other.say({"id": "1", "type": "complete"})
            began = asyncio.get_running_loop().time()
            pinging = asyncio.create_task(ping(other))
            assert await other.closed() == (1000, "nothing was asked for")
            assert 0.3 < asyncio.get_running_loop().time() - began < 2
            pinging.cancel()

    async def ping(other: Peer) -> None:
        while True:
            await asyncio.sleep(0.05)
            await other.say({"type": "ping"})

    asyncio.run(talk())


def test_a_connection_has_twenty_operations_at_a_time(server: LiveServer, site: LiveSite) -> None:
    async def talk() -> None:
        async with peer(server.port) as other:
            await other.init()
            for number in range(21):
                await other.subscribe(COUNT, operation=str(number))
            refused = await other.hear()
            assert (refused["id"], refused["type"]) == ("20", "error")
            assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
            await other.say({"id": "0", "type": "complete"})
            await other.subscribe(COUNT, operation="20")
            while site.ticks.following < 20:  # noqa: ASYNC110 - it lives in another thread
                await asyncio.sleep(0.005)
            server.call(site.ticks.tell())
            heard = [await other.hear() for _ in range(20)]
            assert {message["id"] for message in heard} == {str(n) for n in range(1, 21)}

    asyncio.run(talk())


def test_a_refused_operation_leaves_the_others_alone(server: LiveServer, site: LiveSite) -> None:
    async def talk() -> None:
        async with peer(server.port) as other:
            await other.init()
            await other.subscribe(COUNT, operation="good")
            for number, document in enumerate(["{", "subscription {nothing}", "", "{answer"]):
                await other.subscribe(document, operation=f"bad {number}")
                refused = await other.hear()
                assert (refused["id"], refused["type"]) == (f"bad {number}", "error")
                assert refused["payload"][0]["message"]
            server.call(site.ticks.tell())
            assert (await other.hear())["id"] == "good"

    asyncio.run(talk())


def test_queries_and_mutations_are_answered_on_the_same_connection(server: LiveServer) -> None:
    async def talk() -> list[Any]:
        async with peer(server.port) as other:
            await other.init()
            await other.subscribe("{answer}", operation="q")
            await other.subscribe("mutation {double(number: 4)}", operation="m")
            return [await other.hear() for _ in range(4)]

    heard = asyncio.run(talk())
    assert {"id": "q", "type": "next", "payload": {"data": {"answer": 42}}} in heard
    assert {"id": "m", "type": "next", "payload": {"data": {"double": 8}}} in heard
    assert {"id": "q", "type": "complete"} in heard


def test_an_id_can_be_used_again_and_comes_back_as_it_was(server: LiveServer) -> None:
    odd = 'a "quoted" ☔ id\\'

    async def talk() -> None:
        async with peer(server.port) as other:
            await other.init()
            for _ in range(2):
                await other.subscribe("{answer}", operation=odd)
                assert (await other.hear())["id"] == odd
                assert await other.hear() == {"id": odd, "type": "complete"}

    asyncio.run(talk())
