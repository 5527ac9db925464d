"""What can be followed of a real archive, from its log and its read models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from application.commands.create_workspace import CreateWorkspace
from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from infrastructure.container import Container
from interfaces.http.app import make_app
from tests.support.archive_fixture import advance, export, ingest, open_test_container
from tests.support.live_client import peer
from tests.support.live_server import LiveServer, live_server

EVENTS = """
subscription($workspace: String!, $after: BigInt, $topics: [String!]) {
  eventFeed(workspace: $workspace, after: $after, topics: $topics) {
    __typename
    ... on Event {position topic}
    ... on FeedGap {after upTo}
  }
}
"""
UPLOADS = """
subscription($id: ID, $after: BigInt) {
  uploadChanged(workspace: "Boats", id: $id, after: $after) {id position stage filename}
}
"""
PROGRESS = """
subscription($name: String!) {
  projectionProgress(name: $name) {
    name version status position head rebuild {version position progress stage}
  }
}
"""
FAILURES = """
subscription($after: BigInt) {
  jobFailed(after: $after) {failureId job {id task queue status attempts}}
}
"""
FAILED = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args, status, attempts)
VALUES ('reading', 'uploads:read', '{}', 'failed', 3) RETURNING id
"""
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Served:
    container: Container
    server: LiveServer
    url: str
    workspace_id: UUID

    @property
    def context(self) -> Context:
        return Context(actor_id=LOCAL_OWNER, workspace_id=self.workspace_id)

    @property
    def head(self) -> int:
        return self.container.archive.event_log.head()

    def receive(self, text: str = "hello") -> UUID:
        """A new upload, shown by the read model."""
        received = self.container.receive_upload(
            ReceiveUpload(filename="chat.jsonl"), [export([("Trip", "Ada", text)])], self.context
        )
        advance(self.container)
        return UUID(str(received.result["upload_id"]))


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with open_test_container(database_url, tmp_path) as container:
        container.runner.ensure_all()
        created = container.create_workspace(
            CreateWorkspace(name="Boats"), Context(actor_id=LOCAL_OWNER, workspace_id=None)
        )
        advance(container)
        container.start_background()
        app = make_app(container)
        with live_server(app, app.state.live) as server:
            workspace_id = UUID(str(created.result["workspace_id"]))
            yield Served(container, server, database_url, workspace_id)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(limited())


class Following:
    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    async def next(self) -> Any:
        return await self._queue.get()

    async def nothing(self, seconds: float = 0.4) -> None:
        await asyncio.sleep(seconds)
        assert self._queue.empty(), self._queue.get_nowait()


@asynccontextmanager
async def following(served: Served, query: str, **variables: Any) -> AsyncIterator[Following]:
    """The subscription's field of each item."""
    queue: asyncio.Queue[Any] = asyncio.Queue()

    async with peer(served.server.port) as other:

        async def listen() -> None:
            while True:
                message = await other.hear()
                payload = message.get("payload")
                is_item = message["type"] == "next" and "errors" not in payload
                await queue.put(next(iter(payload["data"].values())) if is_item else message)

        await other.init()
        await other.subscribe(query, **variables)
        listening = asyncio.create_task(listen())
        try:
            yield Following(queue)
        finally:
            listening.cancel()


async def code_of(served: Served, query: str, **variables: Any) -> str:
    async with following(served, query, **variables) as refused:
        message = await refused.next()
        assert message["type"] == "error"
        return str(message["payload"][0]["extensions"]["code"])


def in_thread(work: Any, *arguments: Any) -> Any:
    return asyncio.to_thread(work, *arguments)


def test_events_come_as_they_are_recorded_and_again_after_any_position(served: Served) -> None:
    async def work() -> None:
        begin = served.head
        async with following(served, EVENTS, workspace="Boats", after=begin) as live:
            await in_thread(served.receive, "one")
            first = [await live.next() for _ in range(served.head - begin)]
            await in_thread(served.receive, "two")
            second = [await live.next() for _ in range(served.head - first[-1]["position"])]
            await live.nothing()
        everything = [*first, *second]
        positions = [event["position"] for event in everything]
        assert positions == sorted(set(positions))
        assert {event["topic"] for event in everything} == {"upload.received"}
        async with following(served, EVENTS, workspace="boats", after=positions[0]) as again:
            assert [await again.next() for _ in everything[1:]] == everything[1:]

    run(work())


def test_events_of_other_workspaces_and_topics_stay_away(served: Served) -> None:
    async def work() -> None:
        begin = served.head
        read = {"workspace": "Boats", "topics": ["upload.read"], "after": begin}
        async with following(served, EVENTS, **read) as live:
            await in_thread(ingest, served.container, "Other")
            upload_id = await in_thread(served.receive)
            await in_thread(
                lambda: served.container.read_upload(
                    ReadUpload(upload_id=upload_id), should_stop=lambda: False
                )
            )
            event = await live.next()
            assert event["topic"] == "upload.read"
            await live.nothing()

    run(work())


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (EVENTS, {"workspace": "Nowhere"}, "UNKNOWN_WORKSPACE"),
    (EVENTS, {"workspace": "Boats", "topics": ["no.such"]}, "ARGUMENT_REFUSED"),
    (EVENTS, {"workspace": "Boats", "after": -1}, "ARGUMENT_REFUSED"),
    (UPLOADS, {"id": "Message:1"}, "ARGUMENT_REFUSED"),
    (PROGRESS, {"name": "nothing"}, "ARGUMENT_REFUSED"),
    (FAILURES, {"after": -1}, "ARGUMENT_REFUSED"),
]


