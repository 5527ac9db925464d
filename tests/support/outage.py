"""A PostgreSQL that is stopped and started as operators do it, and people who go on meanwhile."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
import psutil
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.embedded_places import FALLBACK_ROOT, find_programs
from tests.support.crashable import CrashableServer

PROTOCOL = Subprotocol("graphql-transport-ws")
FEED = """
subscription ($workspace: String!, $after: BigInt) {
  eventFeed(workspace: $workspace, after: $after) {
    ... on Event { position }
    ... on FeedGap { after upTo }
  }
}
"""
SEARCH = """
query ($w: String!) {
  search(workspace: $w, query: "ropes") { ... on SearchResult { hits { score } engine } }
}
"""
CREATE = """
mutation ($name: String!, $commandId: ID!) {
  createWorkspace(input: {name: $name, commandId: $commandId}) {
    ... on CreateWorkspaceSuccess { position }
  }
}
"""


class StoppableServer(CrashableServer):
    def __init__(self, url: str, pid: int, cluster: Path) -> None:
        super().__init__(url, pid, cluster)
        self._cluster = cluster
        programs = find_programs(self._account, FALLBACK_ROOT, print)
        self._pg_ctl = programs / "pg_ctl"

    def stop(self, mode: str) -> None:
        done = self._account.run(self._pg_ctl, "stop", "-D", self._cluster, "-m", mode, "-w")
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Every process of it stands still: nothing is refused, and nothing is answered."""
        stopped = [self._process, *self._process.children(recursive=True)]
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(stopped):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)


@contextmanager
def stoppable_server() -> Iterator[StoppableServer]:
    folder = Path(mkdtemp(prefix="chatledger-outage-")).resolve()
    folder.chmod(0o711)  # as root the server is another user
    embedded = EmbeddedPostgres(folder / "postgres")
    try:
        url = embedded.start()
        assert embedded.pid is not None
        server = StoppableServer(url, embedded.pid, embedded.folder / "cluster")
        try:
            yield server
        finally:
            server.kill()
            embedded.stop()  # it is gone already: clears away its socket
    finally:
        rmtree(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    kind: str
    began: float  # of `time.monotonic`
    seconds: float
    status: int  # 0: none
    code: str  # "" if all is well, else what the answer gives as a reason
    engine: str | None = None  # of a search: what compared vectors

    @property
    def is_good(self) -> bool:
        return self.status in (200, 201) and not self.code


@dataclass
class People:
    """Threads that ask, search and upload without end, and one that follows the events."""

    port: int
    workspace: str = "outage"
    answers: list[Answer] = field(default_factory=list)
    recorded: set[int] = field(default_factory=set)  # positions of uploads that were acknowledged
    created: dict[str, int] = field(default_factory=dict)  # names acknowledged, and the positions
    followed: list[int] = field(default_factory=list)  # positions, in the order they came
    strange: list[str] = field(default_factory=list)
    heard_at: float = 0.0  # when the follower was last told of an event
    _stopping: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        actions: list[Callable[[httpx.Client], Answer]] = [
            *[self.query] * 4, *[self.upload] * 2, *[self.search] * 2,
            self.mutate,
        ]  # fmt: skip
        threads = [threading.Thread(target=self._repeat, args=(action,)) for action in actions]
        threads.append(threading.Thread(target=self._follow))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join(30)
            assert not any(thread.is_alive() for thread in threads)

    def query(self, client: httpx.Client) -> Answer:
        document = "query ($w: String!) { uploads(workspace: $w, first: 5) { nodes { id stage } } }"
        return self._graphql(client, "query", document, w=self.workspace)[0]

    def search(self, client: httpx.Client) -> Answer:
        answer, data = self._graphql(client, "search", SEARCH, w=self.workspace)
        return replace(answer, engine=(data.get("search") or {}).get("engine"))

    def mutate(self, client: httpx.Client) -> Answer:
        """The same command again until it is acknowledged, as clients do who must know."""
        name = f"{self.workspace} {len(self.created)}"
        command_id = str(uuid5(NAMESPACE_OID, name))
        answer, data = self._graphql(client, "mutation", CREATE, name=name, commandId=command_id)
        if answer.is_good:
            self.created[name] = int(data["createWorkspace"]["position"])
        return answer

    def upload(self, client: httpx.Client) -> Answer:
        with self._lock:
            number = next(self._numbers)
        body = f"author,timestamp,text\nAda,2026-01-02,boat {number} needs ropes\n".encode()
        url = f"/api/uploads?workspace={self.workspace}&filename=chat.csv"
        began = time.monotonic()
        answer = self._send(client, "upload", began, url, content=body)
        if isinstance(answer, Answer):
            return answer
        found = answer.json()
        if answer.is_success:
            with self._lock:
                self.recorded.add(int(found["position"]))
        return self._answer("upload", began, answer.status_code, found.get("code", ""))

    def _graphql(
        self, client: httpx.Client, kind: str, document: str, **variables: str
    ) -> tuple[Answer, dict[str, Any]]:
        began = time.monotonic()
        asked = {"query": document, "variables": variables}
        answer = self._send(client, kind, began, "/graphql", json=asked)
        if isinstance(answer, Answer):
            return answer, {}
        said = answer.json()
        errors = said.get("errors") or [{}]
        code = errors[0].get("extensions", {}).get("code", "")
        return self._answer(kind, began, answer.status_code, code), said.get("data") or {}

    def _send(
        self, client: httpx.Client, kind: str, began: float, url: str, **body: Any
    ) -> httpx.Response | Answer:
        try:
            return client.post(url, **body)
        except httpx.HTTPError as error:
            return self._answer(kind, began, 0, type(error).__name__)

    @staticmethod
    def _answer(kind: str, began: float, status: int, code: str) -> Answer:
        seconds = time.monotonic() - began
        return Answer(kind=kind, began=began, seconds=seconds, status=status, code=code)

    def _repeat(self, action: Callable[[httpx.Client], Answer]) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20) as client:
            while not self._stopping.is_set():
                self.answers.append(action(client))
                self._stopping.wait(0.1)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            with suppress(WebSocketException, OSError, TimeoutError):
                self._follow_once()
            self._stopping.wait(0.2)

    def _follow_once(self) -> None:
        url = f"ws://127.0.0.1:{self.port}/graphql"
        with connect(url, subprotocols=[PROTOCOL], open_timeout=5, close_timeout=1) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(socket.recv(5))["type"] == "connection_ack"
            after = self.followed[-1] if self.followed else 0
            variables = {"workspace": self.workspace, "after": after}
            payload = {"query": FEED, "variables": variables}
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            while not self._stopping.is_set():
                with suppress(TimeoutError):
                    if not self._take(json.loads(socket.recv(0.5)), socket):
                        return

    def _take(self, message: dict[str, Any], socket: Any) -> bool:
        """False: the subscription has ended."""
        match message["type"]:
            case "next" if not message["payload"].get("errors"):
                item = message["payload"]["data"]["eventFeed"]
                if "position" in item:
                    self.followed.append(int(item["position"]))
                    self.heard_at = time.monotonic()
                return True
            case "ping":
                socket.send(json.dumps({"type": "pong"}))
                return True
            case "next" | "error" | "complete":
                return False
        self.strange.append(message["type"])
        return False
