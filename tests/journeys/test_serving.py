"""A serving process is told to stop, or dies: what becomes of all that was going on."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from infrastructure.postgres.migrations import migrate
from tests.support import command
from tests.support.command import Running, run, server_url, start, still_running
from tests.support.eventually import eventually
from tests.support.outage import FEED, PROTOCOL, SEARCH, StoppableServer, stoppable_server

WITHIN_SECONDS = 10.0
CSV = b"author,timestamp,text\nAda,2026-01-02,boat %d needs ropes\n"
UPLOADS = "/api/uploads?workspace=stop&filename=%s.csv"
OUTCOMES = "SELECT filename, stage, error FROM read.upload ORDER BY filename"
DOING = """
SELECT EXISTS (SELECT FROM jobs.procrastinate_jobs
               WHERE task_name = 'uploads:embed' AND status = 'doing')
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with command.home() as folder:
        yield folder


@pytest.fixture
def server() -> Iterator[StoppableServer]:
    with stoppable_server() as stoppable:
        migrate(stoppable.url)
        yield stoppable


def tell(what: str) -> None:
    """For `pytest -rP`."""
    print(what)  # noqa: T201


@contextmanager
def subscribed(port: int) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{port}/graphql"
    with connect(url, subprotocols=[PROTOCOL], open_timeout=20, close_timeout=1) as client:
        client.send(json.dumps({"type": "connection_init"}))
        assert json.loads(client.recv(10))["type"] == "connection_ack"
        payload = {"query": FEED, "variables": {"workspace": "stop", "after": 0}}
        client.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield client


def close_code(client: ClientConnection) -> int | None:
    try:
        while True:
            client.recv(5)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


class SlowUpload:
    """Sends its body in pieces, for as long as it is told to, and keeps what it is answered."""

    def __init__(self, port: int, name: str, *, pieces: int, pause_seconds: float) -> None:
        self.pieces_sent = 0
        self.answer: tuple[int, Any] | None = None
        self._port, self._name = port, name
        self._pieces, self._pause_seconds = pieces, pause_seconds
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> tuple[int, Any] | None:
        self._thread.join(20)
        return self.answer

    def _run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=20) as client:
            head = f"POST {UPLOADS % self._name} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            sender = threading.Thread(target=self._send, args=(client,), daemon=True)
            sender.start()
            said = b""
            try:
                while chunk := client.recv(65536):
                    said += chunk
                    if said.endswith(b"}"):
                        break
            except OSError:
                pass  # cut off without a word, which the test sees
        head_, _, body = said.partition(b"\r\n\r\n")
        if body:
            self.answer = int(head_.split()[1]), json.loads(body)

    def _send(self, client: socket.socket) -> None:
        try:
            for number in range(self._pieces):
                piece = CSV % 0 if number == 0 else CSV.splitlines(keepends=True)[1] % number
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.pieces_sent += 1
                time.sleep(self._pause_seconds)
            client.sendall(b"0\r\n\r\n")
        except OSError:
            return


def export(texts: int) -> bytes:
    lines = [
        json.dumps(
            {
                "id": str(number),
                "conversation": "harbour",
                "author": f"person {number % 9}",
                "timestamp": 1_700_000_000 + number,
                "text": f"Boat {number} needs {number % 7} new ropes before the storm arrives.",
            }
        )
        for number in range(texts)
    ]
    return "\n".join(lines).encode()


