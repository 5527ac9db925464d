"""What GraphQL costs beside the same row as plain JSON, and a search beside its two parts."""

from __future__ import annotations

import functools
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import orjson
from anyio import CapacityLimiter, to_thread
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from benchmarks.database import fresh_database
from benchmarks.serving import CLIENTS, ingest_sample, milliseconds
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings, environment_with
from interfaces.cli.ending import ending
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import projections_woken, working
from interfaces.cli.serving import Server, bind, configuration
from interfaces.http.app import make_app
from interfaces.http.stopping import StoppableBodies
from projections.uploads.queries import upload

ROUNDS = 5
SECONDS = 4  # of one round
MESSAGES = 100_000
SEARCHES = 300
WARM = 20
WORKSPACE = "bench"
THREADS = 8  # of the bare route, as many as the API has
UPLOAD = """
query ($id: ID!) {
  upload(id: $id, workspace: "bench") {
    id filename format stage size sha256 firstAt lastAt isComplete error attempts
    receivedAt updatedAt position
    counts { conversations messages system authors }
    progress { batches batchesRecorded messagesRecorded texts textsEmbedded }
  }
}
"""
SEARCH = """
query ($query: String!) {
  search(query: $query, workspace: "bench", mode: MEANING) {
    ... on SearchResult { hits { score } }
  }
}
"""
LINE = re.compile(r"\[(\d\d):(\d\d)\] <([^>]+)> (.+)")


def measure(data: Path) -> dict[str, Any]:
    if which("wrk") is None:
        return {"left_out": "wrk is not installed"}
    return {"upload": measure_upload(), "search": measure_search(data, MESSAGES)}


# One row


def measure_upload() -> dict[str, Any]:
    """Rounds of both in turn, so that what else the machine does weighs on both alike."""
    with fresh_database() as (url, folder):
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        upload_id = ingest_sample(environment)
        with running(environment) as port:
            graphql = script(
                folder / "graphql.lua", {"query": UPLOAD, "variables": {"id": upload_id}}
            )
            bare = script(folder / "bare.lua", None)
            rounds = []
            for number in range(ROUNDS + 1):
                pair = {
                    "bare": load(bare, f"http://127.0.0.1:{port}/bare/{upload_id}"),
                    "graphql": load(graphql, f"http://127.0.0.1:{port}/graphql"),
                }
                if number:  # the first one warms up
                    rounds.append(pair)
    return {
        "rounds": rounds,
        "requests_ratio": middle(r["bare"]["per_s"] / r["graphql"]["per_s"] for r in rounds),
        "p50_ratio": middle(r["graphql"]["p50_ms"] / r["bare"]["p50_ms"] for r in rounds),
        "p99_ratio": middle(r["graphql"]["p99_ms"] / r["bare"]["p99_ms"] for r in rounds),
        "graphql_p99_ms": middle(r["graphql"]["p99_ms"] for r in rounds),
        "goal": "ratios at most 3; p99 at most 50 ms",
    }


def require_data(port: int, body: Any) -> None:
    """An error would be answered quickly, and with status 200."""
    found = httpx.post(f"http://127.0.0.1:{port}/graphql", json=body, timeout=30).json()
    assert found["data"]["upload"]["stage"], found


def middle(values: Any) -> float:
    return round(statistics.median(values), 2)


def script(path: Path, body: Any) -> Path:
    text = "wrk.method = 'GET'\n"
    if body is not None:
        text = (
            f"wrk.method = 'POST'\nwrk.body = [==[{json.dumps(body)}]==]\n"
            "wrk.headers['Content-Type'] = 'application/json'\n"
        )
    path.write_text(text)
    path.chmod(0o644)
    return path


def load(path: Path, url: str) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency", "-s", str(path), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or "Non-2xx" in said:
        raise RuntimeError(said)
    return {
        "per_s": float(rate[1]),
        "p50_ms": milliseconds(said, "50%"),
        "p99_ms": milliseconds(said, "99%"),
    }


# The server: the whole application, and beside it the same row without GraphQL


