"""Two API processes on one archive, and one that is killed: nothing is late, nothing is lost."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from itertools import count
from pathlib import Path
from urllib.error import HTTPError

import psycopg
import pytest

from domain.search import Search
from tests.support import command
from tests.support.command import Running, start
from tests.support.eventually import eventually

SEARCH = """
{ search(query: QUERY, workspace: "harbour", mode: MODE) {
  ... on SearchResult { eventPosition engine hits { message { text } } }
  ... on Refusal { code }
} }
"""
SEARCHABLE = "SELECT count(*) FROM read.upload WHERE stage = 'searchable'"
RECORDED = """
SELECT notification_id FROM log.archive_events WHERE topic = %s AND notification_id = ANY(%s)
"""
CLIENTS = 8
SECONDS_UNTIL_FOUND = 1.0


@pytest.fixture
def home() -> Iterator[Path]:
    with command.home() as folder:
        yield folder


def ask(running: Running, query: str, mode: str = "HYBRID") -> dict[str, object]:
    document = SEARCH.replace("QUERY", json.dumps(query)).replace("MODE", mode)
    found: dict[str, object] = running.graphql(document)["search"]
    return found


def texts(running: Running, query: str, mode: str) -> list[str]:
    hits = ask(running, query, mode).get("hits", [])
    assert isinstance(hits, list)
    return [hit["message"]["text"] for hit in hits]


def trial(number: int, one: Running, other: Running, connection: psycopg.Connection) -> float:
    """Seconds from when a message is searchable to when the other process finds it."""
    asked = f"ferry {number} takes lantern{number} over to island {number * 7919}"
    text = f"The {asked}."
    one.upload(f"author,timestamp,text\nAda,2026-01-02,{text}\n".encode(), "chat.csv", "harbour")
    eventually(lambda: connection.execute(SEARCHABLE).fetchone() == (number,), 60)
    began = time.monotonic()
    mode = ("HYBRID", "MEANING", "WORDS")[number % 3]
    eventually(lambda: is_answered(other, asked) and text in texts(other, asked, mode), 30)
    return time.monotonic() - began


def measured(database_url: str, home: Path, trials: int) -> list[float]:
    settings = {"DATABASE_URL": database_url}
    with (
        start(home / "data", "serve", **settings) as one,
        start(home / "data", "serve", **settings) as other,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        eventually(lambda: one.is_ready() and other.is_ready(), 60)
        pairs = [(one, other), (other, one)]
        seconds = [trial(n, *pairs[n % 2], connection) for n in range(1, trials + 1)]
        eventually(lambda: ask(other, "ferry")["engine"] == "faiss", 30)
        return seconds


def test_what_one_process_takes_the_other_finds(database_url: str, home: Path) -> None:
    """How soon depends on what else the machine does; the long test measures it."""
    assert len(measured(database_url, home, 6)) == 6


@pytest.mark.long
def test_what_one_process_takes_the_other_finds_within_a_second(
    database_url: str, home: Path
) -> None:
    seconds = measured(database_url, home, 300)
    print(f"slowest of {len(seconds)}: {max(seconds):.3f} s")  # noqa: T201
    assert max(seconds) <= SECONDS_UNTIL_FOUND


def is_answered(running: Running, query: str) -> bool:
    """Not while the model is being loaded."""
    try:
        return "eventPosition" in ask(running, query)
    except HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return False


def killed(database_url: str, home: Path, seconds: float) -> set[int]:
    """
    The log positions that were told to clients of a process that is killed while they search.
    """
    told: set[int] = set()
    is_dead = threading.Event()
    numbers = count()

    def search_on(running: Running) -> None:
        while not is_dead.is_set():
            with suppress(OSError, HTTPException):  # it died before it answered
                told.add(int(str(ask(running, f"storm {next(numbers)}")["eventPosition"])))

    with start(home / "data", "serve", DATABASE_URL=database_url) as running:
        eventually(running.is_ready, 60)
        running.upload(b"author,timestamp,text\nAda,2026-01-02,A storm\n", "chat.csv", "harbour")
        eventually(lambda: is_answered(running, "storm"), 60)
        with ThreadPoolExecutor(CLIENTS) as clients:
            searching = [clients.submit(search_on, running) for _ in range(CLIENTS)]
            eventually(lambda: len(told) > CLIENTS, 60)
            time.sleep(seconds)
            for process in running.tree():
                process.send_signal(signal.SIGKILL)
            running.process.wait(10)
            is_dead.set()
        for future in searching:
            future.result()
    return told


def unrecorded(database_url: str, told: set[int]) -> set[int]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(RECORDED, (Search.Performed.TOPIC, sorted(told)))
        return told - {row[0] for row in rows}


def test_no_answered_search_is_lost_when_its_process_is_killed(
    database_url: str, home: Path
) -> None:
    told = killed(database_url, home, 0.4)
    assert len(told) > CLIENTS
    assert unrecorded(database_url, told) == set()


@pytest.mark.long
def test_no_answered_search_is_lost_however_often_a_process_is_killed(
    database_url: str, home: Path
) -> None:
    for number in range(20):
        told = killed(database_url, home, 0.05 * number)
        assert unrecorded(database_url, told) == set()
