"""How what happens reaches those who follow: once built, in order, and with all that went wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from interfaces.graphql.live import operation, rendering, sse
from tests.support.live_client import events, peer, told, until
from tests.support.live_server import LiveServer, live_server
from tests.support.live_site import LiveSite

pytest_plugins = ["tests.support.live_fixtures"]

TICKS = "subscription($after: Int! = 0, $upTo: Int) {ticks(after: $after, upTo: $upTo) {number}}"
WITH_SQUARES = """
subscription Wanted($from: Int! = 0, $squared: Boolean!) {
  ticks(after: $from) {...Parts}
}
fragment Parts on Tick {number square @include(if: $squared)}
"""


async def follow(port: int, query: str, count: int, **variables: Any) -> list[Any]:
    """The first payloads of a subscription on a WebSocket of its own."""
    async with peer(port) as other:
        await other.init()
        await other.subscribe(query, **variables)
        heard = [await other.hear() for _ in range(count)]
        assert all(message["type"] == "next" for message in heard)
        return [message["payload"] for message in heard]


async def stream(port: int, query: str, count: int, **variables: Any) -> list[Any]:
    payloads: list[Any] = []
    async with events(port, query, **variables) as response:
        async for name, data in told(response):
            if name == "next":
                payloads.append(data)
            if len(payloads) == count:
                break
    return payloads


def numbers(payloads: list[Any]) -> list[int]:
    return [payload["data"]["ticks"]["number"] for payload in payloads]


def test_a_payload_is_built_once_however_many_follow_and_however(
    server: LiveServer, site: LiveSite
) -> None:
    """Also for those who begin elsewhere, write the document otherwise, or read a stream."""
    spaced = TICKS.replace("{number}", " {\n number\n }").replace("$after: Int! = 0, ", "")
    spaced = spaced.replace("after: $after", "after: 2")

    async def talk() -> None:
        following = [
            *(follow(server.port, TICKS, 5) for _ in range(5)),
            *(follow(server.port, TICKS, 3, after=2) for _ in range(5)),
            *(follow(server.port, spaced, 3) for _ in range(5)),
        ]
        streaming = [stream(server.port, TICKS, 5) for _ in range(5)]
        told_all = asyncio.gather(*following, *streaming)
        await until(lambda: site.ticks.following == 20)
        for _ in range(5):
            server.call(site.ticks.tell())
        assert [numbers(payloads) for payloads in await told_all] == (
            [[1, 2, 3, 4, 5]] * 5 + [[3, 4, 5]] * 10 + [[1, 2, 3, 4, 5]] * 5
        )

    asyncio.run(talk())
    assert site.ticks.built == 5


def test_whoever_selects_something_else_gets_something_else(
    server: LiveServer, site: LiveSite
) -> None:
    async def talk() -> list[Any]:
        following = [
            follow(server.port, TICKS, 1),
            follow(server.port, TICKS.replace("ticks(", "renamed: ticks("), 1),
            follow(server.port, WITH_SQUARES, 1, squared=True),
            follow(server.port, WITH_SQUARES, 1, squared=False),
            follow(server.port, WITH_SQUARES, 1, squared=True, **{"from": 0}),
        ]
        heard = asyncio.gather(*following)
        await until(lambda: site.ticks.following == 5)
        server.call(site.ticks.tell())
        return [payloads[0]["data"] for payloads in await heard]

    assert asyncio.run(talk()) == [
        {"ticks": {"number": 1}},
        {"renamed": {"number": 1}},
        {"ticks": {"number": 1, "square": 1}},
        {"ticks": {"number": 1}},
        {"ticks": {"number": 1, "square": 1}},
    ]
    assert site.ticks.built == 4


def test_what_is_kept_of_an_item_is_bounded(
    server: LiveServer, site: LiveSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes with ever other documents has each built for himself, and no more."""
    monkeypatch.setattr(rendering, "MAX_KEPT", 3)
    server.call(site.ticks.tell())

    async def talk() -> None:
        for number in range(6):
            [payload] = await follow(server.port, TICKS.replace("{n", f"{{a{number}: n"), 1)
            assert payload["data"]["ticks"] == {f"a{number}": 1}

    asyncio.run(talk())
    assert len(site.ticks.items[0].rendered) == 3
    assert site.ticks.built == 6


def test_what_breaks_in_one_item_is_said_once_and_keeps_no_other_away(
    server: LiveServer, site: LiveSite
) -> None:
    broken = TICKS.replace("{number}", "{number broken}")

    async def talk() -> list[Any]:
        heard = asyncio.gather(*(follow(server.port, broken, 2) for _ in range(3)))
        await until(lambda: site.ticks.following == 3)
        server.call(site.ticks.tell(2))
        return await heard

    with capture_logs() as logs:
        everything = asyncio.run(talk())
    assert len(logs) == 2  # one an item, not one a subscriber
    for payloads in everything:
        for payload, entry in zip(payloads, logs, strict=True):
            [error] = payload["errors"]
            assert error["extensions"] == {"code": "INTERNAL", "reference": entry["reference"]}
            assert error["path"] == ["ticks", "broken"]
    assert "secret" not in json.dumps(everything)


