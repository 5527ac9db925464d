"""Traces: one for all that an upload causes, nothing personal in it, and no cost without it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from infrastructure.container import Container
from infrastructure.jobs.app import make_app as make_jobs_app
from infrastructure.jobs.worker import InProcessWorker
from infrastructure.observability import tracing
from infrastructure.observability.tracing import (
    span,
    start_tracing,
    stop_tracing,
    traceparent,
)
from interfaces.http.app import make_app
from interfaces.jobs.registry import register_tasks
from tests.support.archive_fixture import export, open_test_container
from tests.support.eventually import eventually
from tests.support.ingest_worker import HURRIED
from tests.support.log_lines import logged
from tests.support.otlp import Collector, collector

REPOSITORY = Path(__file__).parents[2]
PERSONAL = "Zanzibar"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"
W3C = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]")


@pytest.fixture
def received() -> Iterator[Collector]:
    with collector() as found:
        start_tracing(found.endpoint, role="test", version="1.2.3")
        try:
            yield found
        finally:
            stop_tracing()


def test_an_upload_is_one_trace_from_the_request_to_the_last_job(
    received: Collector, database_url: str, tmp_path: Path
) -> None:
    """The client's trace is continued; jobs go on with it, in whatever thread and later on."""
    with open_test_container(database_url, tmp_path) as container, logged() as lines:
        answer = upload(container)
        work(container)
    assert answer["again"] is False
    stop_tracing()

    [request] = received.named("POST /api/uploads")
    assert (request.trace_id, request.parent_id) == (TRACE, "b7ad6b7169203331")
    assert request.attributes["http.route"] == "/api/uploads"
    assert request.attributes["http.response.status_code"] == 201
    [line] = lines.all("http_request")
    correlation_id = line["correlation_id"]
    assert request.attributes["chatledger.correlation_id"] == correlation_id

    [reading] = received.named("job uploads:read")
    [embedding] = received.named("job uploads:embed")
    for job in (reading, embedding):
        assert job.trace_id == TRACE
        assert job.attributes["chatledger.correlation_id"] == correlation_id
        assert job.attributes["chatledger.attempt"] == 1
    appends = {one.span_id: one for one in received.named("append")}
    assert appends[reading.parent_id].parent_id == request.span_id, "who asked for it"
    assert appends[embedding.parent_id].parent_id == reading.span_id
    assert received.named("projection messages")
    assert received.resource["service.name"] == "chatledger"
    assert received.resource["service.version"] == "1.2.3"
    assert not [one.name for one in received.spans if PERSONAL.encode() in one.raw]


def upload(container: Container) -> dict[str, object]:
    client = TestClient(
        make_app(container), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)
    )
    chat = export([(PERSONAL, PERSONAL, f"{PERSONAL} {number}") for number in range(3)])
    answer = client.post(
        f"/api/uploads?workspace={PERSONAL}&filename={PERSONAL}.jsonl",
        content=chat,
        headers={"traceparent": CALLER, "user-agent": PERSONAL},
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def work(container: Container) -> None:
    """Until the upload can be searched."""
    queue = make_jobs_app(container.conninfo)
    register_tasks(queue, container)
    worker = InProcessWorker(queue, HURRIED)
    worker.start()
    try:
        eventually(lambda: stages(container) == ["searchable"], timeout_seconds=30)
    finally:
        worker.stop()


def stages(container: Container) -> list[str]:
    with container.pool.connection() as connection:
        return [row[0] for row in connection.execute("SELECT stage FROM read.upload").fetchall()]


def test_a_graphql_operation_is_a_span_within_its_request(
    received: Collector, database_url: str, tmp_path: Path
) -> None:
    with open_test_container(database_url, tmp_path) as container:
        client = TestClient(
            make_app(container), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)
        )
        document = f'query Find {{ uploads(workspace: "{PERSONAL}") {{ __typename }} }}'
        client.post("/graphql", json={"query": document})
    stop_tracing()
    [operation] = received.named("graphql query")
    [request] = received.named("POST /graphql")
    assert operation.parent_id == request.span_id
    assert operation.attributes["graphql.operation.name"] == "Find"
    assert not [one.name for one in received.spans if PERSONAL.encode() in one.raw]


def test_a_failure_is_told_without_the_exceptions_message(received: Collector) -> None:
    with pytest.raises(ValueError, match=PERSONAL), span("work"):
        raise ValueError(PERSONAL)
    stop_tracing()
    [found] = received.named("work")
    assert found.is_error
    assert found.status.startswith("ValueError at tests/infrastructure/test_tracing.py:")
    assert PERSONAL.encode() not in found.raw


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "x",
        "00-zz-1-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
    ],
)
def test_a_parent_that_is_malformed_is_none(received: Collector, malformed: str) -> None:
    with span("work", parent=malformed):
        assert W3C.fullmatch(traceparent() or "")
    stop_tracing()
    [found] = received.named("work")
    assert found.parent_id == ""
    assert found.trace_id != TRACE


def test_without_a_collector_there_is_nothing() -> None:
    assert tracing.Current.tracing is None
    assert span("work") is span("other", parent=CALLER, chatledger__x=1)
    with span("work") as current:
        assert current is None
    assert traceparent() is None


def test_without_a_collector_the_library_is_not_even_loaded() -> None:
    code = (
        "import sys; import interfaces.http.app, infrastructure.container;"
        "from infrastructure.observability.tracing import start_tracing, span;"
        "start_tracing(None, role='x', version='1');"
        "span('x').__enter__();"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


SPANS = """
import sys, time
from infrastructure.observability.tracing import span, start_tracing, stop_tracing
start_tracing(sys.argv[1], role="test", version="1")
began = time.perf_counter()
for _ in range(20_000):
    with span("work", chatledger__number=1):
        pass
print(time.perf_counter() - began, flush=True)
time.sleep(1.5)  # the exporter is at it
began = time.perf_counter()
stop_tracing()
print(time.perf_counter() - began, flush=True)
"""


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
def test_a_collector_that_is_away_slows_nothing_and_holds_up_no_end(kind: str) -> None:
    """20,000 spans, more than the queue takes; then the process ends within the limit."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if kind == "is silent":
            silent.listen()  # connections are made, and nobody ever answers
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", SPANS, endpoint],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        took = float(process.stdout.readline())
        stopped = float(process.stdout.readline())
        began = time.monotonic()
        process.wait(20)
        ended = time.monotonic() - began
        process.stdout.close()
    assert took / 20_000 < 0.002, "a span never waits for the collector"
    assert stopped < 2.0
    assert ended < 2.0, "nothing is left to wait for"