def test_all_that_goes_on_comes_to_an_end_within_ten_seconds(
    server: StoppableServer, home: Path
) -> None:
    """Requests end, uploads end or are told why not, subscriptions and jobs go on elsewhere."""
    with (
        ExitStack() as stack,
        start(home / "data", "serve", DATABASE_URL=server.url) as running,
    ):
        eventually(running.is_ready, 60)
        body = export(1200)
        running.upload(body, "export.jsonl", "stop")
        eventually(lambda: is_embedding(server.url), 60)
        clients = [stack.enter_context(subscribed(running.port)) for _ in range(100)]
        short = SlowUpload(running.port, "short", pieces=15, pause_seconds=0.1)
        endless = SlowUpload(running.port, "endless", pieces=10_000, pause_seconds=0.05)
        eventually(lambda: short.pieces_sent > 5 and endless.pieces_sent > 5, 20)

        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        codes = {close_code(client) for client in clients}
        told = time.monotonic() - began
        running.process.wait(20)
        took = time.monotonic() - began
        tell(f"subscribers told after {told:.1f} s, the process ended after {took:.1f} s")
        assert running.process.returncode == 0, running.text[-3000:]
        assert took < WITHIN_SECONDS
        assert codes == {1012}
        assert told < 4
        status, _ = short.join() or (0, None)
        assert status == 201
        status, problem = endless.join() or (0, {})
        assert (status, problem.get("code")) == (503, "unavailable")
        assert "Traceback" not in running.text

    with start(home / "data", "serve", DATABASE_URL=server.url) as again:
        eventually(again.is_ready, 60)
        with psycopg.connect(server.url, autocommit=True) as connection:

            def stages() -> dict[str, str]:
                return {name: stage for name, stage, _ in connection.execute(OUTCOMES)}

            def are_found() -> bool:
                return {stages()[name] for name in ("short.csv", "export.jsonl")} == {"searchable"}

            eventually(are_found, 150, interval_seconds=0.5)
            assert stages().get("endless.csv") not in ("searchable", "read")


