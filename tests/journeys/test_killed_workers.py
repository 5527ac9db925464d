"""Workers are killed while an upload is read, embedded and projected: the result is exact."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, send
from projections.uploads.queries import upload
from tests.support.eventually import eventually
from tests.support.fake_embedder import HashEmbedder
from tests.support.ingest_worker import settings_for

WORDS = "build deploy broke fix review merge coffee lunch meeting late bug test release".split()  # noqa: SIM905


def write_export(path: Path, messages: int) -> tuple[set[str], set[str]]:
    """JSON lines with some texts said more than once. Returns all keys and all distinct texts."""
    random_ = random.Random(7)
    keys, texts = set(), set()
    with path.open("w") as file:
        for number in range(messages):
            text = " ".join(random_.choices(WORDS, k=5))
            if number % 3:
                text += f" {number}"
            keys.add(f"m{number}")
            texts.add(text)
            line = {
                "id": f"m{number}",
                "conversation": f"room {number % 7}",
                "author": f"person {number % 40}",
                "timestamp": 1_600_000_000 + number,
                "text": text,
            }
            file.write(json.dumps(line) + "\n")
    return keys, texts


def start_worker(url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.ingest_worker", url, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def kill(worker: subprocess.Popen[str]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    if worker.stdout:
        worker.stdout.close()


@pytest.mark.parametrize(
    ("kills", "messages"),
    [
        (5, 3_000),
        pytest.param(50, 20_000, marks=[pytest.mark.long, pytest.mark.timeout(1_200)]),
    ],
)
def test_killed_workers_lose_nothing_and_repeat_nothing(
    database_url: str, tmp_path: Path, kills: int, messages: int
) -> None:
    """kill -9 at random moments; then messages, vectors and audit rows are exactly right."""
    export = tmp_path / "export.jsonl"
    keys, texts = write_export(export, messages)
    settings = settings_for(database_url, tmp_path)
    random_ = random.Random(11)
    with open_container(settings, make_embedder=lambda _: HashEmbedder()) as container:
        workspace_id = ensure_workspace(container, "killed", cli_context(None))
        upload_id, _ = send(container, export, context=cli_context(workspace_id), options={})
        survived = 0
        for _ in range(kills):
            worker = start_worker(database_url, tmp_path)
            assert worker.stdout is not None
            assert worker.stdout.readline() == "working\n"
            time.sleep(random_.uniform(0.05, 0.9))
            survived += worker.poll() is None
            kill(worker)
        worker = start_worker(database_url, tmp_path)
        try:
            eventually(lambda: is_searchable(container, workspace_id, upload_id), 120)
            eventually(lambda: are_caught_up(container), 30)
        finally:
            kill(worker)

        assert survived == kills
        assert facts(container, keys, texts) == {
            "message keys": True,
            "messages": messages,
            "vectors": len(texts),
            "vector rows": len(texts),
            "texts as counted": messages,
            "audit rows": one(container, "SELECT count(*) FROM log.archive_events"),
            "searchable once": 1,
        }


def facts(container: Container, keys: set[str], texts: set[str]) -> dict[str, Any]:
    with container.pool.connection() as connection:
        found = [r[0] for r in connection.execute("SELECT message_key FROM read.message")]
    return {
        "message keys": set(found) == keys and len(found) == len(keys),
        "messages": len(found),
        "vectors": one(container, "SELECT count(DISTINCT text_key) FROM read.text_vector"),
        "vector rows": one(container, "SELECT count(*) FROM read.embedding"),
        "texts as counted": one(container, "SELECT sum(texts) FROM read.message_total"),
        "audit rows": one(container, "SELECT count(*) FROM read.audit_entry"),
        "searchable once": one(
            container,
            "SELECT count(*) FROM log.archive_events WHERE topic = 'upload.embedding_finished'",
        ),
    }


def one(container: Container, query: str) -> int:
    with container.pool.connection() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def is_searchable(container: Container, workspace_id: UUID, upload_id: UUID) -> bool:
    with container.pool.connection() as connection:
        row = upload(connection, workspace_id, upload_id)
    return row is not None and row.stage == "searchable"


def are_caught_up(container: Container) -> bool:
    head = one(container, "SELECT max(notification_id) FROM log.archive_events")
    behind = "SELECT count(*) FROM projection.projection WHERE position < "
    return one(container, f"{behind} {head}") == 0
