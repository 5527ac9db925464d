"""A million messages from a file into the message read model, against a bare COPY of its rows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from application.commands.read_upload import ReadUpload
from benchmarks.database import fresh_database
from benchmarks.graphql import LINE, WORKSPACE
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, send
from interfaces.cli.warming import collect_seldom, keep_for_good
from projections.messages.projection import MessagesReadModel

MESSAGES = 1_000_000
YEAR = 365 * 86_400
CHUNK = 1024 * 1024  # bytes
LOOK_SECONDS = 0.005
BARE = "bare_copy"  # a schema with the same tables and indexes
ROWS = "messages_v1.message"


def measure(data: Path, messages: int = MESSAGES) -> dict[str, Any]:
    """From the first byte received to the last row that can be read; nothing is embedded."""
    with fresh_database() as (url, folder):
        export = folder / "export.jsonl"
        write_export(data / "irc" / "ubuntu", export, messages)
        settings = Settings.from_env(
            {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        )
        with open_container(settings) as container:
            keep_for_good()
            collect_seldom()
            steps = ingest(container, export)
        rows, copied = copy_bare(url, folder / "rows")
        size = export.stat().st_size
    whole = sum(steps.values())
    return {
        "messages": rows,
        "bytes": size,
        "steps_s": steps,
        "ingest_s": whole,
        "copy_s": copied,
        "ratio": whole / copied,
        "goal": "at most 3",
    }


def write_export(folder: Path, export: Path, messages: int) -> None:
    """Real messages of a public channel, year after year the same ones."""
    written, years = 0, 0
    with export.open("w") as file:
        while written < messages:
            for path in sorted(folder.glob("*.raw.txt")):
                day = int(time.mktime(time.strptime(path.name[:10], "%Y-%m-%d")))
                for line in path.read_text("utf-8", "replace").splitlines():
                    found = LINE.match(line)
                    if found is None or written == messages:
                        continue
                    written += 1
                    at = day + years * YEAR + int(found[1]) * 3600 + int(found[2]) * 60
                    record = {"id": str(written), "conversation": "#ubuntu", "author": found[3]}
                    file.write(json.dumps({**record, "timestamp": at, "text": found[4]}) + "\n")
            years += 1
    export.chmod(0o644)


def ingest(container: Container, export: Path) -> dict[str, float]:
    """As two processes do it, of which one reads and the other follows."""
    context = cli_context(ensure_workspace(container, WORKSPACE, cli_context(None)))
    started = time.perf_counter()
    upload_id, _ = send(container, export, context=context, options={})
    received = time.perf_counter()
    with followed(container):
        container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
        read = time.perf_counter()
    return {
        "receiving": received - started,
        "reading": read - received,
        "following": time.perf_counter() - read,
    }


@contextmanager
def followed(container: Container) -> Iterator[None]:
    """The message read model goes on beside the reading; in the end it has reached the log."""
    is_read = threading.Event()

    def follow() -> None:
        while True:
            was_read = is_read.is_set()
            while container.runner.advance("messages"):
                continue
            if was_read:
                return
            is_read.wait(LOOK_SECONDS)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        is_read.set()
        thread.join()


def copy_bare(url: str, file: Path) -> tuple[int, float]:
    """How many rows there are, and how many seconds to copy them into a table with its indexes."""
    model = MessagesReadModel()
    with psycopg.connect(url, autocommit=True) as connection:
        with (
            file.open("wb") as target,
            connection.cursor().copy(f"COPY {ROWS} TO STDOUT (FORMAT binary)".encode()) as rows,
        ):
            for part in rows:
                target.write(part)
        connection.execute(f"CREATE SCHEMA {BARE}".encode())
        for script in (model.tables(BARE), model.indexes(BARE)):
            connection.execute(script.encode())
        started = time.perf_counter()
        with (
            file.open("rb") as source,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {BARE}.message FROM STDIN (FORMAT binary)".encode()) as copy,
        ):
            while chunk := source.read(CHUNK):
                copy.write(chunk)
        took = time.perf_counter() - started
        [count] = connection.execute(f"SELECT count(*) FROM {BARE}.message".encode()).fetchall()
        return count[0], took
