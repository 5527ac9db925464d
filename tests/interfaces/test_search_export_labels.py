"""Exported hits say what people call them: by the message or by its conversation, as of now."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from uuid import UUID

import pytest

from application.context import LOCAL_OWNER, Context
from infrastructure.exports import hits
from interfaces.http import search_export
from tests.support.archive_fixture import Line, ingest
from tests.support.labels import Labels
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite
from tests.support.statements import counted

__all__ = ["site"]

PATH = "/api/search"
STRANGE = 'a, b; "c" | ["d"]'
LINES: list[Line] = [
    ("Snow", "Ada", "snow on the roof"),
    ("Snow", "Bob", "snow on the road"),
    ("Ice", "Bob", "snow and ice"),
    ("Ice", "Ada", "no more snow"),
]


@pytest.fixture(scope="module")
def snowy(site: RestSite) -> Labels:
    """Labels of a workspace of its own."""
    made = ingest(site.container, "snowy", LINES, has_vectors=True)
    container = site.container
    labels = Labels(
        container.archive,
        container.pool,
        Context(actor_id=LOCAL_OWNER, workspace_id=made.workspace_id, origin={"channel": "test"}),
    )
    for name in ("Zebra", "alpha", STRANGE, "=1+1", "unused"):
        labels.create(name)
    roof, road = labels.ids(LINES[0][2]), labels.ids(LINES[1][2])
    labels.add("Zebra", *roof, *road, rooms=[room(site, made.workspace_id, "Snow")])
    labels.add("alpha", *roof)
    labels.add(STRANGE, *road)
    labels.add("=1+1", *labels.ids(LINES[2][2]))
    site.advance()
    return labels


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "HITS_A_PAGE", 3)
    monkeypatch.setattr(search_export, "CATCH_UP_SECONDS", 0.02)


def room(site: RestSite, workspace_id: UUID, title: str) -> UUID:
    with site.container.pool.connection() as connection:
        row = connection.execute(
            "SELECT conversation_id FROM read.conversation WHERE workspace_id = %s AND title = %s",
            (workspace_id, title),
        ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def exported(site: RestSite, format: str) -> list[dict[str, Any]]:
    asked = {"query": "snow", "mode": "words", "sort": "oldest", "format": format}
    answer = site.get(PATH, workspace="snowy", **asked)
    assert answer.status_code == 200, answer.text
    if format == "jsonl":
        return [json.loads(line) for line in answer.text.splitlines()]
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_a_hit_names_each_of_its_labels_once_in_order(site: RestSite, snowy: Labels) -> None:
    found = [row["labels"] for row in exported(site, "jsonl")]
    assert found == [["alpha", "Zebra"], [STRANGE, "Zebra"], ["=1+1"], []]


def test_a_cell_of_csv_holds_names_with_any_separator(site: RestSite, snowy: Labels) -> None:
    cells = [row["labels"] for row in exported(site, "csv")]
    assert [json.loads(cell) for cell in cells] == [
        ["alpha", "Zebra"],
        [STRANGE, "Zebra"],
        ["=1+1"],
        [],
    ]
    assert cells[0] == '["alpha","Zebra"]'


def test_a_label_is_as_it_is_now(site: RestSite, snowy: Labels) -> None:
    """Not as when the search that is exported began."""
    ice = snowy.ids(LINES[3][2])
    snowy.create("today")
    snowy.add("today", *ice)
    site.advance()
    assert exported(site, "jsonl")[3]["labels"] == ["today"]
    snowy.rename("today", "yesterday")
    site.advance()
    assert exported(site, "jsonl")[3]["labels"] == ["yesterday"]
    snowy.delete("yesterday")
    site.advance()
    assert exported(site, "jsonl")[3]["labels"] == []


def test_labels_are_those_of_the_own_workspace(site: RestSite, snowy: Labels) -> None:
    """The same export in two workspaces has the same conversations' and messages' keys."""
    ingest(site.container, "snowy twin", LINES, has_vectors=False)
    answer = site.get(PATH, workspace="snowy twin", query="snow", mode="words")
    assert [json.loads(line)["labels"] for line in answer.text.splitlines()] == [[]] * 4


def test_a_page_takes_one_statement_however_many_hits_it_has(
    site: RestSite, snowy: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "HITS_A_PAGE", 2)
    with counted(site.container) as statements:
        exported(site, "jsonl")
    asked = [statement for statement in statements if "labelled_message" in statement]
    assert asked == [hits.FACTS] * 2
