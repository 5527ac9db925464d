"""
How fast exports are read, against the obvious alternative in the same run.

All work is that of one thread, so processor time is compared: other work on the machine disturbs
it less than the clock on the wall.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from application.ports.chat_reader import ReadFacts, ReadOptions
from benchmarks.reading.samples import MEGABYTE, Sample, documents, grow, real
from domain.message import Message
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers

ROUNDS = 9
WITH_GOAL = ("telegram", "slack", "discord")
REPEATED = ("messenger", "signal")  # the real files hold few messages each
OTHER_PYTHON = "CHATMINER_PYTHON"  # a Python that has chat-miner
ABSENT = (
    "left out: chat-miner is not there. It is no dependency; install it elsewhere, with "
    "`python -m venv /tmp/chatminer && /tmp/chatminer/bin/pip install chat-miner==0.6.0`, and set "
    f"{OTHER_PYTHON}=/tmp/chatminer/bin/python"
)


def measure(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for format in WITH_GOAL:
            sample = real(format, data)
            path = sample.write(Path(folder))
            found[format] = against_parser(path, format, sample.documents) | {
                "goal": "at most 6 times"
            }
        for format in REPEATED:
            path = grow(format, data, Path(folder), 10 * MEGABYTE)
            found[format] = against_parser(path, format, documents(path, format))
        found["irc"] = lines_per_second(real("irc", data), Path(folder))
        found["whatsapp"] = against_chat_miner(data, Path(folder))
    return found


def against_parser(path: Path, format: str, documents: list[bytes]) -> dict[str, Any]:
    """Reading messages with all their fields, against parsing each JSON document in memory."""

    def parse() -> int:
        for document in documents:
            orjson.loads(document)
        return 0

    messages = read(path, format)
    rounds = [(timed(parse), timed(lambda: read(path, format))) for _ in range(ROUNDS)]
    return summary(rounds) | {
        "messages": messages,
        "bytes": sum(map(len, documents)),
        "messages_a_second": round(messages / statistics.median(ours for _, ours in rounds)),
    }


def lines_per_second(sample: Sample, folder: Path) -> dict[str, Any]:
    path = sample.write(folder)
    lines = sum(member.count(b"\n") for member in sample.members.values())
    read(path, sample.format)
    seconds = [timed(lambda: read(path, sample.format)) for _ in range(ROUNDS)]
    return {
        "lines": lines,
        "files": len(sample.members),
        "median_s": statistics.median(seconds),
        "lines_a_second": round(lines / statistics.median(seconds)),
        "goal": "at least 200,000",
    }


def against_chat_miner(data: Path, folder: Path) -> dict[str, Any]:
    """One file of 5 MB, in which a real chat is repeated; both read it from the disk."""
    path = grow("whatsapp", data, folder, 5 * MEGABYTE)
    messages = read(path, "whatsapp")
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        seconds = [timed(lambda: read(path, "whatsapp")) for _ in range(ROUNDS)]
        rate = round(messages / statistics.median(seconds))
        return {"messages": messages, "messages_a_second": rate, "chat_miner": ABSENT}
    rounds, theirs = [], 0
    for _ in range(ROUNDS):
        script = Path(__file__).with_name("chat_miner.py")
        output = subprocess.run(
            [python, str(script), str(path)], check=True, capture_output=True, text=True
        ).stdout
        other = json.loads(output)
        theirs = other["messages"]
        rounds.append((other["seconds"], timed(lambda: read(path, "whatsapp"))))
    times = [other / ours for other, ours in rounds]
    return {
        "messages": messages,
        "chat_miner_messages": theirs,  # it drops system messages
        "chat_miner_s": statistics.median(other for other, _ in rounds),
        "chatledger_s": statistics.median(ours for _, ours in rounds),
        "times_faster": statistics.median(times),
        "rounds": [round(one, 2) for one in times],
        "goal": "at least 5 times",
    }


def read(path: Path, format: str) -> int:
    """Open an export and read it to its end; the number of messages."""
    readers = Readers()
    with readers.open(LocalFile(path)) as export:
        items = readers.by_format(format).read(export, ReadOptions(), ReadFacts())
        return sum(isinstance(item, Message) for item in items)


def timed(work: Callable[[], int]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def summary(rounds: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = [ours / base for base, ours in rounds]
    return {
        "orjson_s": statistics.median(base for base, _ in rounds),
        "chatledger_s": statistics.median(ours for _, ours in rounds),
        "ratio": statistics.median(ratios),
        "rounds": [round(ratio, 2) for ratio in ratios],
    }
