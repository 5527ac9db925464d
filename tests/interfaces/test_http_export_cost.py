"""What an export may cost: parts are made from near their beginning, and nothing for nobody."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from infrastructure.exports import messages
from interfaces.http import export_answers, export_extent, export_pages
from interfaces.http.export_extent import Extent
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND state = 'active'"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small pages of events, a mark at each; holds the positions after which one was read."""
    read, asked = export_pages.frames, list[int]()

    def frames(*arguments: Any, **named: Any) -> Any:
        asked.append(named["after"])
        return read(*arguments, **named)

    monkeypatch.setattr(export_pages, "EVENTS_A_PAGE", 1)
    monkeypatch.setattr(export_extent, "SPACING", 1)
    monkeypatch.setattr(export_pages, "frames", frames)
    return asked


def part(site: RestSite, first: int, last: int | str, **asked: Any) -> httpx.Response:
    return site.get("/api/events", headers={"Range": f"bytes={first}-{last}"}, **asked)


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_part_is_made_from_near_its_beginning(
    site: RestSite, pages: list[int], format: str
) -> None:
    asked = {"format": format, "upTo": site.archive.position}
    whole = site.get("/api/events", **asked).content
    of_all = len(pages)
    assert of_all >= 6
    for first in range(0, len(whole), len(whole) // 23):
        pages.clear()
        got = part(site, first, first + 40, **asked)
        assert (got.status_code, got.content) == (206, whole[first : first + 41])
        assert len(pages) <= 2  # the one that it begins in, and perhaps the next


def test_the_size_is_found_out_once_for_all_who_ask(site: RestSite, pages: list[int]) -> None:
    asked = {"upTo": site.archive.position - 1, "format": "csv"}
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(part(site, 0, 9, **asked))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {206}
    assert len({answer.headers["content-range"] for answer in answers}) == 1
    places = [place for place in pages if place != 0]  # all but the beginning, which all send
    assert len(places) == len(set(places)) > 2


def test_marks_of_a_long_export_are_few() -> None:
    extent, page = Extent(), 100_000
    for number in range(1, 20_000):
        extent.note(number * page, number)
    size = 20_000 * page
    for byte in (0, 1, page, size // 3, size - 1):
        mark = extent.before(byte)
        assert mark.offset == (mark.place or 0) * page
        assert 0 <= byte - mark.offset < size / 64
    assert len(extent._marks) <= export_extent.MARKS


def test_a_page_that_takes_too_long_is_given_up(
    site: RestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_answers, "READ_SECONDS", 0.3)
    monkeypatch.setattr(messages, "require_unchanged", sleeper("too long"))
    began = time.monotonic()
    answer = site.get(f"/api/conversations/{site.conversation_id('Boat trip')}/messages")
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.json()["code"]) == (503, "export.timeout")
    assert int(answer.headers["retry-after"]) > 0
    assert ends(site, "too long")


@pytest.mark.parametrize("headers", [(), ("Range: bytes=1-9",)])
def test_nothing_is_read_for_who_has_gone(
    site: RestSite, headers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the export has begun to leave, or only its size is being found out."""
    what = f"gone {len(headers)}"
    monkeypatch.setattr(export_pages, "frames", sleeper(what))
    query = urlencode({"workspace": site.archive.workspace, "upTo": site.archive.position - 2})
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        lines = [f"GET /api/events?{query} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", *headers]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        assert not ends(site, what, seconds=0.5)
    assert ends(site, what)
    monkeypatch.undo()
    assert site.get("/api/events", upTo=site.archive.position - 2).status_code == 200


def sleeper(what: str) -> Callable[..., Any]:
    def sleep(connection: Any, *_arguments: Any, **_named: Any) -> Any:
        return connection.execute(f"SELECT pg_sleep(30) /* {what} */").fetchall()

    return sleep


def ends(site: RestSite, what: str, *, seconds: float = 5.0) -> bool:
    """Whether the server is at none of these statements any more, by then."""
    deadline = time.monotonic() + seconds
    with site.container.pool.connection() as connection:
        connection.autocommit = True
        while time.monotonic() < deadline:
            time.sleep(0.05)
            row = connection.execute(RUNNING, (f"%pg_sleep%/* {what} */%",)).fetchone()
            if row is not None and row[0] == 0:
                if seconds > 1:
                    return True
            elif seconds <= 1:
                return False
        return False
