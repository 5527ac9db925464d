"""Upload to searchable, against embedding the same texts alone with the same embedder."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from application.ports.chat_reader import ReadFacts, ReadOptions
from benchmarks.database import fresh_database
from domain.message import Message
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.readers.local_file import LocalFile
from infrastructure.settings import Settings
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import working

ROUNDS = 1  # some minutes each
MESSAGES = 40_000


def measure(data: Path) -> dict[str, Any]:
    """The first 40,000 messages and more of one real export, in alternating rounds."""
    export = data / "chitchat" / "telegram" / "result.json"
    ratios, rounds = [], []
    for _ in range(ROUNDS):
        with fresh_database() as (url, folder):
            settings = Settings.from_env(
                {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
            )
            with open_container(settings) as container:
                container.embedder.embed(["warm"])
                texts = read_texts(container, export)
                alone = timed(lambda: container.embedder.embed(texts))  # noqa: B023
                with working(container):
                    console = Console(quiet=True)
                    whole = timed(
                        lambda: ingest_files(container, (export,), "bench", {}, console)  # noqa: B023
                    )
        ratios.append(whole / alone)
        rounds.append({"texts": len(texts), "embedding_s": alone, "ingest_s": whole})
    return {"rounds": rounds, "ratio": statistics.median(ratios), "goal": "at most 1.25"}


def read_texts(container: Container, export: Path) -> list[str]:
    with container.readers.open(LocalFile(export)) as opened:
        reader, _ = container.readers.recognise(opened)
        items = reader.read(opened, ReadOptions(), ReadFacts())
        return [i.text for i in items if isinstance(i, Message) and i.kind == "message" and i.text]


def timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