def test_what_cannot_be_followed_is_refused(served: Served) -> None:
    async def work() -> None:
        for query, variables, code in REFUSED:
            assert await code_of(served, query, **variables) == code

    run(work())


def test_an_upload_is_told_as_it_is_and_then_whenever_it_changes(served: Served) -> None:
    async def work() -> None:
        upload_id = await in_thread(served.receive)
        await in_thread(served.receive, "another")
        async with following(served, UPLOADS, id=f"Upload:{upload_id}") as live:
            first = await live.next()
            assert (first["stage"], first["filename"]) == ("RECEIVED", "chat.jsonl")

            def read() -> None:
                served.container.read_upload(
                    ReadUpload(upload_id=upload_id), should_stop=lambda: False
                )
                advance(served.container)

            await in_thread(read)
            states = [first]
            while states[-1]["stage"] != "READ":
                states.append(await live.next())
            positions = [state["position"] for state in states]
            assert positions == sorted(set(positions))
            assert {state["id"] for state in states} == {first["id"]}
            await live.nothing()
        async with following(served, UPLOADS, id=first["id"], after=positions[-1]) as again:
            await again.nothing()

    run(work())


def test_all_uploads_of_a_workspace_can_be_followed(served: Served) -> None:
    async def work() -> None:
        await in_thread(served.receive, "before")
        async with following(served, UPLOADS) as live:
            await live.nothing()
            await in_thread(ingest, served.container, "Other")
            upload_id = await in_thread(served.receive, "after")
            upload = await live.next()
            assert upload["id"].endswith(str(upload_id))
        async with following(served, UPLOADS, after=0) as everything:
            told = [await everything.next() for _ in range(2)]
            assert told[-1] == upload
            await everything.nothing()

    run(work())


def test_a_read_model_is_told_as_it_moves_and_is_rebuilt(served: Served) -> None:
    async def work() -> None:
        async with following(served, PROGRESS, name="uploads") as live:
            first = await live.next()
            assert (first["version"], first["status"], first["rebuild"]) == (1, "LIVE", None)
            await in_thread(served.receive)
            moved = await live.next()
            while moved["position"] < served.head:
                moved = await live.next()
            assert moved["position"] > first["position"]
            await in_thread(served.container.rebuilder.rebuild, "uploads")
            while moved["version"] == 1:
                moved = await live.next()
            assert (moved["version"], moved["status"]) == (2, "LIVE")

    run(work())


def test_a_read_model_is_told_at_most_four_times_a_second(served: Served) -> None:
    async def work() -> None:
        async with following(served, PROGRESS, name="uploads") as live:
            await live.next()
            loop = asyncio.get_running_loop()
            ends_at, told = loop.time() + 2, 0
            recording = asyncio.create_task(record_until(ends_at))
            while loop.time() < ends_at:
                await live.next()
                told += 1
            await recording
            assert 3 <= told <= 2 * 4 + 1

    async def record_until(ends_at: float) -> None:
        while asyncio.get_running_loop().time() < ends_at + 0.5:
            await in_thread(served.receive, str(uuid4()))

    run(work())


def test_a_job_that_is_given_up_is_told_once(served: Served) -> None:
    def fail() -> int:
        with psycopg.connect(served.url, autocommit=True) as connection:
            [(id,)] = connection.execute(FAILED).fetchall()
            return int(id)

    async def work() -> None:
        earlier = await in_thread(fail)
        async with following(served, FAILURES) as live:
            await live.nothing()
            later = await in_thread(fail)
            told = await live.next()
            assert told["job"] == {
                "id": f"Job:{later}",
                "task": "uploads:read",
                "queue": "reading",
                "status": "FAILED",
                "attempts": 3,
            }
            await live.nothing()
        async with following(served, FAILURES, after=0) as again:
            assert (await again.next())["job"]["id"] == f"Job:{earlier}"
            assert await again.next() == told
            await again.nothing()

    run(work())


def test_all_that_is_followed_goes_on_after_every_connection_was_killed(served: Served) -> None:
    def kill() -> None:
        with psycopg.connect(served.url, autocommit=True) as connection:
            assert connection.execute(TERMINATE).fetchall()

    async def work() -> None:
        begin = served.head
        async with (
            following(served, EVENTS, workspace="Boats", after=begin) as events,
            following(served, UPLOADS, after=begin) as uploads,
            following(served, PROGRESS, name="uploads") as progress,
        ):
            await progress.next()
            # All three follow: one that had only begun would be told that the database is away.
            await in_thread(receive_patiently, "before")
            await uploads.next()
            told = [(await events.next())["position"]]
            for number in range(5):
                await in_thread(kill)
                upload_id = await in_thread(receive_patiently, str(number))
                assert (await uploads.next())["id"].endswith(str(upload_id))
                told.append((await events.next())["position"])
            assert told == sorted(set(told))
            await events.nothing()
            moved = await progress.next()
            while moved["position"] < served.head:
                moved = await progress.next()

    def receive_patiently(text: str) -> UUID:
        """Whoever meets a killed connection asks again; the same bytes are the same upload."""
        for _ in range(20):
            try:
                return served.receive(text)
            except Exception:  # noqa: BLE001 - whichever connection was the first to be used
                continue
        raise AssertionError("the database does not come back")

    run(work())
