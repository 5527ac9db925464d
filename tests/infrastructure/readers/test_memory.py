"""Memory stays small, however long the file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.ports.chat_reader import ReadFacts, ReadOptions
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers

MEBIBYTE = 1024 * 1024


def write(path: Path, lines: Iterator[bytes], size: int) -> None:
    with path.open("wb") as target:
        for line in lines:
            target.write(line)
            if target.tell() > size:
                return


def peak_of(path: Path, format: str) -> tuple[int, int]:
    """Items read, and the most bytes of Python objects at once."""
    readers = Readers()
    reader = readers.by_format(format)
    tracemalloc.start()
    try:
        with readers.open(LocalFile(path)) as export:
            count = sum(1 for _ in reader.read(export, ReadOptions(), ReadFacts()))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def jsonl(width: int) -> Iterator[bytes]:
    number = 1_700_000_000
    while True:
        number += 1
        yield b'{"ts": %d, "user": "Ann", "text": "%s"}\n' % (number, b"x" * width)


def test_fifty_megabytes_of_json_lines_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    write(path, jsonl(1200), 50 * MEBIBYTE)
    count, peak = peak_of(path, "jsonl")
    assert count > 40_000
    assert peak < 32 * MEBIBYTE


@pytest.mark.parametrize("format", ["telegram", "whatsapp", "csv"])
def test_other_long_files_need_little_memory(tmp_path: Path, format: str) -> None:
    heads = {
        "telegram": b'{"name": "R", "type": "private_group", "id": 7, "messages": [\n',
        "whatsapp": b"",
        "csv": b"time,author,text\n",
    }
    rows = {
        "telegram": b'{"id": 1, "type": "message", "date_unixtime": "1705314600", "from": "A",'
        b' "from_id": "user1", "text": "%s"},\n',
        "whatsapp": b"31/12/23, 21:05 - Ann: %s\n",
        "csv": b"2024-01-15 10:30,Ann,%s\n",
    }
    path = tmp_path / "long"
    row = rows[format] % (b"x" * 2000)
    write(path, iter([heads[format], *[row] * 6000]), 12 * MEBIBYTE)
    count, peak = peak_of(path, format)
    assert count > 5000
    assert peak < 32 * MEBIBYTE
