"""A thousand subscribers of one process, each of whom gets every event."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psutil
import uvloop

from benchmarks.database import fresh_database
from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.settings import Settings
from interfaces.cli.serving import run_server
from tests.support.archive import Ledger, open_ledger

SUBSCRIBERS = 1_000
PER_SECOND = 5  # events
SECONDS = 40
WARM_UP_SECONDS = 2
AT_ONCE = 50  # connections being opened
GOAL_MS = 1_000.0
WORKSPACE = "Tests"
QUERY = """
subscription Follow($after: BigInt) {
  eventFeed(workspace: "Tests", after: $after) {
    __typename
    ... on Event {id position recordedAt topic actorId subjectId correlationId facts}
    ... on FeedGap {after upTo}
  }
}
"""
POSITION = re.compile(rb'"position":(\d+)')
PING, PONG = 9, 10
HANDSHAKE = b"""GET /graphql HTTP/1.1\r
Host: 127.0.0.1\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
Sec-WebSocket-Protocol: graphql-transport-ws\r
\r
"""


def measure() -> dict[str, Any]:
    with fresh_database() as (url, folder), open_ledger(url) as ledger:
        ledger.record(Workspace.create(WORKSPACE))
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        port = free_port()
        with process("serve", str(port), environment=environment) as server:
            wait_for_line(server)
            head = ledger.head()
            ledger.record(received(ledger))
            with process("subscribe", str(port), str(head)) as subscribers:
                wait_for_line(subscribers)
                time.sleep(WARM_UP_SECONDS)
                watched = psutil.Process(server.pid)
                before, began_at = cpu_seconds(watched), time.monotonic()
                recorded = record(ledger)
                seconds = time.monotonic() - began_at
                spent = cpu_seconds(watched) - before
                memory = watched.memory_info().rss
                time.sleep(WARM_UP_SECONDS)
                output, _ = subscribers.communicate("stop\n", timeout=60)
    result = delivery(json.loads(output.splitlines()[-1]), recorded)
    result |= {
        "server_cpu_share": spent / seconds,
        "server_us_per_delivery": spent / result["deliveries"] * 1e6,
        "server_memory_mib": memory / 2**20,
        "load_average": os.getloadavg()[0],
    }
    check(result)
    goal = f"p99 at most {GOAL_MS:.0f} ms, none missed and none twice"
    return result | {"goal": goal}


def cpu_seconds(watched: psutil.Process) -> float:
    times = watched.cpu_times()
    return float(times.user + times.system)


def check(result: dict[str, Any]) -> None:
    if result["missed"] or result["twice"]:
        raise AssertionError(f"something was missed or came twice: {result}")
    if result["p99_ms"] > GOAL_MS:
        raise AssertionError(f"a delivery in a hundred took longer than a second: {result}")


def record(ledger: Ledger) -> dict[int, float]:
    """Positions, each with the time when its event was about to be recorded."""
    recorded = {}
    due = time.monotonic()
    for _ in range(PER_SECOND * SECONDS):
        upload = received(ledger)
        at = time.time()
        recorded[ledger.record(upload)] = at
        due += 1 / PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
    return recorded


def received(ledger: Ledger) -> Upload:
    return Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=1_000_000,
        sha256=uuid4().hex * 2,
        filename="chat.zip",
        options={},
    )


def delivery(told: list[list[tuple[int, float]]], recorded: dict[int, float]) -> dict[str, Any]:
    """Args: told: of each subscriber, position and time of what reached it."""
    expected = set(recorded)
    missed = twice = 0
    delays: list[float] = []
    for items in told:
        positions = [position for position, _ in items]
        missed += len(expected - set(positions))
        twice += len(positions) - len(set(positions))
        delays += [
            (at - recorded[position]) * 1000 for position, at in items if position in recorded
        ]
    cuts = statistics.quantiles(delays, n=100)
    return {
        "subscribers": len(told),
        "events": len(recorded),
        "deliveries": len(delays),
        "missed": missed,
        "twice": twice,
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
        "max_ms": max(delays),
    }


@contextmanager
def process(
    *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=None if environment is None else {**environment, "PATH": "/usr/bin:/bin"},
        text=True,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


def wait_for_line(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    if not started.stdout.readline():
        raise RuntimeError("a process of the measurement has ended early")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(port: str) -> None:

    settings = Settings.from_env({**os.environ, "CHATLEDGER_PORT": port})
    with open_container(settings) as container:
        container.runner.ensure_all()
        while container.runner.advance("workspaces"):
            pass
        container.start_background()
        run_server(container, on_ready=lambda: print("serving", flush=True))


class Subscriber(asyncio.Protocol):
    """
    A WebSocket that costs the measured machine as little as can be: it looks for the position of
    each event, and answers pings.
    """

    def __init__(self, query: bytes) -> None:
        self.received: list[tuple[int, float]] = []
        self.is_closed = False
        self._frames = [text(b'{"type":"connection_init"}'), text(query)]
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._buffer += data
        if self._frames:  # the handshake's answer; the server says nothing before we do
            if b"\r\n\r\n" not in self._buffer:
                return
            self._buffer = b""
            self._transport.writelines(self._frames)
            self._frames = []
        while (end := self._end_of_frame()) is not None:
            self._see(self._buffer[:end], now)
            self._buffer = self._buffer[end:]

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self.is_closed = True

    def _end_of_frame(self) -> int | None:
        if len(self._buffer) < 4:
            return None
        length = self._buffer[1]
        end = 2 + length if length < 126 else 4 + int.from_bytes(self._buffer[2:4])
        return end if len(self._buffer) >= end else None

    def _see(self, frame: bytes, now: float) -> None:
        if frame[0] & 0x0F == PING:
            head = bytes([0x80 | PONG, 0x80 | len(frame) - 2])
            self._transport.write(head + bytes(4) + frame[2:])
        elif (found := POSITION.search(frame)) is not None:
            self.received.append((int(found[1]), now))


def text(message: bytes) -> bytes:
    """A frame, masked with zeros."""
    return b"\x81" + bytes([0x80 | 126]) + len(message).to_bytes(2) + bytes(4) + message


async def subscribe(port: str, after: str) -> None:
    limit = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    payload = {"query": QUERY, "variables": {"after": int(after)}}
    query = json.dumps({"id": str(uuid4()), "type": "subscribe", "payload": payload}).encode()

    async def begin() -> Subscriber:
        async with limit:
            _, subscriber = await loop.create_connection(
                lambda: Subscriber(query), "127.0.0.1", int(port)
            )
            await asyncio.sleep(0.05)
            return subscriber

    subscribers = await asyncio.gather(*(begin() for _ in range(SUBSCRIBERS)))
    while not all(subscriber.received for subscriber in subscribers):  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # each is told of the event that was recorded before
    print("subscribed", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if any(subscriber.is_closed for subscriber in subscribers):
        print("some connections were closed", file=sys.stderr)
    print(json.dumps([subscriber.received for subscriber in subscribers]), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", port]:
            serve(port)
        case ["subscribe", port, after]:
            uvloop.run(subscribe(port, after))
        case _:
            print(json.dumps(measure(), indent=2))
