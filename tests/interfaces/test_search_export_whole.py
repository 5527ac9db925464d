"""A result of any size leaves as a file, page by page; nothing stays open behind who goes away."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from application.context import LOCAL_OWNER, Context
from application.ports.search import FoundMessage, Hit, Place, SearchRequest
from application.searches import QueryRefusedError, understood
from domain.export import Export
from infrastructure.container import Container
from infrastructure.exports import hits
from infrastructure.exports.hits import hit_pages
from interfaces.cli.export import export
from interfaces.http import search_export
from tests.support.archive_fixture import Line, ingest
from tests.support.eventually import eventually
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

PATH = "/api/search"
MANY = 10_101  # more than could be exported once, and one more than whole pages
WORDS = ("anchor", "bread", "candle", "dune", "engine", "fable", "garden", "harp", "iron", "jade")
SOUGHT = {"query": "hail", "mode": "words", "limit": "all"}


def told(number: int) -> str:
    """No two of them are nearly the same."""
    return "hail " + " ".join(WORDS[int(digit)] + digit * 2 for digit in f"{number:05}")


LINES: list[Line] = [("Hail", "Ada", told(number)) for number in range(MANY)]


@pytest.fixture(scope="module")
def large(site: RestSite) -> UUID:
    return ingest(site.container, "large", LINES, has_vectors=False).workspace_id


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "HITS_A_PAGE", 20)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_export, "CATCH_UP_SECONDS", 0.02)


def test_by_time_all_that_matches_leaves(site: RestSite, large: UUID) -> None:
    answer = site.get(PATH, workspace="large", sort="oldest", **SOUGHT)
    assert answer.status_code == 200, answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["rank"] for row in found] == list(range(1, MANY + 1))
    assert [row["text"] for row in found] == [text for _, _, text in LINES]


def test_a_limit_may_be_beyond_ten_thousand(site: RestSite, large: UUID) -> None:
    asked = SOUGHT | {"limit": 10_002}
    answer = site.get(PATH, workspace="large", sort="newest", **asked)
    found = answer.text.splitlines()
    assert len(found) == 10_002
    assert json.loads(found[-1])["text"] == told(MANY - 10_002)


def test_by_relevance_all_is_what_is_ranked(site: RestSite, large: UUID) -> None:
    answer = site.get(PATH, workspace="large", **SOUGHT)
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert len(found) == 1_000
    assert len({row["messageId"] for row in found}) == 1_000


def test_filters_alone_have_no_rank_and_are_exported_whole(site: RestSite, large: UUID) -> None:
    asked = {"query": "in:hail", "limit": "all"}
    answer = site.get(PATH, workspace="large", **asked)
    assert len(answer.text.splitlines()) == MANY


def test_the_export_is_recorded_as_one_of_all_hits(site: RestSite, large: UUID) -> None:
    site.get(PATH, workspace="large", **SOUGHT | {"query": f'"{told(7)}"'})
    site.advance()
    made = exports(site, large)[-1]
    assert made.event.limit is None
    answer = site.get("/api/audit-trail", workspace="large")
    words = [json.loads(line)["words"] for line in answer.text.splitlines()]
    position = made.event.selection["search"]
    assert f"exported all hits of the search at position {position:,} as jsonl" in words[-1]


@pytest.mark.parametrize("limit", ["0", "-1", "ALL", "", "all,all", "1e9", "9" * 20, "None"])
def test_what_is_no_number_of_hits_is_refused(site: RestSite, large: UUID, limit: str) -> None:
    answer = site.get(PATH, workspace="large", **SOUGHT | {"limit": limit})
    assert answer.status_code == 400
    assert "'limit'" in answer.json()["detail"]
    assert "all" in answer.json()["detail"]


def test_who_goes_away_midway_leaves_nothing_behind(
    site: RestSite, large: UUID, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither further searches nor a connection of the pool."""
    perform = site.container.perform_search
    asked: list[int] = []

    def slowly(request: Any, context: Any) -> Any:
        asked.append(1)
        time.sleep(0.1 if len(asked) > 1 else 0)
        return perform(request, context)

    monkeypatch.setitem(vars(site.container), "perform_search", slowly)
    query = urlencode({"workspace": "large", "sort": "oldest", **SOUGHT})
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(f"GET {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert settles(lambda: len(asked))
    assert len(asked) < MANY // 20
    eventually(lambda: is_idle(site.container))
    assert [one.topic for one in exports(site, large)][-1] == Export.Made.TOPIC


def test_a_page_of_an_export_is_replayed(site: RestSite, large: UUID) -> None:
    """Though it has more hits than any other search may have."""
    site.get(PATH, workspace="large", sort="oldest", **SOUGHT | {"limit": 1_500})
    position = exports(site, large)[-1].event.selection["search"]
    query = """query ($search: ID!) {
      replaySearch(search: $search, workspace: "large") {
        ... on SearchReplay { search { limit hitCount } asOfThen { isSame hits { rank } } }
      }
    }"""
    asked = {"query": query, "variables": {"search": f"Event:{position}"}}
    answer = site.client.post("/graphql", json=asked).json()
    replayed = answer["data"]["replaySearch"]
    assert replayed["search"] == {"limit": 1_000, "hitCount": 1_000}
    assert replayed["asOfThen"]["isSame"]
    assert len(replayed["asOfThen"]["hits"]) == 1_000


def test_nobody_else_may_ask_for_so_many_at_once(site: RestSite, large: UUID) -> None:
    request = SearchRequest(workspace_id=large, query="hail", limit=101)
    with pytest.raises(QueryRefusedError, match="between 1 and 100"):
        understood(request)
    understood(replace(request, is_bulk=True))
    with pytest.raises(QueryRefusedError, match="between 1 and 1,000"):
        understood(replace(request, is_bulk=True, limit=1_001))


# Of pages


def test_pages_are_looked_for_one_at_a_time_as_they_are_taken(site: RestSite, large: UUID) -> None:
    """So that no more than one of them is held, however many there are."""
    asked: list[SearchRequest] = []
    pages = pages_of(site, large, endless(asked), limit=None)
    for count in range(1, 4):
        assert len(next(pages).hits) == hits.HITS_A_PAGE
        assert len(asked) == count
    assert [request.after and request.after.message_id for request in asked] == [None, 1_000, 2_000]


def test_ranks_go_on_beyond_any_number(site: RestSite, large: UUID) -> None:
    for page in pages_of(site, large, endless([]), limit=100_050):
        last = page.hits[-1].rank
    assert last == 100_050


def pages_of(
    site: RestSite, workspace_id: UUID, perform: Callable[..., Any], *, limit: int | None
) -> Iterator[Any]:
    request = SearchRequest(workspace_id=workspace_id, query="hail", sort="oldest")
    context = Context(actor_id=LOCAL_OWNER, workspace_id=workspace_id, origin={})
    return hit_pages(perform, site.container.pool, request, context, limit)


def endless(asked: list[SearchRequest]) -> Callable[..., Any]:
    """A search whose result has no end."""
    message = FoundMessage(
        id=0,
        conversation_id=uuid4(),
        conversation="Hail",
        author_id=None,
        author=None,
        sent_at=datetime(2024, 1, 1, tzinfo=UTC),
        kind="message",
        text="hail",
    )
    hit = Hit(
        message=message,
        place=Place(0, 0, 0, 0.0, 0),
        score=0,
        probability=None,
        meaning=None,
        meaning_rank=None,
        words=None,
        words_rank=None,
        highlights=(),
        before=(),
        after=(),
        same_text=0,
    )

    def perform(request: SearchRequest, _context: Context) -> Any:
        asked.append(request)
        first = 1 if request.after is None else request.after.message_id + 1
        found = [
            replace(hit, message=replace(message, id=id_), place=Place(0, 0, 0, 0.0, id_))
            for id_ in range(first, first + request.limit)
        ]
        return SimpleNamespace(answer=SimpleNamespace(hits=found, has_more=True), position=1)

    return perform


# At the command line


@pytest.fixture
def run(site: RestSite, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield site.container

    monkeypatch.setattr("infrastructure.bootstrap.open_container", opened)
    asked = ("--workspace", "large", "--query", "hail", "--mode", "words", "--format", "jsonl")
    return lambda *options: CliRunner().invoke(export, [*asked, *map(str, options)])


def test_the_command_line_writes_all_that_matches(run: Any, large: UUID, tmp_path: Path) -> None:
    output = tmp_path / "all.jsonl"
    done = run("--sort", "newest", "--limit", "all", "--output", output)
    assert done.exit_code == 0, done.output
    assert f"{MANY:,} hits" in done.stdout
    assert "more" not in done.stdout
    assert done.stderr == ""
    assert output.read_bytes().count(b"\n") == MANY


def test_the_command_line_says_how_deep_a_ranked_result_is(
    run: Any, large: UUID, tmp_path: Path
) -> None:
    done = run("--limit", "all", "--output", tmp_path / "ranked.jsonl")
    assert "1,000 hits" in done.stdout
    assert "1,000 of each of meaning and words" in done.stderr
    assert "--sort newest" in done.stderr


def test_the_command_line_refuses_what_is_no_number(run: Any, large: UUID, tmp_path: Path) -> None:
    done = run("--limit", "many", "--output", tmp_path / "none.jsonl")
    assert done.exit_code == 2
    assert "all" in done.stderr
    assert list(tmp_path.iterdir()) == []


def exports(site: RestSite, workspace_id: UUID) -> list[Any]:
    container = site.container
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[Export.Made.TOPIC],
            limit=10_000,
        )
    return [one for one in page.events if one.workspace_id == workspace_id]


def is_idle(container: Container) -> bool:
    stats = container.pool.get_stats()
    return stats["pool_available"] == stats["pool_size"]


def settles(number: Callable[[], int], *, seconds: float = 10.0) -> bool:
    """Whether it stops growing, by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = number()
        time.sleep(0.5)
        if number() == before:
            return True
    return False
