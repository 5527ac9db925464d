"""`chatledger search`: what people and programs see of an answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from application.commands.perform_search import Searched
from application.ports.search import (
    Coverage,
    Facets,
    FacetValue,
    FoundMessage,
    Hit,
    Place,
    SearchAnswer,
    SearchRequest,
)
from domain.search import Search
from infrastructure.container import Container
from interfaces.cli.render_search import MAX_TEXT, render
from interfaces.cli.search import search
from tests.support.archive import copy_template
from tests.support.archive_fixture import CHAT, ingest, open_test_container
from tests.support.postgres import drop_database

HIDDEN = "\x1b[2J\x1b]0;title\x07\u202eevil\r\x9b"
REQUEST = SearchRequest(workspace_id=uuid4(), query="rain")


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        ingest(opened)
        yield opened
    drop_database(url)


@pytest.fixture
def run(container: Container, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield container

    monkeypatch.setattr("infrastructure.bootstrap.open_container", opened)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(search, arguments)

    return invoke


def message(text: str, author: str | None = "Ada", conversation: str = "Boat") -> FoundMessage:
    return FoundMessage(
        id=2**60,
        conversation_id=uuid4(),
        conversation=conversation,
        author_id=None if author is None else uuid4(),
        author=author,
        sent_at=datetime(2024, 3, 1, 9, 2, tzinfo=UTC),
        kind="message" if author else "system",
        text=text,
    )


def searched(
    *hits: Hit, coverage: Coverage | None = None, is_stale: bool = False, **changes: Any
) -> Searched:
    answer = SearchAnswer(
        hits=hits,
        coverage=coverage or Coverage(indexed=7_412, total=7_412),
        position=11,
        is_stale=is_stale,
        model="m",
        engine="faiss",
        has_more=False,
    )
    answer = replace(answer, **changes)
    return Searched(answer=answer, position=1_234, milliseconds=12.4)


def hit(text: str = "rain\n  again", **changes: Any) -> Hit:
    found = Hit(
        message=message(text),
        place=Place(11, 11, 0, 0.0328, 2**60),
        score=0.0328,
        probability=None,
        meaning=0.6123,
        meaning_rank=2,
        words=0.5,
        words_rank=3,
        highlights=((0, 4),),
        before=(message("sun " * 200, author="Bob"),),
        after=(message("joined", author=None),),
        same_text=1,
    )
    return replace(found, **changes)


def rendered(found: Searched, *, is_terminal: bool = False) -> str:
    file = io.StringIO()
    color = "standard" if is_terminal else None
    console = Console(
        file=file, force_terminal=is_terminal, width=60, color_system=color, legacy_windows=False
    )
    render(console, found, REQUEST)
    return file.getvalue()


def test_a_hit_shows_why_it_was_found_and_what_was_said_around_it() -> None:
    lines = rendered(searched(hit())).splitlines()
    assert lines[:4] == [
        "1. score 0.0328 · meaning 0.612 (#2) · words #3",
        "   Boat · Ada · 2024-03-01 09:02 UTC",
        "     Bob: " + ("sun " * 200)[:195] + "…",
        "   » **rain**",
    ]
    assert lines[4:7] == ["     again", "     (system): joined", "   1 more with the same text"]
    assert lines[-1] == (
        "1 hit · indexed 7,412 of 7,412 messages · engine faiss · 12 ms · "
        "recorded at position 1,234"
    )


def test_what_did_not_find_it_is_a_dash() -> None:
    only_words = hit(meaning=None, meaning_rank=None)
    only_meaning = hit(words=None, words_rank=None, highlights=())
    shown = rendered(searched(only_words, only_meaning))
    assert "meaning – · words #3" in shown
    assert "meaning 0.612 (#2) · words –" in shown


def test_words_of_the_query_have_a_colour_and_asterisks_where_there_are_none() -> None:
    in_colour = rendered(searched(hit()), is_terminal=True)
    assert "\x1b[1;33mrain\x1b[0m" in in_colour
    assert "**" not in in_colour
    plain = rendered(searched(hit("rain, rain!", highlights=((0, 4), (6, 10)))))
    assert "» **rain**, **rain**!" in plain
    assert "\x1b" not in plain


@pytest.mark.parametrize("is_terminal", [False, True])
def test_an_export_cannot_speak_to_the_terminal(is_terminal: bool) -> None:
    evil = message(HIDDEN, author=HIDDEN, conversation=HIDDEN)
    shown = rendered(
        searched(hit(HIDDEN, message=evil, before=(evil,), highlights=())), is_terminal=is_terminal
    )
    for unwanted in ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\r", "\x9b"):
        assert unwanted not in shown
    assert "evil" in shown


def test_brackets_of_a_message_are_no_markup() -> None:
    assert "[red]rain[/] :smile:" in rendered(searched(hit("[red]rain[/] :smile:", highlights=())))


def test_a_text_as_long_as_a_book_is_cut_and_says_so() -> None:
    shown = rendered(
        searched(hit("x" * (MAX_TEXT + 1_500), highlights=((MAX_TEXT + 1, MAX_TEXT + 3),)))
    )
    assert "… (1,500 more characters)" in shown


def test_partial_and_stale_answers_say_so() -> None:
    shown = rendered(searched(coverage=Coverage(indexed=10, total=7_412), is_stale=True))
    assert "Nothing found for 'rain'." in shown
    assert "may be old" in shown
    assert "0 hits · indexed 10 of 7,412 messages, more to come" in shown


def test_a_search_prints_hits_and_leaves_an_event(run: Any, container: Container) -> None:
    done = run("weather harbour", "--mode", "words")
    assert done.exit_code == 0, done.output
    assert "» The **weather** forecast promises rain ☔ in the **harbour**." in done.stdout
    count = "SELECT count(*) FROM log.archive_events WHERE topic = %s"
    with container.pool.connection() as connection:
        row = connection.execute(count, (Search.Performed.TOPIC,)).fetchone()
    assert row is not None
    assert row[0] >= 1


def test_programs_get_one_json_object(run: Any) -> None:
    done = run("weather harbour", "--json", "--limit", "1", "--context", "1")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    [first] = found["hits"]
    assert first["message"]["text"] == CHAT[2][2]
    assert isinstance(first["message"]["id"], str)
    assert [CHAT[2][2][start:end] for start, end in first["highlights"]] == ["weather", "harbour"]
    assert [len(first["before"]), len(first["after"])] == [1, 1]
    assert found["coverage"] == {"indexed": len(CHAT), "total": len(CHAT), "is_partial": False}
    assert found["event_position"] > found["position"]


def test_nothing_found_is_exit_status_1(run: Any) -> None:
    done = run("xylophone", "--mode", "words")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, "Nothing found for 'xylophone'.")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["x", "--workspace", "nowhere"], "no workspace 'nowhere'; there are: 'default'"),
        ([" "], "the query is empty"),
        (["x", "--limit", "0"], "limit is between 1 and 100"),
        (["x", "--context", "21"], "context is between 0 and 20"),
        (["x", "--mode", "magic"], "magic"),
        ([], "QUERY"),
    ],
)
def test_a_mistake_is_exit_status_2_with_a_reason(
    run: Any, arguments: list[str], reason: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert done.stdout == ""


def test_a_database_out_of_reach_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(search, ["x"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: connection failed")
    assert done.stderr.count("\n") == 1


def test_what_nothing_fits_and_how_the_result_is_made_up_are_said() -> None:
    facets = Facets(
        total=1_200,
        authors=(FacetValue("1", "Ada" + HIDDEN, 1_000), FacetValue("2", "Bob", 200)),
        conversations=(FacetValue("3", "Boat", 1_200),),
        months=(FacetValue("2024-03", "2024-03", 1_200),),
        formats=(),
    )
    shown = rendered(searched(hit(), facets=facets, notes=("nobody is called 'x'",), has_more=True))
    lines = shown.splitlines()
    assert "nobody is called 'x'" in lines
    assert "1,200 messages in all" in lines
    assert "   Conversations: Boat 1,200" in lines
    assert "Formats" not in shown
    assert "\x1b[2J" not in shown
    assert "1 hit, and more · indexed" in lines[-1]


def test_operators_narrow_and_order_and_facets_are_options(run: Any) -> None:
    found = json.loads(run("from:bob in:kitchen", "--sort", "oldest", "--facets", "--json").stdout)
    assert [hit["message"]["text"] for hit in found["hits"]] == ["ok"]
    assert found["facets"]["total"] == 1
    listed = run("in:kitchen -from:dee", "--context", "0").stdout
    assert listed.index("» ok") < listed.index("» A plumber comes on Monday.")
    assert "1. listed" in listed


def test_a_mistyped_operator_fails_with_what_is_possible(run: Any) -> None:
    failed = run("form:bob")
    assert failed.exit_code == 2
    assert "did you mean from:" in failed.stderr
    assert run("rain from:nobody-here").exit_code == 1


def test_a_query_may_begin_with_an_exclusion_and_a_mistyped_option_is_none(run: Any) -> None:
    found = run("-from:dee in:kitchen", "--context", "0").stdout
    assert "A plumber comes" in found
    assert "dishwasher" not in found
    failed = run("rain", "--limt", "3")
    assert failed.exit_code == 2
    assert "--limt" in failed.stderr


def test_more_like_a_message(run: Any) -> None:
    [found] = json.loads(run("plumber", "--mode", "words", "--json").stdout)["hits"]
    id = found["message"]["id"]
    answer = json.loads(run("--like", f"Message:{id}", "--json").stdout)
    assert (answer["query"], answer["like"], answer["like_note"]) == ("", id, None)
    texts = [hit["message"]["text"] for hit in answer["hits"]]
    assert texts
    assert found["message"]["text"] not in texts
    narrowed = run("--like", id, "in:kitchen").stdout
    assert "dishwasher" in narrowed
    assert "sailing" not in narrowed
    for arguments in (["--like", "x"], ["--like", "9" * 30], ["--like", "7"], ["a", "--like", id]):
        assert run(*arguments).exit_code == 2
    assert run().exit_code == 2


def test_who_has_nothing_to_compare_is_told_why() -> None:
    request = replace(REQUEST, query="", like=7)
    for note, said in (("not_indexed", "no vector yet"), ("no_text", "no text"), (None, "like")):
        answer = searched()
        output = io.StringIO()
        shown = replace(answer, answer=replace(answer.answer, like_note=note))
        render(Console(file=output, width=100), shown, request)
        assert said in output.getvalue().splitlines()[0]


def test_what_a_hit_stands_for_is_shown_with_it(run: Any) -> None:
    [hit] = json.loads(run("ok in:kitchen", "--mode", "words", "--json").stdout)["hits"]
    assert (hit["duplicates"], hit["others"]) == (1, [])
    arguments = ("ok in:kitchen", "--mode", "words", "--duplicates", "5")
    [hit] = json.loads(run(*arguments, "--json").stdout)["hits"]
    [other] = hit["others"]
    assert {hit["message"]["author"], other["author"]} == {"Bob", "Dee"}
    assert isinstance(other["id"], str)
    shown = run(*arguments, "--context", "0").stdout
    assert "1 more that say the same" in shown
    assert f"{other['author']}: ok" in shown
    assert run("ok", "--duplicates", "21").exit_code == 2