@contextmanager
def running(environment: dict[str, str]) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.graphql"]
    changed = environment_with(**environment, CHATLEDGER_PORT="0")
    with subprocess.Popen(command, env=changed, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def serve() -> None:
    settings = Settings.from_env()
    with open_container(settings) as container, projections_woken(container):
        container.follower.start()
        app = Starlette(
            routes=[
                Route("/bare/{id:uuid}", functools.partial(bare_row, container)),
                Mount("/", make_app(container)),
            ]
        )
        bodies = StoppableBodies(app)
        listener = bind(settings)
        print(listener.getsockname()[1], flush=True)
        Server(configuration(bodies), bodies, None, lambda: None, ()).run([listener])


limiter = CapacityLimiter(THREADS)


async def bare_row(container: Container, request: Request) -> Response:
    def read(upload_id: UUID) -> Any:
        with container.pool.connection() as connection:
            return upload(connection, Workspace.create_id(WORKSPACE), upload_id)

    row = await to_thread.run_sync(read, request.path_params["id"], limiter=limiter)
    body = orjson.dumps(row, default=lambda value: value._asdict())
    return Response(body, media_type="application/json")


# A search


def measure_search(data: Path, messages: int) -> dict[str, Any]:
    with fresh_database() as (url, folder):
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        export = folder / "export.jsonl"
        texts = write_export(data / "irc" / "ubuntu", export, messages)
        queries = [texts[i] for i in range(0, len(texts), max(1, len(texts) // SEARCHES))]
        with open_container(Settings.from_env(environment)) as container:
            with working(container):
                ingest_files(container, (export,), WORKSPACE, {}, Console(quiet=True))
            wait_for_faiss(container)
            parts = [milliseconds_of(container, query) for query in queries[:SEARCHES]][WARM:]
            vectors = len(container.follower)
        with running(environment) as port:
            whole = ask(port, queries[:SEARCHES])[WARM:]
    return {
        "messages": len(texts),
        "vectors": vectors,
        "p50": compared(whole, parts, 50),
        "p95": compared(whole, parts, 95),
        "goal": "p50 ratio at most 1.5, p95 ratio at most 3",
    }


def compared(whole: list[float], parts: list[float], percentile: int) -> dict[str, float]:
    http, alone = np.percentile(whole, percentile), np.percentile(parts, percentile)
    return {"http_ms": middle([http]), "parts_ms": middle([alone]), "ratio": middle([http / alone])}


def write_export(folder: Path, export: Path, messages: int) -> list[str]:
    """Real messages of a public channel, one JSON object a line. Returns their texts."""
    texts: list[str] = []
    with export.open("w") as file:
        for path in sorted(folder.glob("*.raw.txt")):
            day = int(time.mktime(time.strptime(path.name[:10], "%Y-%m-%d")))
            for line in path.read_text("utf-8", "replace").splitlines():
                found = LINE.match(line)
                if found is None or len(texts) == messages:
                    continue
                texts.append(found[4])
                stamp = day + int(found[1]) * 3600 + int(found[2]) * 60
                record = {"id": str(len(texts)), "conversation": "#ubuntu", "author": found[3]}
                file.write(json.dumps({**record, "timestamp": stamp, "text": found[4]}) + "\n")
    export.chmod(0o644)
    return texts


def wait_for_faiss(container: Container) -> None:
    container.follower.start()
    head = container.archive.event_log.head()
    deadline = time.monotonic() + 120
    while container.follower.position < head - 1 and time.monotonic() < deadline:
        time.sleep(0.1)


def milliseconds_of(container: Container, query: str) -> float:
    """Embedding this query, and one search of the index, in this process."""
    started = time.perf_counter()
    vector = container.query_embedder.embed([query])[0]
    found = container.follower.nearest(
        workspace_id=Workspace.create_id(WORKSPACE),
        model=container.query_embedder.model.id,
        query=vector,
        limit=10,
        position=0,
    )
    assert found is not None
    return (time.perf_counter() - started) * 1000


def ask(port: int, queries: list[str]) -> list[float]:
    took = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for query in queries:
            started = time.perf_counter()
            answer = client.post("/graphql", json={"query": SEARCH, "variables": {"query": query}})
            took.append((time.perf_counter() - started) * 1000)
            found = answer.json()
            assert "errors" not in found, found["errors"]
    return took


if __name__ == "__main__":
    with ending():
        serve()
