"""What passes ends no subscription for good, and nothing that went wrong is kept for later."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from interfaces.graphql.live import rendering
from tests.interfaces.test_graphql_live_reconnecting import CLIENTS, REPOSITORY, wait_until
from tests.support.live_client import events, peer, told, until
from tests.support.live_server import LiveServer, live_server
from tests.support.live_site import LiveSite

pytest_plugins = ["tests.support.live_fixtures"]

TICKS = "subscription {ticks {number}}"
BROKEN = "subscription ($after: Int!) {ticks(after: $after) {number text}}"
AWAY = psycopg.OperationalError("a secret address")


@contextmanager
def client(transport: str, port: int) -> Iterator[subprocess.Popen[str]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (CLIENTS / "node_modules" / "graphql-ws").is_dir():
        pytest.skip(f"run `npm ci` in {CLIENTS.relative_to(REPOSITORY)} for the reference clients")
    process = subprocess.Popen(
        [node, "retry.mjs", transport, str(port), TICKS],
        cwd=CLIENTS,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("transport", ["ws", "sse"])
def test_reference_clients_come_back_after_an_outage(transport: str) -> None:
    """First nothing can begin; then it begins, fails on its way, and begins again."""
    site = LiveSite(refusal=AWAY)
    with (
        live_server(site.app, site.live.connections) as server,
        capture_logs(),
        client(transport, server.port) as process,
    ):
        assert process.stdout is not None
        wait_until(lambda: site.refused >= 2, "it does not try again")
        site.refusal = None
        server.call(site.ticks.tell())
        assert json.loads(process.stdout.readline()) == {"ticks": {"number": 1}}
        server.call(site.ticks.fail(AWAY))
        site.ticks.error = None
        server.call(site.ticks.tell())
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert lines == [{"ticks": {"number": 1}}, {"ticks": {"number": 2}}]


def test_a_source_that_is_away_is_no_end(server: LiveServer, site: LiveSite) -> None:
    async def talk() -> tuple[tuple[int, str], list[Any]]:
        async with peer(server.port) as other, events(server.port, TICKS) as response:
            await other.init()
            await other.subscribe(TICKS)
            await until(lambda: site.ticks.following == 2)
            server.call(site.ticks.fail(AWAY))
            return await other.closed(), [event async for event in told(response)]

    with capture_logs():
        (code, reason), streamed = asyncio.run(talk())
    assert code == 1013
    assert "secret" not in reason
    assert {name for name, _ in streamed} == {""}  # neither an item nor an end


def test_what_went_wrong_with_an_item_is_not_kept(
    server: LiveServer, site: LiveSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "SHARED_SECONDS", 0.05)
    build, is_slow = site.ticks.build, True

    def slow_at_first(number: int) -> Any:
        if is_slow:
            raise RuntimeError("of a moment")
        return build(number)

    monkeypatch.setattr(site.ticks, "build", slow_at_first)

    async def told_once(after: int) -> Any:
        async with peer(server.port) as other:
            await other.init()
            await other.subscribe(BROKEN, after=after)
            return (await other.hear())["payload"]

    server.call(site.ticks.tell())
    with capture_logs():
        assert asyncio.run(told_once(0))["errors"]
        is_slow = False
        wait_until(lambda: not site.live.renderer._underway, "it is still shared")
        for _ in range(3):
            assert asyncio.run(told_once(0)) == {"data": {"ticks": {"number": 1, "text": ""}}}
    assert site.ticks.built == 1
