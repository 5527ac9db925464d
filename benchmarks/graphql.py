"""What GraphQL costs beside the same row as plain JSON, and a search beside its two parts."""

from __future__ import annotations

import functools
import http.client
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

import faiss
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
from infrastructure.vectors.rows import NEW, decode
from interfaces.cli.ending import ending
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import projections_woken, working
from interfaces.cli.serving import Server, bind, configuration
from interfaces.cli.warming import warm
from interfaces.http.app import make_app
from interfaces.http.stopping import StoppableBodies
from projections.uploads.queries import upload

ROUNDS = 5
SECONDS = 10  # of one round: the first answers of 64 new connections are not what is measured
PAUSE_MS = 100  # of a client that does not ask again at once, as people do not
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
    ... on SearchResult { engine hits { score message { text } } }
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
            pausing = script(
                folder / "pausing.lua",
                {"query": UPLOAD, "variables": {"id": upload_id}},
                pause_ms=PAUSE_MS,
            )
            paced = [load(pausing, f"http://127.0.0.1:{port}/graphql") for _ in range(ROUNDS)]
    return {
        "rounds": rounds,
        "requests_ratio": middle(r["bare"]["per_s"] / r["graphql"]["per_s"] for r in rounds),
        "p50_ratio": middle(r["graphql"]["p50_ms"] / r["bare"]["p50_ms"] for r in rounds),
        "p99_ratio": middle(r["graphql"]["p99_ms"] / r["bare"]["p99_ms"] for r in rounds),
        "graphql_p99_ms": middle(r["graphql"]["p99_ms"] for r in rounds),
        "pausing": {
            "pause_ms": PAUSE_MS,
            "per_s": middle(r["per_s"] for r in paced),
            "p50_ms": middle(r["p50_ms"] for r in paced),
            "p99_ms": middle(r["p99_ms"] for r in paced),
        },
        "goal": "ratios at most 3; p99 of 64 clients at most 50 ms",
    }


def require_data(port: int, body: Any) -> None:
    """An error would be answered quickly, and with status 200."""
    found = httpx.post(f"http://127.0.0.1:{port}/graphql", json=body, timeout=30).json()
    assert found["data"]["upload"]["stage"], found


def middle(values: Any) -> float:
    return round(statistics.median(values), 2)


def script(path: Path, body: Any, pause_ms: int = 0) -> Path:
    text = "wrk.method = 'GET'\n"
    if body is not None:
        text = (
            f"wrk.method = 'POST'\nwrk.body = [==[{json.dumps(body)}]==]\n"
            "wrk.headers['Content-Type'] = 'application/json'\n"
        )
    if pause_ms:
        text += f"function delay() return {pause_ms} end\n"
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
        container.words_follower.start()
        app = Starlette(
            routes=[
                Route("/bare/{id:uuid}", functools.partial(bare_row, container)),
                Mount("/", make_app(container)),
            ]
        )
        bodies = StoppableBodies(app)
        listener = bind(settings)
        warm(container.query_embedder).join()
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
            exact = exact_index(container)
            parts = [milliseconds_of(container, exact, q) for q in queries[:SEARCHES]][WARM:]
            vectors = exact.ntotal
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


def exact_index(container: Container) -> Any:
    """FAISS as anybody would use it, with all vectors of the archive."""
    model = container.query_embedder.model
    with container.pool.connection() as connection:
        rows = connection.execute(NEW, (model.id, 0, 2**62, MESSAGES), binary=True).fetchall()
    index = faiss.IndexFlatIP(model.dimensions)
    index.add(decode([row[2] for row in rows], model.dimensions))
    faiss.omp_set_num_threads(1)  # one query alone is slower with two
    return index


def milliseconds_of(container: Container, index: Any, query: str) -> float:
    """Embedding this query, and one exact search of the index, in this process."""
    started = time.perf_counter()
    index.search(container.query_embedder.embed([query]), 10)
    return (time.perf_counter() - started) * 1000


def ask(port: int, queries: list[str]) -> list[float]:
    """One after the other, once the server has all vectors in memory."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    deadline = time.monotonic() + 60
    while search(client, "hello")["engine"] != "faiss" and time.monotonic() < deadline:
        time.sleep(0.1)
    took = []
    for query in queries:
        started = time.perf_counter()
        found = search(client, query)
        took.append((time.perf_counter() - started) * 1000)
        assert found["engine"] == "faiss"
    client.close()
    return took


def search(client: http.client.HTTPConnection, query: str) -> Any:
    body = json.dumps({"query": SEARCH, "variables": {"query": query}})
    client.request("POST", "/graphql", body, {"Content-Type": "application/json"})
    found = json.loads(client.getresponse().read())
    assert "errors" not in found, found["errors"]
    return found["data"]["search"]


if __name__ == "__main__":
    with ending():
        serve()
