"""
A query's text in, ten messages' texts out: beside txtai and chromadb, with the same model.

All hold the same 112,000 messages, which are made once and kept in var/benchmarks, and are asked
in process, one query after another.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np

from application.commands.embed_upload import EmbedUpload, EmbedUploadHandler
from application.commands.read_upload import ReadUpload
from application.ports.embedder import EmbeddingModel
from application.ports.search import SearchRequest
from application.searches import understood
from benchmarks.database import advance
from benchmarks.embedding import messages
from benchmarks.graphql import LINE, WORKSPACE
from benchmarks.searching import KEPT, PREPARED, WORDS_OF_A_QUERY
from benchmarks.vectors import material
from benchmarks.vectors.clock import summary, timed
from benchmarks.vectors.peers import OTHER_PYTHON
from domain.search import SearchMode
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.embedders.weights import MINILM, packaged_model
from infrastructure.search.catalogue import PostgresVectorCatalogue
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, send
from interfaces.cli.warming import keep_for_good, take_short_turns

QUERIES = 300
ROUNDS = 3
WARM = 30  # queries of each, before any is timed
K = 10
ONE = 1  # thread, as the model of our queries has
PEERS = ("txtai", "chromadb")
ABSENT = (
    "left out: they are no dependencies. Install them elsewhere, with `python -m venv /tmp/peers "
    "&& /tmp/peers/bin/pip install chromadb txtai faiss-cpu sentence-transformers`, and set "
    f"{OTHER_PYTHON}=/tmp/peers/bin/python"
)
CATCH_UP_SECONDS = 120.0


class Material(NamedTuple):
    texts: list[str]  # all different
    vectors: material.Vectors  # of the texts
    queries: list[str]  # how messages begin that are none of them


class Engine(Protocol):
    name: str

    def ask(self) -> tuple[list[float], list[list[str]]]:
        """Milliseconds of each query, and the texts that it found."""
        ...

    def embed(self) -> list[float]:
        """Milliseconds that the model takes of each."""
        ...


def measure(data: Path) -> dict[str, Any]:
    chosen = chosen_of(data)
    folder = KEPT / f"whole-path-{len(chosen.texts)}"
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"CHATLEDGER_DATA_DIR": str(folder / "ours")}
    with ExitStack() as stack:
        others = stack.enter_context(peers(folder, chosen))
        container = stack.enter_context(open_container(Settings.from_env(environment)))
        prepare(container, data, folder, chosen)
        hold_in_memory(container)
        engines: list[Engine] = [*ours(container, chosen.queries), *others]
        return {
            "load": os.getloadavg(),
            "messages": len(chosen.texts),
            "queries": len(chosen.queries) - WARM,
            **in_turns(engines, nearest_texts(container, chosen)),
            "peers": "measured" if others else ABSENT,
            "load_at_the_end": os.getloadavg(),
        }


def chosen_of(data: Path) -> Material:
    """Real messages; those that come after them in random order are what queries begin with."""
    material.real(data)
    texts = list(dict.fromkeys(messages(data / "irc", 10**9)))
    order = np.random.default_rng(7).permutation(len(texts))
    kept = np.sort(order[: material.REAL])
    begun = (texts[row].split()[:WORDS_OF_A_QUERY] for row in order[material.REAL :])
    asked = [" ".join(words) for words in begun if all(word.isalpha() for word in words)]
    return Material(
        [texts[row] for row in kept], np.load(material.KEPT)[kept], asked[: QUERIES + WARM]
    )


# The archive


class KnownVectors:
    """What the model has said of the texts before."""

    model: EmbeddingModel = MINILM

    def __init__(self, chosen: Material) -> None:
        self._vectors = chosen.vectors
        self._rows = {" ".join(text.split()): row for row, text in enumerate(chosen.texts)}

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> material.Vectors:
        del on_progress
        found: material.Vectors = self._vectors[[self._rows[" ".join(t.split())] for t in texts]]
        return found


def prepare(container: Container, data: Path, folder: Path, chosen: Material) -> None:
    """Nothing, where it is prepared already; what was begun goes on."""
    with container.pool.connection() as connection:
        rows = connection.execute(PREPARED).fetchall()
    if not rows:
        export = folder / "export.jsonl"
        write_export(data / "irc" / "ubuntu", export, chosen.texts)
        context = cli_context(ensure_workspace(container, WORKSPACE, cli_context(None)))
        upload_id, _ = send(container, export, context=context, options={})
        container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
        export.unlink()
        rows = [(upload_id, "read")]
    [(upload_id, stage)] = rows
    advance(container)
    if stage != "searchable":
        catalogue = PostgresVectorCatalogue(container.pool, container.positions)
        handler = EmbedUploadHandler(container.archive, KnownVectors(chosen), catalogue)
        handler(EmbedUpload(upload_id=UUID(str(upload_id))), should_stop=lambda: False)
        advance(container)


def write_export(folder: Path, export: Path, texts: Sequence[str]) -> None:
    """Each text once, as it was said first."""
    wanted = set(texts)
    with export.open("w", encoding="utf-8") as file:
        for path in sorted(folder.glob("*.raw.txt")):
            day = int(time.mktime(time.strptime(path.name[:10], "%Y-%m-%d")))
            for line in path.read_text("utf-8", "replace").splitlines():
                found = LINE.match(line)
                if found is None or found[4] not in wanted:
                    continue
                wanted.remove(found[4])
                at = day + int(found[1]) * 3600 + int(found[2]) * 60
                record = {"conversation": "#ubuntu", "author": found[3], "timestamp": at}
                file.write(json.dumps({**record, "id": str(len(wanted)), "text": found[4]}) + "\n")
    if wanted:
        raise RuntimeError(f"{len(wanted)} texts are in no file, for example {wanted.pop()!r}")
    export.chmod(0o644)


def hold_in_memory(container: Container) -> None:
    """
    As a server does when it starts.

    Raises:
        RuntimeError: if messages and vectors are not in memory after two minutes.
    """
    container.follower.start()
    container.words_follower.start()
    container.query_embedder.load()
    head = container.archive.event_log.head()
    deadline = time.monotonic() + CATCH_UP_SECONDS
    followers = (container.follower, container.words_follower)
    while not all(one.is_trusted and one.position >= head for one in followers):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not in memory after {CATCH_UP_SECONDS:.0f} s")
        time.sleep(0.1)
    keep_for_good()
    take_short_turns()  # as the server does


# Who is asked


class Ours:
    """
    Args:
        is_plain: ten texts and nothing else; otherwise all that an answer shows by default: what
            was said before and after, marked words, how many say the same.
    """

    def __init__(
        self, container: Container, queries: Sequence[str], mode: SearchMode, *, is_plain: bool
    ) -> None:
        self.name = f"ours, {mode}" + ("" if is_plain else ", all that is shown")
        self._container, self._queries = container, queries
        self._steps: dict[str, list[float]] = {}
        self._workspace_id = Workspace.create_id(WORKSPACE)
        self._options: dict[str, Any] = {"mode": mode, "limit": K}
        if is_plain:
            shown = ("with_highlights", "with_same_text", "with_duplicates")
            self._options |= {"context": 0, **dict.fromkeys(shown, False)}

    def ask(self) -> tuple[list[float], list[list[str]]]:
        return timed(self._search, self._queries)

    def embed(self) -> list[float]:
        embedder = self._container.query_embedder
        return timed(lambda query: embedder.embed([query]), self._queries)[0]  # type: ignore[arg-type, return-value]

    def _search(self, query: str) -> Any:
        request = SearchRequest(workspace_id=self._workspace_id, query=query, **self._options)
        answer = self._container.searcher.search(request, understood(request))
        if answer.engine == "pgvector":
            raise RuntimeError("PostgreSQL compared the vectors: they are not in memory")
        for step, milliseconds in answer.timings_ms.items():
            self._steps.setdefault(step, []).append(milliseconds)
        return [hit.message.text for hit in answer.hits]

    def steps(self) -> dict[str, float]:
        """What each takes at p50, in milliseconds, over all that was asked."""
        return {step: round(float(np.median(each)), 2) for step, each in self._steps.items()}


def ours(container: Container, queries: Sequence[str]) -> list[Ours]:
    return [
        Ours(container, queries, "meaning", is_plain=True),
        Ours(container, queries, "hybrid", is_plain=True),
        Ours(container, queries, "words", is_plain=True),
        Ours(container, queries, "hybrid", is_plain=False),
    ]


class Peer:
    """
    A process of the other Python, which holds one library's archive.

    Args:
        threads: of its model; 0: as many as it takes by itself.
    """

    def __init__(self, name: str, process: subprocess.Popen[str], threads: int) -> None:
        self.name = name if not threads else f"{name}, one thread"
        self._process, self._threads = process, threads

    def ask(self) -> tuple[list[float], list[list[str]]]:
        answer = self._do("search")
        return answer["milliseconds"], answer["found"]

    def embed(self) -> list[float]:
        milliseconds: list[float] = self._do("embed")["milliseconds"]
        return milliseconds

    def _do(self, what: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {self._threads}\n")
        self._process.stdin.flush()
        return self.read()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"{self.name} ended without an answer")


@contextmanager
def peers(folder: Path, chosen: Material) -> Iterator[list[Peer]]:
    """Filled one after the other, where they are not yet: minutes."""
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        print(f"whole_path: other libraries: {ABSENT}")
        yield []
        return
    script = Path(__file__).with_name("whole_libraries.py")
    (folder / "texts.json").write_text(json.dumps(chosen.texts), encoding="utf-8")
    (folder / "queries.json").write_text(json.dumps(chosen.queries), encoding="utf-8")
    np.save(folder / "vectors.npy", chosen.vectors)
    with ExitStack() as stack:
        engines: list[Peer] = []
        for name in PEERS:
            process = subprocess.Popen(
                [python, str(script), name, str(folder), str(packaged_model()), str(K)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            engines += [Peer(name, process, threads) for threads in (0, ONE)]
            engines[-1].read()  # that it is filled
        yield engines


# What is said of them


def in_turns(engines: Sequence[Engine], expected: Sequence[set[str]]) -> dict[str, Any]:
    """So that what else the machine does weighs on each alike."""
    whole: dict[str, list[float]] = {engine.name: [] for engine in engines}
    model: dict[str, list[float]] = {engine.name: [] for engine in engines}
    found: dict[str, list[list[str]]] = {}
    for _ in range(ROUNDS):
        for engine in engines:
            milliseconds, found[engine.name] = engine.ask()
            whole[engine.name] += milliseconds[WARM:]
            model[engine.name] += engine.embed()[WARM:]
    rows = {
        name: {
            **summary(whole[name]),
            "model_p50_ms": round(float(np.median(model[name])), 2),
            "hits": round(float(np.mean([len(texts) for texts in found[name]])), 2),
            "of_the_ten_nearest": shared(found[name], expected),
        }
        for name in whole
    }
    ratios = {
        f"{name} beside {other}": round(rows[other]["p50_ms"] / rows[name]["p50_ms"], 2)
        for name in rows
        for other in rows
        if name.startswith("ours") and other.startswith(PEERS)
    }
    steps = {engine.name: engine.steps() for engine in engines if isinstance(engine, Ours)}
    return {"engines": rows, "times_the_queries_a_second": ratios, "steps_p50_ms": steps}


def shared(found: Sequence[Sequence[str]], expected: Sequence[set[str]]) -> float:
    parts = [len(set(texts) & near) / K for texts, near in zip(found, expected, strict=True)]
    return round(float(np.mean(parts)), 3)


def nearest_texts(container: Container, chosen: Material) -> list[set[str]]:
    """By exact search with our vectors of the queries."""
    rows = material.nearest(chosen.vectors, container.query_embedder.embed(chosen.queries), K)
    return [{chosen.texts[row] for row in found} for found in rows.tolist()]
