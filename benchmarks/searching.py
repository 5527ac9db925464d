"""
Whole searches over a million messages: over HTTP at a steady rate, and what their audit costs.

The archive is made once and kept in var/benchmarks: real messages of a public channel, year after
year with their words in another order, and vectors that are real or a little off.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from application.commands.embed_upload import EmbedUpload, EmbedUploadHandler
from application.commands.read_upload import ReadUpload
from application.ports.embedder import EmbeddingModel
from application.ports.search import SearchRequest
from application.searches import understood
from benchmarks.database import advance, fresh_database
from benchmarks.embedding import messages
from benchmarks.graphql import LINE, WORKSPACE, running
from benchmarks.serving import ingest_sample
from benchmarks.vectors import material
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, send

KEPT = Path(__file__).parents[1] / "var" / "benchmarks"
MESSAGES = 1_000_000
YEAR = 365 * 86_400
RATE = 30.0  # requests a second
SECONDS = 120.0  # of each kind of search
CLIENTS = 64
PAUSE = 0.5  # seconds that who searches reads before asking again: some 120 searches a second
WARM = 60  # requests
WORDS_OF_A_QUERY = 6
COMMON = ("the", "to the", "is it in the", "how do i install it", "you can do that", "ubuntu")
SEARCH = """
query ($query: String!, $mode: SearchMode!) {
  search(query: $query, workspace: "bench", mode: $mode) {
    ... on SearchResult {
      engine hits { score probability reasons message { text sentAt } before { text } }
    }
    ... on Refusal { code }
  }
}
"""
PREPARED = "SELECT upload_id, stage FROM read.upload"


def measure(data: Path, count: int = MESSAGES, seconds: float = SECONDS) -> dict[str, Any]:
    folder = KEPT / f"searching-{count}"
    environment = {"CHATLEDGER_DATA_DIR": str(folder)}
    with open_container(Settings.from_env(environment)) as container:
        prepare(container, data, folder, count)
    with running(environment) as port:
        began = time.monotonic()
        wait_until_in_memory(port)
        loaded = time.monotonic() - began
        asked = queries(data)
        kinds = {
            "hybrid": [(query, "HYBRID") for query in asked],
            "meaning": [(query, "MEANING") for query in asked],
            "words": [(query, "WORDS") for query in asked],
            "common_words": [(query, "WORDS") for query in COMMON * (len(asked) // len(COMMON))],
            "from": [(f"{query} from:ubottu", "HYBRID") for query in asked],
            "has_link": [(f"{query} has:link", "HYBRID") for query in asked],
            "after": [(f"{query} after:2010-01-01", "HYBRID") for query in asked],
            "excluding": [(f"{query} -install", "HYBRID") for query in asked],
        }
        at_a_rate(port, kinds["hybrid"], WARM / RATE)
        found = {kind: at_a_rate(port, pairs, seconds) for kind, pairs in kinds.items()}
    return {
        "messages": count,
        "in_memory_after_s": round(loaded, 1),
        "rate_per_s": RATE,
        "kinds": found,
        "audit": measure_audit(data),
        "goal": "hybrid p50 at most 25 ms, p95 80 ms, no error; common words p95 60 ms; "
        "audit at most 2 ms at p50",
    }


# The archive


class NearbyVectors:
    """What a model said of the texts whose words these are, and a little off for each other one."""

    def __init__(self, data: Path) -> None:
        self._embedder = MiniLmEmbedder(cache_dir=KEPT)
        material.real(data)
        self._vectors = np.load(material.KEPT)
        texts = list(dict.fromkeys(messages(data / "irc", 10**9)))
        self._rows = {words_of(text): row for row, text in enumerate(texts)}

    @property
    def model(self) -> EmbeddingModel:
        return self._embedder.model

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        found = np.empty((len(texts), self._vectors.shape[1]), np.float32)
        for number, text in enumerate(texts):
            seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
            random = np.random.Generator(np.random.PCG64(seed))
            off = random.standard_normal(self._vectors.shape[1], dtype=np.float32) * material.JITTER
            vector = self._vectors[self._rows[words_of(text)]] + off
            found[number] = vector / np.linalg.norm(vector)
        if on_progress is not None:
            on_progress(len(texts))
        return found


def words_of(text: str) -> str:
    return " ".join(sorted(text.split()))


def prepare(container: Container, data: Path, folder: Path, count: int) -> None:
    """Nothing, where it is prepared already; what was begun goes on."""
    with container.pool.connection() as connection:
        rows = connection.execute(PREPARED).fetchall()
    if not rows:
        export = folder / "export.jsonl"
        write_export(data / "irc" / "ubuntu", export, count)
        context = cli_context(ensure_workspace(container, WORKSPACE, cli_context(None)))
        upload_id, _ = send(container, export, context=context, options={})
        container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
        export.unlink()
        advance(container)
        rows = [(upload_id, "read")]
    [(upload_id, stage)] = rows
    if stage != "searchable":
        embed(container, data, upload_id)


def embed(container: Container, data: Path, upload_id: UUID) -> None:
    advance(container)
    catalogue = PostgresVectorCatalogue(container.pool, container.positions)
    handler = EmbedUploadHandler(container.archive, NearbyVectors(data), catalogue)
    handler(EmbedUpload(upload_id=upload_id), should_stop=lambda: False)
    advance(container)


def write_export(folder: Path, export: Path, count: int) -> None:
    written, years = 0, 0
    with export.open("w") as file:
        while written < count:
            for path in sorted(folder.glob("*.raw.txt")):
                day = int(time.mktime(time.strptime(path.name[:10], "%Y-%m-%d")))
                for line in path.read_text("utf-8", "replace").splitlines():
                    found = LINE.match(line)
                    if found is None or written == count:
                        continue
                    words = found[4].split()
                    first = years % len(words) if words else 0
                    text = " ".join(words[first:] + words[:first]) if first else found[4]
                    written += 1
                    at = day + years * YEAR + int(found[1]) * 3600 + int(found[2]) * 60
                    record = {"id": str(written), "conversation": f"#ubuntu-{years}"}
                    record |= {"author": found[3], "timestamp": at, "text": text}  # type: ignore[dict-item]
                    file.write(json.dumps(record) + "\n")
            years += 1
    export.chmod(0o644)


def queries(data: Path) -> list[str]:
    """The beginnings of real messages, as people type them."""
    texts = list(dict.fromkeys(messages(data / "irc", 20_000)))
    begun = (" ".join(text.split()[:WORDS_OF_A_QUERY]) for text in texts[::7])
    plain = (text.replace(":", " ").replace('"', " ").replace("*", " ") for text in begun)
    return [text for text in plain if any(map(str.isalpha, text)) and text[0].isalnum()]


# Over HTTP


def wait_until_in_memory(port: int) -> None:
    """Until vectors and messages are in memory; before, the database answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        lags = [line for line in text.splitlines() if "_lag_positions" in line and line[0] != "#"]
        counts = [line for line in text.splitlines() if line.startswith("chatledger_messages_in_m")]
        if len(lags) == 2 and all(line.endswith(" 0.0") for line in lags) and counts:
            connection.close()
            return
        time.sleep(0.5)


