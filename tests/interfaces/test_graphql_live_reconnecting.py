"""The reference clients, whose connections and servers come and go while events are recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import psycopg
import pytest

from domain.upload import Upload
from domain.workspace import Workspace
from interfaces.http.app import make_app
from tests.support.archive import Ledger
from tests.support.archive_fixture import open_test_container
from tests.support.live_server import LiveServer

CLIENTS = Path(__file__).parent / "graphql_clients"
REPOSITORY = Path(__file__).parents[2]
RECONNECTS = 100
RESTARTS = 10
QUERY = """
subscription Follow($after: BigInt!) {
  eventFeed(workspace: "Tests", after: $after) {
    ... on Event {position topic}
    ... on FeedGap {upTo}
  }
}
"""


class Client:
    """A reference client in a process of its own."""

    def __init__(self, node: str, transport: str, port: int, after: int) -> None:
        self.positions: list[int] = []
        self.trail: list[Any] = []  # all that it said, in order
        self.connections = 0
        self.closes: list[tuple[int, str]] = []
        self.others: list[Any] = []
        self._process = subprocess.Popen(
            [node, "follow.mjs", transport, str(port), str(after), QUERY],
            cwd=CLIENTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fact = json.loads(line)
            self.trail.append(fact)
            if "position" in fact:
                self.positions.append(fact["position"])
            elif "connected" in fact:
                self.connections += 1
            elif "closed" in fact:
                self.closes.append((fact["closed"], fact["reason"]))
            else:
                self.others.append(fact)

    def break_off(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._reader.join()


class Site:
    """Serves the archive on one port, by one server after the other."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._stack = ExitStack()
        self.server = self._begin(0)

    def _begin(self, port: int) -> LiveServer:
        container = self._stack.enter_context(open_test_container(self._url, self._folder))
        self._notifications = container.notifications
        container.runner.ensure_all()
        while container.runner.advance("workspaces"):
            pass
        container.start_background()
        app = make_app(container)
        server = LiveServer(app, app.state.live, port)
        self._stack.callback(server.stop)
        return server

    def restart(self) -> None:
        self.stop()
        self.server = self._begin(self.server.port)

    def stop(self) -> None:
        self._stack.close()

    def kill_listener(self) -> None:
        """The connection on which the process is notified."""
        wait_until(lambda: self._notifications.is_connected, "nothing is heard")
        with psycopg.connect(self._url, autocommit=True) as connection:
            pid = self._notifications.backend_pid
            [(is_killed,)] = connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            assert is_killed


@contextmanager
def recording(ledger: Ledger) -> Iterator[None]:
    """Events all the while, some of them in groups."""
    is_over = threading.Event()

    def record() -> None:
        while not is_over.wait(0.02):
            ledger.record(*(received(ledger) for _ in range(1 + time.monotonic_ns() % 3)))

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def received(ledger: Ledger) -> Upload:
    return Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=1,
        sha256=uuid4().hex * 2,
        filename="chat.zip",
        options={},
    )


def wait_until(condition: Callable[[], bool], what: str, timeout_seconds: float = 20) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def again(clients: Sequence[Client], before: Sequence[int]) -> Callable[[], bool]:
    """Whether each has connected since it had done so this often."""
    return lambda: all(
        client.connections > count for client, count in zip(clients, before, strict=True)
    )


def recorded_after(ledger: Ledger, position: int) -> list[int]:
    with ledger.pool.connection() as connection:
        rows = connection.execute(
            "SELECT notification_id FROM log.archive_events "
            "WHERE notification_id > %s AND workspace_id = %s ORDER BY notification_id",
            (position, ledger.workspace_id),
        ).fetchall()
    return [position for (position,) in rows]


def test_reference_clients_get_everything_once_however_often_they_are_interrupted(
    database_url: str, ledger: Ledger, tmp_path: Path
) -> None:
    """
    100 times their connection breaks off, at either end, or the server's listening connection is
    killed, too; then the server is stopped and begun again 10 times.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (CLIENTS / "node_modules" / "graphql-ws").is_dir():
        pytest.skip(f"run `npm ci` in {CLIENTS.relative_to(REPOSITORY)} for the reference clients")
    begin = ledger.record(Workspace.create("Tests"))
    site = Site(database_url, tmp_path)
    with (
        recording(ledger),
        Client(node, "ws", site.server.port, begin) as first,
        Client(node, "sse", site.server.port, begin) as second,
    ):
        clients = (first, second)
        wait_until(lambda: all(client.positions for client in clients), "nothing arrived")
        for number in range(RECONNECTS):
            before = [client.connections for client in clients]
            if number % 10 == 9:
                site.kill_listener()
            if number % 2:
                site.server.cut()
            else:
                for client in clients:
                    client.break_off()
            wait_until(again(clients, before), f"no connection after interruption {number}")
        for number in range(RESTARTS):
            before = [client.connections for client in clients]
            site.restart()
            wait_until(again(clients, before), f"no connection after restart {number}")
        last = ledger.record(received(ledger))
        wait_until(
            lambda: all(client.positions[-1] >= last for client in clients), "the last is missing"
        )
    expected = recorded_after(ledger, begin)
    site.stop()
    for client in clients:
        reached = client.positions[-1]
        assert not [fact for fact in client.others if "errors" in fact]
        wanted = [position for position in expected if position <= reached]
        assert client.positions == wanted, client.trail[-30:]
        assert client.connections > RECONNECTS + RESTARTS
    assert (1012, "the server restarts") in first.closes
