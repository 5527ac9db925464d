"""What a search finds leaves as a file: all of it, in order, harmless to open, and recorded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from application.ports.search import SearchTookTooLongError
from domain.export import Export
from domain.search import Search
from infrastructure.container import Container
from infrastructure.exports import hits
from interfaces.cli.export import export
from interfaces.http import search_export
from interfaces.http.search_rows import HIT
from tests.support.archive_fixture import Line, ingest
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

PATH = "/api/search"
FORMULAS = ("=1+1 rain", "+rain", "-rain", "@rain", "\train", " =rain")
LINES: list[Line] = [("Rain", "=Eve", f"rain number {n} ☔ 😀") for n in range(7)]
LINES += [("Rain", "Ada", text) for text in FORMULAS]


@pytest.fixture(scope="module")
def rainy(site: RestSite) -> str:
    """A workspace of its own."""
    return ingest(site.container, "rainy", LINES, has_vectors=True).workspace


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "HITS_A_PAGE", 4)
    monkeypatch.setattr(search_export, "CATCH_UP_SECONDS", 0.02)


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def events(container: Container, *kinds: Any) -> list[Any]:
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[kind.TOPIC for kind in kinds],
            limit=10_000,
        )
    return page.events


def test_all_hits_come_in_order_over_pages_and_each_page_is_recorded(
    site: RestSite, rainy: str
) -> None:
    before = len(events(site.container, Search.Performed, Export.Made))
    answer = site.get(PATH, workspace=rainy, query="rain", mode="words", sort="oldest")
    found = lines(answer)
    assert [row["rank"] for row in found] == list(range(1, 14))
    assert [row["text"].strip() for row in found] == [text.strip() for _, _, text in LINES]
    assert list(found[0]) == list(HIT)
    assert found[0]["author"] == "=Eve"
    assert found[0]["conversation"] == "Rain"
    assert found[0]["sentAt"] == "2024-03-01T09:00:00Z"
    assert found[0]["upload"] == "chat.jsonl"
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["cache-control"] == "no-store"

    recorded = events(site.container, Search.Performed, Export.Made)[before:]
    kinds = [type(one.event).__name__ for one in recorded]
    assert kinds == ["Performed", "Made", "Performed", "Performed", "Performed"]
    assert len({one.correlation_id for one in recorded}) == 1
    made = recorded[1].event
    assert (made.kind, made.format, made.limit) == ("search", "jsonl", 1_000)
    assert made.selection["search"] == recorded[0].position
    told = [id for one in recorded if one.topic == "search.performed" for id in one.event.hits]
    assert [str(id) for id in told] == [row["messageId"] for row in found]
    name = f"chatledger-search-{recorded[0].position}.jsonl"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_scores_come_with_their_parts(site: RestSite, rainy: str) -> None:
    found = lines(site.get(PATH, workspace=rainy, query="rain number 3"))
    assert found[0]["text"] == LINES[3][2]
    assert found[0]["score"] == max(row["score"] for row in found)
    assert found[0]["meaningRank"] == found[0]["wordsRank"] == 1
    assert found[0]["meaning"] == pytest.approx(1, abs=0.01)
    assert found[0]["words"] > 0


def test_a_spreadsheet_runs_none_of_it(site: RestSite, rainy: str) -> None:
    asked = {"query": "rain", "mode": "words", "sort": "newest", "format": "csv"}
    answer = site.get(PATH, workspace=rainy, **asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"), newline="")))
    assert list(found[0]) == list(HIT)
    cells = [row[name] for row in found for name in ("text", "author", "conversation")]
    assert len(cells) == 3 * len(LINES)
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "\t"))]
    assert "'=1+1 rain" in cells
    assert "'=Eve" in cells
    assert "rain number 0 ☔ 😀" in cells


@pytest.mark.parametrize("limit", [1, 4, 5, 13, 100])
def test_there_are_never_more_than_asked_for(site: RestSite, rainy: str, limit: int) -> None:
    asked = {"workspace": rainy, "query": "rain", "sort": "oldest", "mode": "words"}
    assert len(lines(site.get(PATH, **asked, limit=limit))) == min(limit, len(LINES))


def test_nothing_found_is_an_empty_file_and_recorded(site: RestSite, rainy: str) -> None:
    asked = {"workspace": rainy, "query": "volcano", "mode": "words"}
    assert lines(site.get(PATH, **asked)) == []
    table = site.get(PATH, **asked, format="csv")
    assert table.text == ",".join(HIT) + "\r\n"
    assert [one.event.kind for one in events(site.container, Export.Made)][-2:] == ["search"] * 2


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"query": "form:ada"}, 400, "did you mean from:"),
        ({"query": " "}, 400, "empty"),
        ({"query": "a\x00b"}, 400, "U+0000"),
        ({"query": ""}, 400, "query"),
        ({"query": "x" * 2_001}, 400, "query"),
        ({"query": "rain", "limit": 0}, 400, "limit"),
        ({"query": "rain", "limit": "1e3"}, 400, "limit"),
        ({"query": "rain", "mode": "magic"}, 400, "mode"),
        ({"query": "rain", "format": "txt"}, 400, "format"),
        ({"query": "rain on:today", "timeZone": "Mars/Base"}, 400, "time zone"),
        ({"query": "rain", "workspace": "nowhere"}, 404, "no workspace"),
        ({}, 400, "missing"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_recorded(
    site: RestSite, rainy: str, asked: dict[str, Any], status: int, said: str
) -> None:
    before = site.container.archive.event_log.head()
    answer = site.get(PATH, **{"workspace": rainy, **asked})
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert site.container.archive.event_log.head() == before


def test_to_ask_about_it_searches_nothing(site: RestSite, rainy: str) -> None:
    before = site.container.archive.event_log.head()
    answer = site.client.head(PATH, params={"workspace": rainy, "query": "rain"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert site.container.archive.event_log.head() == before


def test_an_export_whose_search_is_given_up_midway_is_cut_off(
    site: RestSite, rainy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that ends well is complete."""
    perform = site.container.perform_search
    calls: list[int] = []

    def give_up(request: Any, context: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise SearchTookTooLongError("a step of the search took longer than 10 s")
        return perform(request, context)

    monkeypatch.setitem(vars(site.container), "perform_search", give_up)
    with pytest.raises(httpx.RemoteProtocolError):
        site.get(PATH, workspace=rainy, query="rain", mode="words")
    calls.append(1)
    answer = site.get(PATH, workspace=rainy, query="rain", mode="words")
    assert answer.status_code == 503
    assert answer.json()["code"] == "search.unavailable"


# At the command line


@pytest.fixture
def run(site: RestSite, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield site.container

    monkeypatch.setattr("infrastructure.bootstrap.open_container", opened)

    def invoke(*arguments: Any) -> Result:
        return CliRunner().invoke(export, [str(one) for one in arguments])

    return invoke


def test_the_command_line_writes_the_same(
    run: Any, site: RestSite, rainy: str, tmp_path: Path
) -> None:
    asked = {"workspace": rainy, "query": "rain", "mode": "words", "sort": "newest"}
    for form in ("csv", "jsonl"):
        output = tmp_path / f"hits.{form}"
        options = [part for name, value in asked.items() for part in (f"--{name}", value)]
        done = run("--format", form, *options, "--output", output)
        assert done.exit_code == 0, done.output
        assert "13 hits" in done.stdout
        assert output.read_bytes() == site.get(PATH, **asked, format=form).content
    assert {one.event.kind for one in events(site.container, Export.Made)[-4:]} == {"search"}


def test_the_command_line_says_that_there_is_more(run: Any, rainy: str, tmp_path: Path) -> None:
    asked = ("--workspace", rainy, "--query", "rain", "--mode", "words", "--format", "csv")
    done = run(*asked, "--limit", 5, "--output", tmp_path / "some.csv")
    assert "5 hits" in done.stdout
    assert "there are more than --limit 5" in done.stdout
    again = run(*asked, "--output", tmp_path / "some.csv")
    assert again.exit_code == 2
    assert "--force" in again.output


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--query", "volcano", "--mode", "words", "--format", "csv"), 1, "nothing was found"),
        (("--query", "rain"), 2, "--format jsonl or csv"),
        (("--query", "rain", "--format", "txt"), 2, "--format jsonl or csv"),
        (("--query", "rain", "--format", "csv", "--from", "2024-01-01"), 2, "conditions itself"),
        (("--query", "form:x", "--format", "csv"), 2, "did you mean from:"),
        (("--query", "", "--format", "csv"), 2, "empty"),
    ],
)
def test_the_command_line_refuses_what_makes_no_sense(
    run: Any, rainy: str, tmp_path: Path, options: tuple[str, ...], status: int, said: str
) -> None:
    done = run("--workspace", rainy, *options, "--output", tmp_path / "none.csv")
    assert done.exit_code == status, done.output
    assert said in done.output
    assert list(tmp_path.iterdir()) == []
