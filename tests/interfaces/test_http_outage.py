"""The database goes away and comes back, and every route says so, at once and with a reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.support.postgres import database_name
from tests.support.rest_site import RestSite, open_rest_site

LONGEST_SECONDS = 5.0  # until an answer, and until all is well again


@contextmanager
def database_away(server_url: str, url: str) -> Iterator[None]:
    """Nobody can connect to it, and nobody stays connected."""
    name = database_name(url)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            server.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def requests_of(site: RestSite) -> list[dict[str, Any]]:
    workspace = {"workspace": site.archive.workspace}
    conversation = site.conversation_id("Boat trip")
    upload = site.archive.upload_id
    return [
        {
            "method": "POST",
            "url": "/api/uploads",
            "params": workspace | {"filename": "a.txt"},
            "content": b"[1/2/24, 10:00] Ada: hello",
        },
        {"method": "GET", "url": f"/api/uploads/{upload}/file", "params": workspace},
        {"method": "GET", "url": "/api/events", "params": workspace},
        {"method": "GET", "url": "/api/audit-trail", "params": workspace},
        {
            "method": "GET",
            "url": f"/api/conversations/{conversation}/messages",
            "params": workspace,
        },
    ]


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[RestSite]:
    with open_rest_site(database_url, tmp_path) as opened:
        yield opened


def timed(site: RestSite, request: dict[str, Any]) -> httpx.Response:
    started = time.perf_counter()
    answer = site.client.request(**request)
    assert time.perf_counter() - started < LONGEST_SECONDS, request["url"]
    return answer


def test_an_outage_is_answered_with_a_reason_and_forgotten_when_it_is_over(
    site: RestSite, postgres_server: str, database_url: str
) -> None:
    requests = requests_of(site)
    assert [timed(site, request).status_code for request in requests] == [201, 200, 200, 200, 200]
    with database_away(postgres_server, database_url):
        for _ in range(2):
            for request in requests:
                answer = timed(site, request)
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert answer.headers["retry-after"] == "2"
                assert answer.headers["content-type"] == "application/problem+json"
        time.sleep(1.1)  # what probes know already is too old then
        assert "database" in timed(site, {"method": "GET", "url": "/readyz"}).json()["detail"]
        assert timed(site, {"method": "GET", "url": "/healthz"}).status_code == 200
    deadline = time.monotonic() + LONGEST_SECONDS
    while {timed(site, request).status_code for request in requests} != {200}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    site.advance()
    while timed(site, {"method": "GET", "url": "/readyz"}).status_code != 200:
        assert time.monotonic() < deadline + LONGEST_SECONDS
        time.sleep(0.2)
