"""HTTP servers under the same application: uploads, a GraphQL query, a WebSocket's echo."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import psutil
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.database import fresh_database
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.settings import Settings
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import working
from interfaces.http.app import make_app
from projections.uploads.queries import uploads

SAMPLE = Path(__file__).parents[1] / "tests" / "samples" / "exports" / "slack-export.zip"
ROUNDS = 3
CLIENTS = 64
SECONDS = 4  # of one round of queries
UPLOAD = 50 * 1024 * 1024  # bytes
ECHOES = 200  # a client
SERVERS = ("uvicorn", "granian")
QUERY = """
query ($id: ID!) {
  upload(id: $id, workspace: "bench") { id filename stage size counts { messages } }
}
"""


def measure() -> dict[str, Any]:
    """Servers take turns, so that what else the machine does weighs on each alike."""
    if which("wrk") is None:
        return {"left_out": "wrk is not installed"}
    names = [name for name in SERVERS if importlib.util.find_spec(name)]
    if "granian" not in names:
        print("serving: granian is not installed, and left out")
    with fresh_database() as (url, folder):
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        upload_id = ingest_sample(environment)
        found: dict[str, Any] = {}
        for processes in (1, 2):
            rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
            for _ in range(ROUNDS):
                for name in names:
                    with running(name, processes, environment) as port:
                        rounds[name].append(one_round(port, upload_id, folder))
            found[f"{processes} processes"] = {
                name: middle(results) for name, results in rounds.items()
            }
    return found


def middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(r[key] for r in rounds), 2) for key in rounds[0]}


def ingest_sample(environment: dict[str, str]) -> str:
    with open_container(Settings.from_env(environment)) as container, working(container):
        ingest_files(container, (SAMPLE,), "bench", {}, Console(quiet=True))
        with container.pool.connection() as connection:
            (row,) = uploads(connection, Workspace.create_id("bench"))
    return str(row.upload_id)


def application() -> Starlette:
    """Made in each server process; what it opens is closed by the process's end."""
    container = open_container(Settings.from_env()).__enter__()
    return Starlette(
        routes=[
            Route("/take", take, methods=["POST"]),
            WebSocketRoute("/echo", echo),
            Mount("/", make_app(container)),
        ]
    )


async def take(request: Request) -> Response:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return Response(str(size))


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


@contextmanager
def running(name: str, processes: int, environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = ["benchmarks.serving:application", "--factory", "--port", str(port)]
    workers = ["--workers", str(processes)]
    command = {
        "uvicorn": ["uvicorn", *common, *workers, "--loop", "uvloop", "--http", "httptools",
                    "--ws", "websockets-sansio", "--no-access-log", "--log-level", "warning"],
        "granian": ["granian", *common, *workers, "--interface", "asginl", "--loop", "uvloop",
                    "--no-access-log", "--log-level", "warning"],
    }[name]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", *command], env=os.environ | environment)
    try:
        wait_until_ready(port, process, processes)
        yield port
    finally:
        tree = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        for child in tree:
            if child.is_running():
                child.kill()


def wait_until_ready(port: int, process: subprocess.Popen[bytes], processes: int) -> None:
    """Several processes share the port: all have to be there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(0.5 + 1.5 * (processes - 1))
            return
    raise RuntimeError("the server did not become ready")


def one_round(port: int, upload_id: str, folder: Path) -> dict[str, float]:
    found = queries(port, upload_id, folder)
    found["upload_MB_per_s"] = upload_rate(port)
    found["echoes_per_s"] = asyncio.run(echo_rate(port))
    return found


def queries(port: int, upload_id: str, folder: Path) -> dict[str, float]:
    script = folder / "query.lua"
    body = json.dumps({"query": QUERY, "variables": {"id": upload_id}})
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["data"]["upload"]["stage"] == "SEARCHABLE"
    script.write_text(
        f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n"
        "wrk.headers['Content-Type'] = 'application/json'\n"
    )
    script.chmod(0o644)
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/graphql"], capture_output=True, text=True, check=True
    )
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert rate is not None
    return {
        "queries_per_s": float(rate[1]),
        "query_p50_ms": milliseconds(done.stdout, "50%"),
        "query_p99_ms": milliseconds(done.stdout, "99%"),
    }


def milliseconds(said: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", said)
    assert found is not None
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def upload_rate(port: int) -> float:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/take", bytes(UPLOAD))
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert int(answer.read()) == UPLOAD
    return UPLOAD / 1e6 / (time.perf_counter() - started)


async def echo_rate(port: int) -> float:
    from websockets.asyncio.client import connect

    async def client() -> None:
        async with connect(f"ws://127.0.0.1:{port}/echo", compression=None) as connection:
            for _ in range(ECHOES):
                await connection.send("an item of a subscription")
                await connection.recv()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return CLIENTS * ECHOES / (time.perf_counter() - started)
