"""What is logged and measured of requests: by route and operation, and never what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from infrastructure.container import Container
from infrastructure.jobs.app import make_app as make_jobs_app
from infrastructure.jobs.worker import InProcessWorker
from infrastructure.monitoring.scrape import Scrape
from interfaces.http.app import make_app
from interfaces.jobs.registry import register_tasks
from tests.support.archive import copy_template
from tests.support.archive_fixture import export, ingest, open_test_container
from tests.support.eventually import eventually
from tests.support.ingest_worker import HURRIED
from tests.support.log_lines import Lines, logged
from tests.support.postgres import drop_database

HOME = "http://127.0.0.1:8000"
CANARY = "Zanzibar-canary"  # stands in everything that people write
FILLED = ("uploads", "messages", "vectors", "conversations", "authors")  # by an upload
EVIL = "a\nb\x1b[31mc\u2028d"


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    folder: Path = tmp_path_factory.mktemp("data")
    with open_test_container(url, folder) as opened:
        ingest(opened)
        opened.start_background()
        yield opened
    drop_database(url)


@pytest.fixture
def client(container: Container) -> TestClient:
    return client_of(container)


def client_of(container: Any) -> TestClient:
    return TestClient(
        make_app(container),
        base_url=HOME,
        client=("127.0.0.1", 50000),
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def scraped(client: TestClient) -> Scrape:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Scrape(answer.text)


def ask(client: TestClient, document: str, **more: Any) -> Any:
    return client.post("/graphql", json={"query": document, **more}).json()


def test_a_request_is_one_line_that_names_its_route_and_not_its_path(client: TestClient) -> None:
    with logged() as lines:
        answer = client.get("/static/graphiql/index.html?name=Ada")
        client.get(f"/no/such/place/{CANARY}?x={CANARY}")
    first, second = lines.all("http_request")
    assert first["route"] == "/static/graphiql"
    assert (first["method"], first["status"]) == ("GET", 200)
    assert first["size"] == len(answer.content)
    assert first["request_id"] == answer.headers["x-request-id"]
    assert first["duration_ms"] > 0
    assert (second["route"], second["status"]) == ("unmatched", 404)
    assert CANARY not in lines.text


def test_probes_are_no_news(client: TestClient) -> None:
    with logged() as lines:
        client.get("/healthz")
        client.get("/metrics")
    assert lines.all("http_request") == []


def test_requests_are_counted_by_route_and_class_of_status(client: TestClient) -> None:
    def count(**labels: str) -> float:
        return scraped(client).total("chatledger_http_request_duration_seconds_count", **labels)

    healthy = {"route": "/healthz", "status": "2xx", "method": "GET"}
    unmatched = {"route": "unmatched", "status": "4xx", "method": "GET"}
    before = count(**healthy), count(**unmatched)
    client.get("/healthz")
    for number in range(5):
        client.get(f"/{CANARY}/{number}")
    client.request("BREW", "/healthz")
    assert (count(**healthy), count(**unmatched)) == (before[0] + 1, before[1] + 5)
    assert count(method="other") >= 1
    assert CANARY not in client.get("/metrics").text
    assert "BREW" not in client.get("/metrics").text


def test_operations_are_counted_by_type_and_name(client: TestClient) -> None:
    def count(**labels: str) -> float:
        name = "chatledger_graphql_operation_duration_seconds_count"
        return scraped(client).total(name, **labels)

    before = count(type="query", name="CountMe"), count(type="query", name="anonymous")
    with logged() as lines:
        ask(client, "query CountMe { __typename }")
        ask(client, "{ __typename }")
        ask(client, "query Broken { nothingLikeThis }")
        ask(client, "{{{")
    assert count(type="query", name="CountMe") == before[0] + 1
    assert count(type="query", name="anonymous") == before[1] + 1
    found = [
        (line["operation_type"], line["operation_name"], line["errors"], line["codes"])
        for line in lines.all("http_request", route="/graphql")
    ]
    assert found == [
        ("query", "CountMe", 0, []),
        ("query", "anonymous", 0, []),
        ("query", "Broken", 1, ["GRAPHQL_VALIDATION_FAILED"]),
        ("invalid", "invalid", 1, ["GRAPHQL_VALIDATION_FAILED"]),
    ]
    assert not lines.all("graphql_operation")  # one line a request


def test_names_of_operations_are_bounded(client: TestClient) -> None:
    for number in range(130):
        ask(client, f"query N{number}{uuid4().hex} {{ __typename }}")
    names = scraped(client).by("chatledger_graphql_operation_duration_seconds_count", "name")
    assert len(names) <= 103
    assert names["other"] >= 30


def test_root_fields_are_measured_with_what_they_wait_for(client: TestClient) -> None:
    found = scraped(client)
    name, field = "chatledger_graphql_resolver_duration_seconds_count", "Query.projections"
    before = found.total(name, field=field)
    assert "errors" not in ask(
        client, "{ projections { __typename } again: projections { __typename } }"
    )
    assert scraped(client).total(name, field=field) == before + 2


def test_a_subscription_is_open_for_as_long_as_somebody_follows_it(client: TestClient) -> None:
    def opened() -> float:
        return scraped(client).total("chatledger_subscriptions_open", field="projectionProgress")

    document = 'subscription { projectionProgress(name: "uploads") { __typename } }'
    assert opened() == 0
    with logged() as lines:
        url = f"{HOME.replace('http', 'ws')}/graphql"
        with client.websocket_connect(url, subprotocols=["graphql-transport-ws"]) as socket:
            socket.send_json({"type": "connection_init"})
            assert socket.receive_json()["type"] == "connection_ack"
            message = {"id": "1", "type": "subscribe", "payload": {"query": document}}
            socket.send_json(message)
            assert socket.receive_json()["type"] == "next"
            assert opened() == 1
        eventually(lambda: opened() == 0)
        [closed] = eventually(lambda: lines.all("websocket_closed"))
    assert closed["route"] == "/graphql"
    [begun] = lines.all("graphql_operation")
    assert (begun["operation_type"], begun["errors"]) == ("subscription", 0)
    assert begun["request_id"] == closed["request_id"]


def test_a_name_that_would_be_a_line_of_ours_is_none(client: TestClient) -> None:
    """User agents, operation names and workspace names: none of them ends a line."""
    with logged() as lines:
        headers = {"user-agent": "evil\x1b[31m agent", "x-request-id": "not a token"}
        client.get("/", headers=headers)
        client.post("/graphql", json={"query": "query A { __typename }", "operationName": EVIL})
        client.post(f"/api/uploads?workspace={quote(EVIL)}&filename={quote(EVIL)}", content=b"x")
    assert len(lines.all("http_request")) == 3
    assert lines.text.isascii()
    assert "\x1b" not in lines.text
    assert lines.text.count("\n") == len(lines.all())
    assert "evil" not in lines.text


def test_an_unexpected_error_is_logged_under_the_id_that_the_answer_has(
    container: Container,
) -> None:
    class Broken:
        settings = container.settings

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(CANARY)

    with logged() as lines:
        client = client_of(Broken())
        answer = client.post("/api/uploads?workspace=a&filename=b", content=b"x")
    assert answer.status_code == 500
    [line] = lines.all("http_request")
    assert line["status"] == 500
    assert line["level"] == "warning"
    reported = [one for one in lines.all() if one["level"] == "error"]
    assert {one.get("request_id") for one in reported} == {answer.headers["x-request-id"]}
    assert CANARY not in lines.text
    assert CANARY not in answer.text


def test_an_upload_can_be_followed_from_its_request_to_what_shows_it(container: Container) -> None:
    """By one id: the request's line, its events, the jobs' lines, their events, the pages."""
    request_id = str(uuid4())
    with logged() as lines, at_work(container):
        chat = export([("Follow", "Ada", f"Follow me {uuid4()}") for _ in range(3)])
        answer = client_of(container).post(
            "/api/uploads?workspace=followed&filename=a.jsonl",
            content=chat,
            headers={"x-request-id": request_id},
        )
        assert answer.status_code == 201
        mine = {"correlation_id": request_id}
        eventually(lambda: lines.all("job_ended", task="uploads:embed", **mine), timeout_seconds=30)
        events = events_of(container, request_id)
        shown = [eventually(partial(pages_of, lines, name, request_id), 30) for name in FILLED]

    [asked] = lines.all("http_request", **mine)
    assert (asked["request_id"], asked["route"]) == (request_id, "/api/uploads")
    topics = [topic for _, topic, _ in events]
    assert topics[:2] == ["workspace.created", "upload.received"]
    assert {"transcript.recorded", "upload.read", "upload.embedding_finished"} <= set(topics)
    assert asked["position"] == next(p for p, topic, _ in events if topic == "upload.received")

    positions = {position for position, _, _ in events}
    jobs = lines.all("job_ended", **mine)
    tasks = {job["task"] for job in jobs}
    # Who reads ends about when those end whom it asked for.
    assert {"uploads:read", "uploads:embed"} <= tasks
    assert tasks <= {"uploads:read", "labels:carry", "uploads:embed"}
    for job in jobs:
        assert job["outcome"] == "succeeded"
        assert job["upload_id"] == answer.json()["uploadId"]
        assert job["causation_position"] in positions
    caused = {cause for _, _, cause in events if cause is not None}
    assert caused <= positions
    assert all(page["after"] < page["position"] for pages in shown for page in pages)


def events_of(container: Container, correlation_id: str) -> list[tuple[int, str, int | None]]:
    """Positions, topics and causes."""
    query = """
    SELECT notification_id, topic, causation_position FROM log.archive_events
    WHERE correlation_id = %s ORDER BY notification_id
    """
    with container.pool.connection() as connection:
        return connection.execute(query, (correlation_id,)).fetchall()


def pages_of(lines: Lines, name: str, correlation_id: str) -> list[dict[str, Any]]:
    pages = lines.all("projection_stepped", projection=name)
    return [page for page in pages if correlation_id in page["correlation_ids"]]


@contextmanager
def at_work(container: Container) -> Iterator[None]:
    queue = make_jobs_app(container.conninfo)
    register_tasks(queue, container)
    worker = InProcessWorker(queue, HURRIED)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def test_nothing_that_people_write_is_logged_or_measured(container: Container) -> None:
    """Through every endpoint, error paths included, and the jobs that follow."""
    client = client_of(container)
    asked: list[Callable[[], Any]] = [*requests(client)]
    with logged() as lines, at_work(container):
        statuses = [send().status_code for send in asked]
        eventually(lambda: lines.all("job_ended", task="uploads:embed"), timeout_seconds=30)
        eventually(lambda: lines.all("job_ended", outcome="succeeded", task="uploads:read"))
        eventually(lambda: lines.all("projection_stepped", projection="messages"), 30)
    assert {200, 201, 400, 404} <= set(statuses)
    assert len(lines.all("http_request")) == len(asked)
    assert "anary" not in lines.text, [line for line in lines.text.split("\n") if "anary" in line]
    assert "anary" not in client.get("/metrics").text


def requests(client: TestClient) -> Iterator[Callable[[], Any]]:
    chat = export([(CANARY, CANARY, f"{CANARY} {number}") for number in range(3)])
    place = f"workspace={CANARY}&filename={CANARY}.jsonl"
    headers = {
        "user-agent": CANARY,
        "authorization": f"Bearer {CANARY}",
        "cookie": f"session={CANARY}",
        "referer": f"{HOME}/{CANARY}",
    }

    def post(path: str, content: bytes, **more: str) -> Callable[[], Any]:
        return lambda: client.post(path, content=content, headers=headers | more)

    def get(path: str) -> Callable[[], Any]:
        return lambda: client.get(path, headers=headers)

    def graphql(document: str, **more: Any) -> Callable[[], Any]:
        body = json.dumps({"query": document, **more}).encode()
        return post("/graphql", body, **{"content-type": "application/json"})

    yield post(f"/api/uploads?{place}", chat)
    yield post(f"/api/uploads?{place}", b"\x00\x01 no chat " + CANARY.encode())
    yield post(f"/api/uploads?{place}&timezone={CANARY}", chat)
    yield post(f"/api/uploads?{place}&{CANARY}=1", chat)
    yield post(f"/api/uploads?{place}", chat, **{"idempotency-key": CANARY})
    yield post(f"/api/uploads?{place}", chat, **{"content-type": f"multipart/{CANARY}"})
    yield get(f"/{CANARY}")
    yield get(f"/api/uploads/{CANARY}")
    yield get(f"/api/{CANARY}?{CANARY}={CANARY}")
    yield get(f"/graphql?query={{{CANARY}}}")
    yield graphql(f'{{ uploads(workspace: "{CANARY}") {{ __typename }} }}')
    yield graphql(f'{{ search(workspace: "{CANARY}", query: "{CANARY}") {{ __typename }} }}')
    yield graphql(f'{{ search(workspace: "default", query: "{CANARY}") {{ __typename }} }}')
    yield graphql(f'{{ search(query: "{CANARY}" {{')
    yield graphql(f"{{ {CANARY.replace('-', '')}anary }}")
    yield graphql("query A($q: String!) { __typename }", variables={"q": {"no": CANARY}})
    yield graphql("query A { __typename }", variables={"q": CANARY}, extensions={"x": CANARY})
    yield post("/graphql", f'{{"{CANARY}": '.encode(), **{"content-type": "application/json"})
    yield post("/graphql", CANARY.encode(), **{"content-type": f"text/{CANARY}"})