def test_an_item_waits_for_a_database_that_is_away(
    server: LiveServer, site: LiveSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told later, not told as an error and lost."""
    monkeypatch.setattr(rendering, "AWAY_SECONDS", 0.02)
    is_away = True
    build = site.ticks.build

    def fail_once(number: int) -> Any:
        if is_away:
            raise psycopg.OperationalError("the server has gone")
        return build(number)

    monkeypatch.setattr(site.ticks, "build", fail_once)

    async def talk() -> list[Any]:
        nonlocal is_away
        heard = asyncio.create_task(follow(server.port, TICKS, 1))
        await until(lambda: site.ticks.following == 1)
        server.call(site.ticks.tell())
        await asyncio.sleep(0.2)
        assert not heard.done()
        is_away = False
        return await heard

    with capture_logs():
        assert numbers(asyncio.run(talk())) == [1]


def test_a_subscription_that_cannot_begin_lets_clients_try_again() -> None:
    site = LiveSite(refusal=psycopg.OperationalError("a secret address"))

    async def talk(port: int) -> tuple[Any, Any]:
        async with peer(port) as other, events(port, TICKS) as response:
            await other.init()
            await other.subscribe(TICKS)
            assert response.status_code == 503
            assert response.headers["retry-after"]
            return await other.closed(), json.loads(await response.aread())

    with live_server(site.app, site.live.connections) as server, capture_logs() as logs:
        (code, reason), body = asyncio.run(talk(server.port))
    assert code == 1013
    assert "out of reach" in reason
    [error] = body["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert "secret" not in json.dumps([reason, body, logs], default=str)


def test_a_source_that_fails_ends_its_subscription_with_a_reason(
    server: LiveServer, site: LiveSite
) -> None:
    async def talk() -> tuple[Any, Any, list[Any]]:
        async with peer(server.port) as other, events(server.port, TICKS) as response:
            await other.init()
            await other.subscribe(TICKS)
            await until(lambda: site.ticks.following == 2)
            server.call(site.ticks.fail(RuntimeError("a secret detail")))
            heard = await other.hear()
            await other.subscribe("{answer}", operation="2")
            return heard, await other.hear(), [event async for event in told(response)]

    with capture_logs():
        failed, other, streamed = asyncio.run(talk())
    assert (failed["id"], failed["type"]) == ("1", "error")
    assert failed["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert (other["id"], other["type"]) == ("2", "next")
    assert streamed[-1] == ("complete", None)
    assert streamed[-2][1]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps([failed, streamed])


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_stream_has_items_and_an_end(server: LiveServer, site: LiveSite, method: str) -> None:
    server.call(site.ticks.tell(3))

    async def talk() -> list[Any]:
        async with events(server.port, TICKS, method=method, after=1, upTo=3) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert "no-store" in response.headers["cache-control"]
            return [event async for event in told(response)]

    assert asyncio.run(talk()) == [
        ("", None),
        ("next", {"data": {"ticks": {"number": 2}}}),
        ("next", {"data": {"ticks": {"number": 3}}}),
        ("complete", None),
    ]


def test_a_stream_says_what_is_wrong_with_a_document(server: LiveServer) -> None:
    """As an event: from a status alone a page in a browser learns nothing, and tries again."""

    async def talk(query: str, method: str) -> list[Any]:
        async with events(server.port, query, method=method) as response:
            assert response.status_code == 200
            return [event async for event in told(response)][1:]

    for query, method in (
        ("subscription {nothing}", "POST"),
        ("{", "POST"),
        ("mutation {double(number: 1)}", "GET"),
    ):
        [(name, payload), end] = asyncio.run(talk(query, method))
        assert (name, end) == ("next", ("complete", None))
        assert payload["errors"][0]["message"]
        assert "data" not in payload


def test_a_stream_answers_queries_and_mutations(server: LiveServer) -> None:
    async def talk(query: str) -> list[Any]:
        async with events(server.port, query) as response:
            return [event async for event in told(response)][1:]

    assert asyncio.run(talk("mutation {double(number: 4)}")) == [
        ("next", {"data": {"double": 8}}),
        ("complete", None),
    ]


def test_a_silent_stream_beats(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whatever stands between sees that it is alive."""
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.05)

    async def talk() -> None:
        async with events(server.port, TICKS) as response, asyncio.timeout(5):
            beats = 0
            async for event in told(response):
                assert event == ("", None)
                beats += 1
                if beats == 4:
                    return

    asyncio.run(talk())


def test_those_who_come_back_at_once_are_served_in_turns(
    server: LiveServer, site: LiveSite
) -> None:
    """As after a restart: so many that together they would occupy the database."""
    connections, each = 10, 20

    async def come_back() -> None:
        async with peer(server.port) as other:
            await other.init()
            for number in range(each):
                await other.subscribe(TICKS, operation=str(number))
            heard = [await other.hear() for _ in range(each)]
            assert {message["id"] for message in heard} == {str(n) for n in range(each)}
            assert {message["type"] for message in heard} == {"next"}

    async def talk() -> None:
        server.call(site.ticks.tell())
        await asyncio.gather(*(come_back() for _ in range(connections)))

    asyncio.run(talk())
    assert site.most_beginning == operation.MAX_BEGINNING


def test_two_hundred_followers_hear_everything_in_order(server: LiveServer, site: LiveSite) -> None:
    async def talk() -> None:
        heard = asyncio.gather(*(follow(server.port, TICKS, 50) for _ in range(200)))
        await until(lambda: site.ticks.following == 200, timeout_seconds=20)
        for _ in range(50):
            server.call(site.ticks.tell())
        assert all(numbers(payloads) == list(range(1, 51)) for payloads in await heard)

    asyncio.run(talk())
    assert site.ticks.built == 50