def at_a_rate(port: int, pairs: Sequence[tuple[str, str]], seconds: float) -> dict[str, Any]:
    """
    Each at its time, whether or not those before have been answered; what it waits counts.
    """
    local = threading.local()
    began = time.perf_counter() + 0.1

    def ask(number: int) -> float | None:
        due = began + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        query, mode = pairs[number % len(pairs)]
        body = json.dumps({"query": SEARCH, "variables": {"query": query, "mode": mode}})
        local.connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        answer = json.loads(local.connection.getresponse().read())
        took = (time.perf_counter() - due) * 1000
        is_right = "errors" not in answer and "hits" in answer["data"]["search"]
        return took if is_right else None

    with ThreadPoolExecutor(CLIENTS) as clients:
        took = list(clients.map(ask, range(int(seconds * RATE))))
    right = [milliseconds for milliseconds in took if milliseconds is not None]
    return {
        "requests": len(took),
        "errors": len(took) - len(right),
        "p50_ms": round(float(np.percentile(right, 50)), 1),
        "p95_ms": round(float(np.percentile(right, 95)), 1),
        "max_ms": round(max(right), 1),
    }


# The audit


def measure_audit(data: Path) -> dict[str, Any]:
    """On a small archive: what is appended does not depend on its size."""
    with fresh_database() as (url, folder):
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        ingest_sample(environment)
        with open_container(Settings.from_env(environment)) as container:
            container.words_follower.start()
            while not container.words_follower.is_trusted:
                time.sleep(0.1)
            return audit_cost(container, queries(data))


def audit_cost(container: Container, asked: Sequence[str]) -> dict[str, Any]:
    """
    What 64 people who search wait for the log beyond what they do anyway: where each of them reads
    for a while before asking again, and where nobody ever pauses and all wait for two cores.
    """
    workspace_id = Workspace.create_id(WORKSPACE)
    context = cli_context(workspace_id)
    requests = [
        SearchRequest(workspace_id=workspace_id, query=q, mode="words") for q in asked[:640]
    ]

    def unaudited(request: SearchRequest) -> None:
        container.searcher.search(request, understood(request))

    def audited(request: SearchRequest) -> None:
        container.perform_search(request, context)

    found: dict[str, Any] = {}
    for name, pause in (("pausing", PAUSE), ("never_pausing", 0.0)):
        rounds: dict[str, list[float]] = {"unaudited": [], "audited": []}
        for number in range(7):
            for kind, search in (("unaudited", unaudited), ("audited", audited)):
                p50 = concurrently(search, requests, pause)
                if number:  # the first one warms up
                    rounds[kind].append(p50)
        medians = {kind: float(np.median(p50s)) for kind, p50s in rounds.items()}
        found[name] = {
            "unaudited_p50_ms": round(medians["unaudited"], 2),
            "audited_p50_ms": round(medians["audited"], 2),
            "costs_ms": round(medians["audited"] - medians["unaudited"], 2),
        }
    return found


def concurrently(
    search: Callable[[SearchRequest], None], requests: Sequence[SearchRequest], pause: float
) -> float:
    """The p50, in milliseconds; each client pauses for so many seconds, more or less."""
    random = np.random.default_rng(5)
    pauses = random.uniform(0.5 * pause, 1.5 * pause, len(requests))

    def timed(asked: tuple[SearchRequest, float]) -> float:
        request, seconds = asked
        time.sleep(seconds)
        started = time.perf_counter()
        search(request)
        return (time.perf_counter() - started) * 1000

    with ThreadPoolExecutor(CLIENTS) as threads:
        return float(
            np.percentile(list(threads.map(timed, zip(requests, pauses, strict=True))), 50)
        )