def is_embedding(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(DOING).fetchone()
    return row is not None and bool(row[0])


@pytest.mark.parametrize("how", ["away", "hanging"])
def test_a_database_that_is_away_does_not_hold_up_the_end(
    server: StoppableServer, home: Path, how: str
) -> None:
    with ExitStack() as stack, start(home / "data", "serve", DATABASE_URL=server.url) as running:
        eventually(running.is_ready, 60)
        running.upload(CSV % 1, "chat.csv", "stop")
        clients = [stack.enter_context(subscribed(running.port)) for _ in range(10)]
        endless = SlowUpload(running.port, "endless", pieces=10_000, pause_seconds=0.05)
        eventually(lambda: endless.pieces_sent > 5, 20)
        if how == "away":
            server.stop("fast")
        else:
            stack.enter_context(server.hanging())
        time.sleep(0.5)
        took = running.end(signal.SIGTERM, timeout_seconds=20)
        tell(f"{how}: ended after {took:.1f} s")
        assert took < WITHIN_SECONDS
        # What hangs in the driver is left behind; the status says so, as the shell's would.
        expected = {0, 128 + signal.SIGTERM} if how == "hanging" else {0}
        assert running.process.returncode in expected, running.text[-3000:]
        assert {close_code(client) for client in clients} == {1012}
        assert (endless.join() or (0,))[0] == 503


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_signal_ends_at_once(server: StoppableServer, home: Path, processes: str) -> None:
    arguments = ("serve", "--processes", processes)
    with start(home / "data", *arguments, DATABASE_URL=server.url) as running:
        eventually(running.is_ready, 60)
        endless = SlowUpload(running.port, "endless", pieces=10_000, pause_seconds=0.05)
        eventually(lambda: endless.pieces_sent > 5, 20)
        tree = running.tree()
        running.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert running.process.poll() is None  # it waits for the upload
        took = running.end(signal.SIGTERM, timeout_seconds=5)
        assert took < 1
        assert running.process.returncode == 128 + signal.SIGTERM
        eventually(lambda: not still_running(tree), 15)


def children(running: Running) -> list[psutil.Process]:
    return [one for one in psutil.Process(running.process.pid).children() if is_ours(one)]


def is_ours(process: psutil.Process) -> bool:
    try:
        return "--life-fd" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


def test_several_processes_share_the_port_and_outlive_each_other(home: Path) -> None:
    """On the embedded server. Each child is killed, and so is the database; then all stop."""
    with start(home / "data", "serve", "--processes", "2") as running:
        eventually(lambda: "by 2 processes" in running.text, 60)
        first = children(running)
        assert len(first) == 3  # two that answer, and the worker
        running.upload(CSV % 1, "chat.csv", "many")
        eventually(lambda: found(running), 60, interval_seconds=0.5)

        for child in first:
            child.kill()
        eventually(lambda: len(set(children(running)) - set(first)) == 3, 20)
        eventually(running.is_ready, 30)
        for postgres in command.servers_in(home):
            with suppress(psutil.NoSuchProcess):  # some follow the first one by themselves
                postgres.kill()
        eventually(lambda: found(running), 60, interval_seconds=0.5)
        running.upload(CSV % 2, "other.csv", "many")

        tree = running.tree()
        took = running.end(signal.SIGTERM, timeout_seconds=20)
        tell(f"ended after {took:.1f} s")
        assert took < WITHIN_SECONDS
        assert running.process.returncode == 0, running.text[-3000:]
        assert still_running(tree) == []
        assert command.servers_in(home) == []
        assert "Traceback" not in running.text


def found(running: Running) -> bool:
    url = f"http://127.0.0.1:{running.port}/graphql"
    asked = {"query": SEARCH, "variables": {"w": "many"}}
    try:
        answer = httpx.post(url, json=asked, timeout=30).json()
    except httpx.HTTPError:
        return False
    return bool(((answer.get("data") or {}).get("search") or {}).get("hits"))


def test_a_killed_parent_takes_its_children_along(server: StoppableServer, home: Path) -> None:
    arguments = ("serve", "--processes", "2")
    with start(home / "data", *arguments, DATABASE_URL=server.url) as running:
        eventually(lambda: "by 2 processes" in running.text, 60)
        family = children(running)
        running.process.kill()
        running.process.wait()
        eventually(lambda: not still_running(family), WITHIN_SECONDS)


@pytest.mark.long
def test_a_process_that_cannot_start_ends_all_with_a_reason(
    server: StoppableServer, home: Path
) -> None:
    """A child's settings are wrong, or its machine is: it is not tried for ever."""
    arguments = ("serve", "--processes", "2")
    with start(home / "data", *arguments, DATABASE_URL=server.url) as running:
        eventually(lambda: "by 2 processes" in running.text, 60)
        for key in (home / "data" / "keys").iterdir():
            key.write_bytes(b"spoilt")
        children(running)[0].kill()
        running.process.wait(90)
        assert running.process.returncode == 1
        assert "ended 5 times before it was ready" in running.text


def test_a_process_that_ends_during_an_outage_takes_nobody_along(
    server: StoppableServer, home: Path
) -> None:
    """It is started as often as it takes, once there is a database to start with."""
    arguments = ("serve", "--processes", "2")
    with start(home / "data", *arguments, DATABASE_URL=server.url) as running:
        eventually(lambda: "by 2 processes" in running.text, 60)
        lost, *others = children(running)
        server.stop("fast")
        lost.kill()
        eventually(lambda: "does not answer. As soon as" in running.text, 20)
        time.sleep(3)
        assert running.process.poll() is None, running.text
        assert all(other.is_running() for other in others)
        # One start is tried before it is known, not five.
        assert running.text.count("does not answer. As soon as") <= 2, running.text

        server.start()
        eventually(server.answers, 30)
        eventually(lambda: len(children(running)) == 3, 15)
        eventually(running.is_ready, 20)
        assert set(others) < set(children(running))
        assert running.end(signal.SIGTERM, timeout_seconds=20) < WITHIN_SECONDS
        assert running.process.returncode == 0, running.text[-3000:]


def test_a_port_that_is_taken_is_said(server: StoppableServer, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments in (["serve"], ["serve", "--processes", "2"]):
            done = run(home / "data", *arguments, DATABASE_URL=server.url, CHATLEDGER_PORT=port)
            assert done.returncode == 1
            assert f"cannot serve on http://127.0.0.1:{port}" in done.stderr
            assert "CHATLEDGER_PORT" in done.stderr


def test_the_embedded_server_is_started_again_while_it_is_served_from(home: Path) -> None:
    with start(home / "data", "serve") as running:
        eventually(running.is_ready, 60)
        running.upload(CSV % 1, "chat.csv", "many")
        eventually(lambda: found(running), 60, interval_seconds=0.5)
        address = server_url(home / "data")
        for postgres in command.servers_in(home):
            with suppress(psutil.NoSuchProcess):
                postgres.kill()
        began = time.monotonic()
        eventually(lambda: found(running), 30)
        tell(f"found again after {time.monotonic() - began:.1f} s")
        assert server_url(home / "data") == address
        running.end(signal.SIGTERM, timeout_seconds=15)
        assert running.process.returncode == 0
    assert command.servers_in(home) == []
