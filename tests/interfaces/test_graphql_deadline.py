"""An operation ends at its deadline, and so does what it had begun; too many at once are told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from infrastructure.container import Container
from interfaces.graphql.app import graphql_app
from interfaces.graphql.deadline import (
    MAX_WAITING,
    THREADS,
    DeadlineExceededError,
    OperationThreads,
    OverloadedError,
)
from tests.support.archive import copy_template
from tests.support.archive_fixture import ingest, open_test_container
from tests.support.eventually import eventually
from tests.support.graphql_site import URL, Site, application
from tests.support.http_server import serve
from tests.support.ids import NOBODYS
from tests.support.postgres import drop_database

SECONDS = 2  # the deadline: a machine that does much else takes one for a search
UPLOAD = f'{{upload(id: "{NOBODYS}") {{__typename}}}}'
SEARCH = '{search(query: "sailing") {__typename}}'
BOTH = f'{{upload(id: "{NOBODYS}") {{__typename}} search(query: "sailing") {{__typename}}}}'
BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class Patient:
    """The same container for operations that may take a minute."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.settings = replace(container.settings, operation_seconds=60)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.container, name)


@pytest.fixture(scope="module")
def url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    url = copy_template(postgres_server, migrated_template)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def container(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        opened.settings = replace(opened.settings, operation_seconds=SECONDS)
        ingest(opened)
        assert Site(opened).data(SEARCH)  # the model is loaded before anybody measures
        yield opened


@pytest.fixture
def site(container: Container) -> Site:
    return Site(container)


@pytest.fixture
def onlooker(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def locked(url: str, view: str) -> Iterator[None]:
    """Whoever reads the view waits for the end of the block."""
    with psycopg.connect(url) as connection:
        lock = "LOCK TABLE read.{} IN ACCESS EXCLUSIVE MODE"
        connection.execute(sql.SQL(lock).format(sql.Identifier(view)))
        yield
        connection.rollback()


def blocked(onlooker: psycopg.Connection[Any]) -> int:
    """Statements that wait for the lock."""
    row = onlooker.execute(BLOCKED).fetchone()
    assert row is not None
    return int(row[0])


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


@pytest.mark.parametrize(("document", "view"), [(UPLOAD, "upload"), (SEARCH, "message")])
def test_a_statement_is_cancelled_at_the_deadline(
    site: Site,
    container: Container,
    url: str,
    onlooker: psycopg.Connection[Any],
    document: str,
    view: str,
) -> None:
    with locked(url, view), capture_logs() as logs:
        began_at = time.monotonic()
        answer = site.ask(document)
        took = time.monotonic() - began_at
        assert codes(answer) == ["DEADLINE_EXCEEDED"]
        assert SECONDS <= took < SECONDS + 1
        eventually(lambda: blocked(onlooker) == 0, 2)
    assert f"longer than {SECONDS} s" in answer["errors"][0]["message"]
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    stats = container.pool.get_stats()
    assert eventually(lambda: container.pool.get_stats()["pool_available"] >= 1), stats
    assert "errors" not in site.ask(document), "it does not go on as before"


def test_what_was_ready_in_time_is_answered(site: Site, url: str) -> None:
    with locked(url, "upload"):
        answer = site.ask(BOTH)
    assert answer["data"]["upload"] is None
    assert answer["data"]["search"]
    assert answer["errors"][0]["path"] == ["upload"]
    assert codes(answer) == ["DEADLINE_EXCEEDED"]


def test_the_threads_are_free_again_at_once(container: Container, url: str) -> None:
    """More operations than there are threads, all stuck: the next ones find threads."""
    app = application(container)

    async def ask_all() -> tuple[list[Any], float, Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, timeout=30) as client:
            asked = [client.post(URL, json={"query": UPLOAD}) for _ in range(3 * THREADS)]
            answers = [answer.json() for answer in await asyncio.gather(*asked)]
            began_at = time.monotonic()
            other = await client.post(URL, json={"query": SEARCH})
            return answers, time.monotonic() - began_at, other.json()

    with locked(url, "upload"):
        answers, took, other = asyncio.run(ask_all())
    assert [codes(answer) for answer in answers] == [["DEADLINE_EXCEEDED"]] * 3 * THREADS
    assert "errors" not in other
    assert took < SECONDS


def test_a_statement_is_cancelled_when_the_client_hangs_up(
    container: Container, url: str, onlooker: psycopg.Connection[Any]
) -> None:
    with locked(url, "upload"), serve(application(Patient(container))) as port:
        address = f"http://127.0.0.1:{port}/graphql"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(address, json={"query": UPLOAD}, timeout=0.5)
        eventually(lambda: blocked(onlooker) == 0, 3)


def test_who_comes_when_too_many_wait_is_told_at_once(container: Container, url: str) -> None:
    endpoint = graphql_app(Patient(container))  # type: ignore[arg-type]
    threads = endpoint._threads
    too_many = 20

    async def ask_all() -> list[tuple[httpx.Response, float]]:
        transport = httpx.ASGITransport(endpoint)
        async with httpx.AsyncClient(transport=transport, timeout=60) as client:

            async def ask() -> tuple[httpx.Response, float]:
                began_at = time.monotonic()
                return await client.post(URL, json={"query": UPLOAD}), time.monotonic() - began_at

            with locked(url, "upload"):
                first = [asyncio.create_task(ask()) for _ in range(THREADS + MAX_WAITING)]
                while not threads.is_overloaded:  # noqa: ASYNC110 - it has no event to wait for
                    await asyncio.sleep(0.01)
                late = await asyncio.gather(*(ask() for _ in range(too_many)))
            assert {answer.status_code for answer, _ in await asyncio.gather(*first)} == {200}
            return late

    late = asyncio.run(ask_all())
    assert {answer.status_code for answer, _ in late} == {503}
    assert {answer.headers["retry-after"] for answer, _ in late} == {"1"}
    assert {codes(answer.json())[0] for answer, _ in late} == {"OVERLOADED"}
    assert max(took for _, took in late) < 2
    assert threads.waiting == 0


def test_work_that_waits_is_counted_whatever_becomes_of_it() -> None:
    may_go_on = threading.Event()

    async def fill() -> None:
        threads = OperationThreads(deadline_seconds=0.3, threads=1, max_waiting=2)

        async def wait() -> bool:
            return await threads.run(may_go_on.wait, threads.patience())

        running = asyncio.create_task(wait())
        await asyncio.sleep(0.05)
        waiting = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert threads.waiting == 2
        with pytest.raises(OverloadedError):
            await wait()
        waiting[0].cancel()
        await asyncio.sleep(0.05)
        assert threads.waiting == 1
        late = await asyncio.gather(running, waiting[1], return_exceptions=True)
        assert [type(error) for error in late] == [DeadlineExceededError] * 2
        may_go_on.set()
        assert await threads.run(lambda: 5, threads.patience()) == 5
        assert threads.waiting == 0

    asyncio.run(fill())


def test_an_error_of_the_work_is_not_taken_for_the_deadline() -> None:
    def fail() -> None:
        raise TimeoutError("of something else")

    async def run() -> None:
        threads = OperationThreads()
        await threads.run(fail, threads.patience())

    with pytest.raises(TimeoutError, match="of something else"):
        asyncio.run(run())
