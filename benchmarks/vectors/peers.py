"""112,000 real vectors: ours, exact search, pgvector alone, and libraries of another Python."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psycopg

from benchmarks.database import fresh_database
from benchmarks.vectors.clock import summary, timed
from benchmarks.vectors.material import REAL, K, Vectors, near, nearest, recall
from benchmarks.vectors.ours import Exact, Ours, additions, filtered, one_thread, queries_of

ROUNDS = 3
OTHER_PYTHON = "PEERS_PYTHON"  # a Python that has them
OTHERS = ("chromadb", "lancedb", "txtai")
ABSENT = (
    "left out: they are no dependencies. Install them elsewhere, with `python -m venv /tmp/peers "
    "&& /tmp/peers/bin/pip install chromadb lancedb txtai faiss-cpu`, and set "
    f"{OTHER_PYTHON}=/tmp/peers/bin/python"
)
EF_SEARCH = (40, 100, 200)


class Engine(Protocol):
    name: str
    build_s: float
    bytes_a_vector: float

    def ask(self, queries: Vectors) -> tuple[list[float], list[list[int]]]: ...


class Here:
    """In this process."""

    def __init__(self, inner: Ours | Exact) -> None:
        self.name, self.build_s = inner.name, inner.build_s
        self.bytes_a_vector = inner.bytes_a_vector
        self._inner = inner

    def ask(self, queries: Vectors) -> tuple[list[float], list[list[int]]]:
        return timed(self._inner.search, list(queries))


class Pgvector:
    """A table with an HNSW graph over 16 bits a number, asked over a Unix socket."""

    def __init__(self, connection: psycopg.Connection[Any], ef_search: int, found: Any) -> None:
        self.name = f"pgvector, ef_search {ef_search}"
        self._connection, self._ef_search = connection, ef_search
        self.build_s, self.bytes_a_vector = found

    def ask(self, queries: Vectors) -> tuple[list[float], list[list[int]]]:
        self._connection.execute(f"SET hnsw.ef_search = {self._ef_search}".encode())
        texts = [text_of(query) for query in queries]
        statement = f"SELECT id FROM v ORDER BY e <#> %s::halfvec LIMIT {K}".encode()

        def search(text: Any) -> list[int]:
            rows = self._connection.execute(statement, (text,), prepare=True).fetchall()
            return [row[0] for row in rows]

        return timed(search, texts)


class Other:
    """A process of the other Python, which holds one library's index."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name, self._process = name, process
        self._asks = "ask"
        built = self._read()
        self.build_s, self.bytes_a_vector = built["build_s"], built["bytes_a_vector"]

    def widen(self) -> None:
        """From now on it looks at more."""
        self.name, self._asks = f"{self.name}, widened", "widen"

    def ask(self, queries: Vectors) -> tuple[list[float], list[list[int]]]:
        """Of the same queries, which it has a copy of."""
        del queries
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._asks}\n")
        self._process.stdin.flush()
        answer = self._read()
        return answer["milliseconds"], answer["found"]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"{self.name} ended without an answer")


def measure(vectors: Vectors) -> dict[str, Any]:
    """Engines take turns, so that what else the machine does weighs on each alike."""
    archive, queries = np.ascontiguousarray(vectors[:REAL]), queries_of(vectors)
    result: dict[str, Any] = one_thread(lambda: compare(archive, queries))
    return result


def compare(archive: Vectors, queries: Vectors) -> dict[str, Any]:
    expected = nearest(archive, queries)
    jittered = near(archive, len(queries), np.random.default_rng(3))
    with ExitStack() as stack:
        ours = Ours(archive)
        engines: list[Engine] = [Here(ours), Here(Exact(archive))]
        engines += stack.enter_context(pgvector(archive))
        engines += stack.enter_context(others(archive, queries))
        rows = in_turns(engines, queries, expected)
        for other in engines:
            if isinstance(other, Other):
                other.widen()
        widened = [engine for engine in engines if isinstance(engine, Other | Here)]
        rows |= {
            f"{name} again" if name in rows else name: row
            for name, row in in_turns(widened, queries, expected).items()
        }
        milliseconds, found = timed(ours.search, list(jittered))
        return {
            "engines": rows,
            "ours_asked_with_jittered": {
                "recall": round(recall(found, nearest(archive, jittered)), 4),
                **summary(milliseconds),
            },
            "filtered": filtered(ours, archive, queries),
            "adding_10000_s": additions(ours, archive),
            "others": "measured" if os.environ.get(OTHER_PYTHON) else ABSENT,
            "goal": "p50 0.25 ms at 0.98, 450 bytes; 3 times the queries a second of each",
        }


def in_turns(
    engines: Sequence[Engine], queries: Vectors, expected: Any
) -> dict[str, dict[str, float]]:
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    recalls: dict[str, float] = {}
    for _ in range(ROUNDS):
        for engine in engines:
            milliseconds, found = engine.ask(queries)
            times[engine.name] += milliseconds
            recalls[engine.name] = recall(found, expected)
    return {
        engine.name: {
            "recall": round(recalls[engine.name], 4),
            **summary(times[engine.name]),
            "bytes_a_vector": round(engine.bytes_a_vector, 1),
            "build_s": round(engine.build_s, 1),
        }
        for engine in engines
    }


@contextmanager
def pgvector(archive: Vectors) -> Iterator[list[Engine]]:
    with fresh_database() as (url, _), psycopg.connect(url, autocommit=True) as connection:
        started = time.perf_counter()
        size = archive.shape[1]
        connection.execute(f"CREATE TABLE v (id int, e halfvec({size}) STORAGE PLAIN)".encode())
        with connection.cursor() as cursor, cursor.copy("COPY v FROM STDIN") as copy:
            for id_, row in enumerate(archive):
                copy.write_row((id_, text_of(row)))
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("CREATE INDEX ON v USING hnsw (e halfvec_ip_ops)")
        connection.execute("ANALYZE v")
        seconds = time.perf_counter() - started
        [(size,)] = connection.execute("SELECT pg_total_relation_size('v')").fetchall()
        built = (seconds, size / len(archive))
        yield [Pgvector(connection, ef_search, built) for ef_search in EF_SEARCH]


@contextmanager
def others(archive: Vectors, queries: Vectors) -> Iterator[list[Engine]]:
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        print(f"vectors: other libraries: {ABSENT}")
        yield []
        return
    script = Path(__file__).with_name("other_library.py")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        np.save(folder / "archive.npy", archive)
        np.save(folder / "queries.npy", queries)
        engines: list[Engine] = []
        for other in OTHERS:
            process = subprocess.Popen(
                [python, str(script), other, name, str(K)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            engines.append(Other(other, process))
        yield engines


def text_of(vector: Vectors) -> str:
    return "[" + ",".join(map(str, vector.tolist())) + "]"
