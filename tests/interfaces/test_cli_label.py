"""`chatledger label`: what people do with labels on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from application.context import LOCAL_OWNER, Context
from domain.search import Search
from infrastructure.container import Container
from interfaces.cli import label as cli
from interfaces.cli.main import main
from tests.support.archive import copy_template
from tests.support.archive_fixture import Ingested, ingest, open_test_container
from tests.support.labels import Labels
from tests.support.postgres import drop_database


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
def labels(container: Container, ingested: Ingested) -> Labels:
    context = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    return Labels(container.archive, container.pool, context)


@pytest.fixture
def run(container: Container, labels: Labels, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield container

    monkeypatch.setattr(cli, "open_container", opened)

    def invoke(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli.label, arguments)

    return invoke


@pytest.fixture
def name(run: Any) -> str:
    """Of a label that there is."""
    made = f"label {uuid4().hex[:6]}"
    described = ("--colour", "#3366cc", "--description", "What it is for")
    assert run("create", made, *described).exit_code == 0
    return made


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_a_whole_result_is_labelled_equal_texts_each_for_itself(
    run: Any, name: str, labels: Labels
) -> None:
    put = run("add", name, "--query", "in:kitchen", "--mode", "words")
    assert said(put) == "Put the label on 4 of 4.\n"
    assert labels.texts(name) == [
        "A plumber comes on Monday.", "The dishwasher leaks again.", "ok", "ok",
    ]  # fmt: skip
    again = run("add", name.upper(), "--query", "in:kitchen OK", "--mode", "words")
    assert said(again) == "Put the label on 0 of 2; the others had it.\n"
    off = run("remove", name, "--query", "from:Dee", "--mode", "words")
    assert said(off) == "Took the label off 2 of 2.\n"
    assert labels.texts(name) == ["A plumber comes on Monday.", "ok"]


def test_a_query_is_labelled_up_to_the_limit_which_is_said(
    run: Any, name: str, labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, and command by command."""
    monkeypatch.setattr(cli, "PAGE", 4)
    monkeypatch.setattr(cli, "MOST_TARGETS", 3)
    put = run("add", name, "--query", "in:standup", "--mode", "words", "--limit", "10")
    assert said(put) == (
        "Put the label on 10 of 10. The result has more than these 10 messages: raise --limit.\n"
    )
    assert labels.texts(name) == sorted(
        f"Report number {n}: nothing is blocked." for n in range(20, 30)
    )
    every = run("add", name, "--query", "in:standup", "--mode", "words", "--limit", "30")
    assert said(every) == "Put the label on 20 of 30; the others had it.\n"


def test_the_searches_are_in_the_log(run: Any, name: str, container: Container) -> None:
    before = container.archive.event_log.head()
    said(run("add", name, "--query", "plumber", "--mode", "words"))
    with container.pool.connection() as connection:
        rows = connection.execute(
            "SELECT topic FROM log.archive_events WHERE notification_id > %s "
            "ORDER BY notification_id",
            (before,),
        ).fetchall()
    assert [row[0] for row in rows] == [Search.Performed.TOPIC, "labelling.begun"]


def test_ids_are_taken_as_they_are_shown_and_bare(
    run: Any, name: str, labels: Labels, container: Container, ingested: Ingested
) -> None:
    one, two = labels.ids("A plumber comes on Monday.", "I do, five of them.")
    with container.pool.connection() as connection:
        [(boat,)] = connection.execute(
            "SELECT conversation_id FROM read.conversation "
            "WHERE workspace_id = %s AND title = 'Boat trip'",
            (ingested.workspace_id,),
        ).fetchall()
    put = run("add", name, f"Message:{one}", str(two), f"Conversation:{boat}", str(boat))
    assert said(put) == "Put the label on 3 of 3.\n"
    assert labels.titles(name) == ["Boat trip"]
    listed = said(run("list"))
    [line] = [line for line in listed.splitlines() if name in line]
    assert "What it is for" in listed
    assert [cell.strip() for cell in line.split("│")[2:4]] == ["2", "1"]
    off = run("remove", name, str(boat))
    assert said(off) == "Took the label off 1 of 1.\n"


def test_a_label_is_renamed_and_deleted_by_name_or_id(run: Any, name: str, labels: Labels) -> None:
    said(run("add", name, str(labels.ids("The dishwasher leaks again.")[0])))
    said(run("rename", name, f"{name} now"))
    assert labels.texts(f"{name} now") == ["The dishwasher leaks again."]
    [line] = [line for line in said(run("list")).splitlines() if f"{name} now" in line]
    id_ = line.split("│")[-2].strip()
    said(run("delete", f"Label:{id_}"))
    assert name not in said(run("list"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "nowhere", "1"), "there is no label 'nowhere'"),
        (("add", "NAME", "999999999"), "there is no message 999999999"),
        (("add", "NAME", str(uuid4())), "there is no conversation"),
        (("add", "NAME", "9" * 40), "is no id of a message or a conversation"),
        (("add", "NAME", "Upload:1"), "is no id of a message or a conversation"),
        (("add", "NAME"), "name either ids or a --query"),
        (("add", "NAME", "1", "--query", "ok"), "name either ids or a --query"),
        (("add", "NAME", "--query", "xyzzy", "--mode", "words"), "the search finds nothing"),
        (("add", "NAME", "--query", ""), "the query is empty"),
        (("add", "NAME", "--query", "form:ada"), "did you mean from:"),
        (("add", "NAME", "--query", "ok", "--limit", "0"), "--limit"),
        (("add", "NAME", "--query", "ok", "--workspace", "nowhere"), "there is no workspace"),
        (("create", "NAME"), "already"),
        (("create", "a\x1bb"), "printable characters"),
        (("rename", "NAME", ""), "printable characters"),
        (("delete", "nowhere"), "there is no label 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: Any, name: str, arguments: tuple[str, ...], message: str
) -> None:
    result = run(*(name if part == "NAME" else part for part in arguments))
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output


def test_a_name_that_the_query_does_not_know_is_said(run: Any, name: str) -> None:
    result = run("add", name, "--query", "-from:Boby in:kitchen", "--mode", "words")
    assert "nobody is called 'Boby'; did you mean Bob?" in said(result)


def test_the_command_is_listed() -> None:
    assert "label" in CliRunner().invoke(main, ["--help"]).output
