"""`chatledger searches`: what one has searched for, saved, and runs again at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from application.context import LOCAL_OWNER, Context
from infrastructure.container import Container
from interfaces.cli.main import main
from interfaces.cli.search import search
from interfaces.cli.searches import searches
from tests.support.archive import copy_template
from tests.support.archive_fixture import (
    Ingested,
    advance,
    ingest,
    ingest_file,
    open_test_container,
)
from tests.support.postgres import drop_database
from tests.support.searches import some_saved_search, some_search

HIDDEN = "\x1b[2J\x07evil"


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)


@pytest.fixture(scope="module")
def ingested(container: Container) -> Ingested:
    return ingest(container)


@pytest.fixture
def run(container: Container, ingested: Ingested, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        advance(container)  # as a worker does
        yield container

    monkeypatch.setattr("infrastructure.bootstrap.open_container", opened)
    monkeypatch.setattr("interfaces.cli.searches.CATCH_UP_SECONDS", 0.05)
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: Any, command: Any = searches) -> Result:
        return CliRunner().invoke(command, [str(one) for one in arguments])

    return invoke


def found_json(done: Result) -> Any:
    assert done.exit_code in {0, 1}, done.output
    return json.loads(done.stdout)


def saved(run: Any, name: str, query: str, *options: str) -> str:
    done = run("save", name, query, *options)
    assert done.exit_code == 0, done.output
    return str(done.stdout.removeprefix("Saved as ").strip().rstrip("."))


def test_one_too_many_is_refused_with_what_to_do(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.saved_searches.MOST_SAVED", 1)
    run("save", "The one", "ok")
    done = run("save", "One more", "ok")
    assert done.exit_code == 2
    assert "which is the most: delete one that you do not need" in done.stderr
    assert done.stdout == ""


def test_what_is_saved_is_listed_run_renamed_and_deleted(run: Any) -> None:
    id_ = saved(run, "Oks", "ok", "--mode", "words", "--sort", "oldest")
    [row] = [one for one in found_json(run("list", "--json")) if one["saved_search_id"] == id_]
    assert (row["name"], row["query"], row["mode"], row["sort"]) == ("Oks", "ok", "words", "oldest")
    assert "owner_id" not in row
    assert id_ in run("list").stdout

    for name in ("Oks", id_, f"SavedSearch:{id_}"):
        done = run("run", name, "--json")
        assert [hit["message"]["text"] for hit in found_json(done)["hits"]] == ["ok", "ok"]
    assert run("rename", "Oks", "Fine ones").exit_code == 0
    assert run("run", "Oks").exit_code == 2
    assert run("delete", "Fine ones").exit_code == 0
    again = run("delete", id_)
    assert again.exit_code == 2
    assert "you have saved no search" in again.stderr
    assert id_ not in run("list", "--json").stdout


def test_a_query_may_begin_with_an_exclusion(run: Any) -> None:
    saved(run, "No Ada", "-from:Ada ok", "--mode", "words")
    assert run("run", "No Ada").exit_code == 0


def test_several_of_one_name_are_told_apart_by_their_ids(run: Any) -> None:
    ids = [saved(run, "Twice", query, "--mode", "words") for query in ("ok", "volcano")]
    done = run("run", "Twice")
    assert done.exit_code == 2
    assert all(id_ in done.stderr for id_ in ids)
    nothing = run("run", ids[1])
    assert nothing.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("save", "", "rain"), "1 to 100 printable characters"),
        (("save", "x", ""), "empty"),
        (("save", "x", "form:ada"), "did you mean from:"),
        (("save", "x", "rain", "--time-zone", "Mars/Base"), "time zone"),
        (("save", "x", "rain", "--workspace", "nowhere"), "there is no workspace"),
        (("run", "nothing"), "you have saved no search"),
        (("run", "\udcff"), "you have saved no search"),
        (("replay", 1), "you have made no search"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    run: Any, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_the_history_shows_ones_own_searches_alone(
    run: Any, container: Container, ingested: Ingested
) -> None:
    run("plumber", "--mode", "words", command=search)
    context = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    stranger = uuid4()
    container.archive.record(context, some_search(searcher_id=str(stranger), query="theirs"))
    container.archive.record(context, some_saved_search(ingested.workspace_id, owner_id=stranger))
    container.archive.record(context, some_search(query=HIDDEN))
    newest, older = found_json(run("history", "--limit", 2, "--json"))
    assert newest["query"] == HIDDEN
    assert (older["query"], older["hits"], older["mode"]) == ("plumber", 1, "words")
    shown = run("history").stdout
    assert "plumber" in shown
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "theirs" not in shown
    assert str(older["position"]) in shown


def test_a_replay_shows_what_has_changed(run: Any, container: Container) -> None:
    asked = ("geyser", "--mode", "words", "--sort", "oldest", "--json")
    lines = (
        b'{"id": "%d", "conversation": "News", "author": "Zoe", '
        b'"timestamp": "2024-05-01T12:0%d:00Z", "text": "geyser %d"}\n' % (n, n, n)
        for n in range(3)
    )
    first, second, third = lines
    ingest_file(container, "default", "second.jsonl", second)
    position = found_json(run(*asked, command=search))["event_position"]
    same = run("replay", position)
    assert same.exit_code == 0, same.output
    assert "Today it finds the same" in same.stdout

    ingest_file(container, "default", "others.jsonl", first + third)
    done = run("replay", position, "--json")
    assert done.exit_code == 1
    found = found_json(done)
    assert found["as_of_then"]["is_same"] is True
    assert [hit["reason"] for hit in found["today"]["hits"]] == ["arrived", "ranking", "arrived"]
    shown = run("replay", position).stdout
    assert "geyser 0" in shown
    assert "arrived" in shown
    assert "not the same" in shown


def test_it_stands_among_the_commands() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert "searches" in shown
    names = CliRunner().invoke(searches, ["--help"]).stdout
    for name in ("list", "save", "rename", "delete", "run", "history", "replay"):
        assert f"  {name} " in names
