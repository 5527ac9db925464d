"""Searching a real archive over GraphQL: hits, coverage, refusals, the event of each search."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from application.commands.create_workspace import CreateWorkspace
from application.context import LOCAL_OWNER
from application.ports.search import (
    OnFound,
    SearchAnswer,
    SearchRequest,
    SearchTookTooLongError,
)
from application.searching.query import Query
from domain.search import Search
from infrastructure.container import Container
from infrastructure.log.reader import LogReader
from interfaces.cli.actor import cli_context
from interfaces.graphql.node_ids import node_id
from projections.contract import RecordedEvent
from tests.support.archive_fixture import CHAT, Ingested, advance, ingest
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import SECRET, Site

__all__ = ["container", "ingested", "site"]

SEARCH = """
query Search(
  $query: String!, $workspace: String! = "default", $mode: SearchMode! = HYBRID,
  $limit: Int! = 10, $context: Int! = 2, $minPosition: BigInt
) {
  search(
    query: $query, workspace: $workspace, mode: $mode, limit: $limit, context: $context,
    minPosition: $minPosition
  ) {
    __typename
    ... on Refusal { code message }
    ... on SearchResult { hits {
      score probability reasons
      meaning { cosine rank }
      words { rank score }
      message { id text sentAt kind author { id name } conversation { id title } }
      highlights { start end }
      before { text author { name } }
      after { text }
      sameTextCount
    }
    coverage { indexed total isPartial }
    position eventPosition isStale model engine milliseconds }
  }
}
"""
POSITION = "... on SearchResult { position }"


def search(site: Site, query: str, **variables: Any) -> Any:
    found = site.data(SEARCH, query=query, **variables)["search"]
    assert found["__typename"] == "SearchResult", found
    return found


def texts(found: Any) -> list[str]:
    return [hit["message"]["text"] for hit in found["hits"]]


def searches(container: Container) -> list[RecordedEvent]:
    """Every search that the log knows, in order."""
    with container.pool.connection() as connection:
        page = LogReader(container.mapper).page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[Search.Performed.TOPIC],
            limit=10_000,
        )
    return page.events


def test_a_hit_has_its_scores_its_words_and_what_was_said_around_it(site: Site) -> None:
    found = search(site, "weather harbour", mode="WORDS")
    [hit] = found["hits"]
    text = "The weather forecast promises rain ☔ in the harbour."
    assert hit["message"]["text"] == text
    assert hit["message"]["author"]["name"] == "Ada"
    assert hit["message"]["conversation"]["title"] == "Boat trip"
    assert hit["message"]["sentAt"] == "2024-03-01T09:02:00+00:00"
    assert hit["message"]["kind"] == "MESSAGE"
    assert hit["message"]["id"].removeprefix("Message:").isdecimal()
    assert hit["meaning"] is None
    assert hit["words"]["rank"] == 1
    assert [text[span["start"] : span["end"]] for span in hit["highlights"]] == [
        "weather",
        "harbour",
    ]
    assert [message["text"] for message in hit["before"]] == [CHAT[0][2], CHAT[1][2]]
    assert [message["text"] for message in hit["after"]] == [CHAT[3][2], CHAT[4][2]]


def test_highlights_count_as_javascript_does(site: Site) -> None:
    """An emoji has two UTF-16 code units, and Python's one character."""
    [hit] = [
        hit
        for hit in search(site, "sailing", mode="WORDS")["hits"]
        if hit["message"]["text"].startswith("😀")
    ]
    [span] = hit["highlights"]
    units = hit["message"]["text"].encode("utf-16-le")
    assert units[span["start"] * 2 : span["end"] * 2].decode("utf-16-le") == "sailing"


def test_meaning_shows_how_near_each_hit_is_and_no_words(site: Site) -> None:
    found = search(site, CHAT[5][2], mode="MEANING", limit=3)
    first = found["hits"][0]
    assert first["message"]["text"] == CHAT[5][2]
    assert first["meaning"]["rank"] == 1
    assert first["meaning"]["cosine"] == pytest.approx(1, abs=0.01)
    assert all(hit["words"] is None for hit in found["hits"])
    assert found["model"]
    assert found["engine"] in {"faiss", "pgvector"}


def test_words_alone_need_no_model(site: Site) -> None:
    found = search(site, "plumber", mode="WORDS")
    assert (found["model"], found["engine"]) == (None, "none")
    assert texts(found) == ["A plumber comes on Monday."]


def test_hybrid_shows_both_ranks_of_a_hit(site: Site) -> None:
    hit = search(site, "The dishwasher leaks again.")["hits"][0]
    assert hit["meaning"]["rank"] == hit["words"]["rank"] == 1
    assert hit["score"] > 1  # as near as can be, and it has all the words
    assert hit["reasons"] == ["MEANING", "WORDS"]
    assert hit["probability"] is None  # nobody has measured this model


@pytest.mark.parametrize(("limit", "context"), [(1, 0), (2, 1)])
def test_limit_and_context_are_obeyed(site: Site, limit: int, context: int) -> None:
    found = search(site, "report", limit=limit, context=context)
    assert len(found["hits"]) == limit
    assert all(len(hit["before"]) <= context for hit in found["hits"])


def test_messages_with_the_same_text_are_one_hit(site: Site) -> None:
    hits = {hit["message"]["text"]: hit for hit in search(site, "ok", mode="WORDS")["hits"]}
    assert hits["ok"]["sameTextCount"] == 1


def test_an_answer_says_how_much_of_the_archive_it_covers(
    site: Site, container: Container, ingested: Ingested
) -> None:
    found = search(site, "harbour", minPosition=ingested.position)
    assert found["coverage"] == {"indexed": len(CHAT), "total": len(CHAT), "isPartial": False}
    assert found["position"] >= ingested.position
    assert found["isStale"] is False

    unindexed = ingest(container, "half done", CHAT[:5], has_vectors=False)
    found = search(site, "harbour", workspace=unindexed.workspace)
    assert found["coverage"] == {"indexed": 0, "total": 5, "isPartial": True}
    assert texts(found) == [CHAT[2][2]]


def test_a_workspace_shows_nothing_of_another(site: Site) -> None:
    assert "password" not in str(search(site, "harbour password", limit=100))
    assert texts(search(site, "harbour password", workspace="SECRETS ")) == [
        "The harbour password is swordfish."
    ]


def test_each_search_is_in_the_log_once_before_its_answer(
    site: Site, container: Container, ingested: Ingested
) -> None:
    before = len(searches(container))
    found = search(site, "life jackets")
    assert len(searches(container)) == before + 1

    recorded = searches(container)[-1]
    assert recorded.position == found["eventPosition"]
    assert recorded.event.query == "life jackets"
    assert [node_id("Message", id) for id in recorded.event.hits] == [
        hit["message"]["id"] for hit in found["hits"]
    ]
    assert recorded.workspace_id == ingested.workspace_id
    assert recorded.actor_id == LOCAL_OWNER
    assert recorded.origin is not None
    assert recorded.origin["channel"] == "http"


def test_two_searches_of_one_request_are_two_events_with_one_correlation(
    site: Site, container: Container
) -> None:
    before = len(searches(container))
    site.data(f'{{a: search(query: "rain") {{{POSITION}}} b: search(query: "sun") {{{POSITION}}}}}')
    performed = searches(container)[before:]
    assert sorted(recorded.event.query for recorded in performed) == ["rain", "sun"]
    assert len({recorded.correlation_id for recorded in performed}) == 1


@pytest.mark.parametrize(
    ("variables", "kind", "code"),
    [
        ({"query": " \n"}, "QueryRefused", "EMPTY_QUERY"),
        ({"query": "x" * 2_001}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "limit": 0}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "limit": -1}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "limit": 101}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "context": -1}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "context": 21}, "QueryRefused", "QUERY_REFUSED"),
        ({"query": "x", "workspace": "nowhere"}, "UnknownWorkspace", "UNKNOWN_WORKSPACE"),
        ({"query": "x", "workspace": ""}, "UnknownWorkspace", "UNKNOWN_WORKSPACE"),
        ({"query": "x", "workspace": "Workspace:7"}, "UnknownWorkspace", "UNKNOWN_WORKSPACE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refusal_is_an_answer_with_a_code_a_reason_and_no_event(
    site: Site, container: Container, variables: dict[str, Any], kind: str, code: str
) -> None:
    before = len(searches(container))
    with capture_logs() as logs:
        answer = site.data(SEARCH, **variables)["search"]
    assert (answer["__typename"], answer["code"]) == (kind, code)
    assert answer["message"]
    assert len(searches(container)) == before
    assert not [line for line in logs if line["log_level"] in {"warning", "error"}]


def test_a_search_given_up_has_a_type_of_its_own(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(request: SearchRequest, query: Query, on_found: OnFound) -> SearchAnswer:
        raise SearchTookTooLongError("a step of the search took longer than 10 s")

    monkeypatch.setattr(container.perform_search._searcher, "search", give_up)
    before = len(searches(container))
    refused = site.data(SEARCH, query="x")["search"]
    assert (refused["__typename"], refused["code"]) == ("SearchTimedOut", "SEARCH_TIMEOUT")
    assert "longer than 10 s" in refused["message"]
    assert len(searches(container)) == before


def test_a_refused_search_leaves_the_others_their_answers(site: Site) -> None:
    answer = site.data(
        f'{{a: search(query: "rain") {{{POSITION}}} b: search(query: "") {{__typename}}}}'
    )
    assert answer["a"]["position"] > 0
    assert answer["b"] == {"__typename": "QueryRefused"}


def test_more_can_be_asked_of_a_hit_and_of_what_is_around_it(site: Site) -> None:
    """Also what the search itself did not look up."""
    document = """query($query: String!) {search(query: $query, limit: 3, mode: WORDS) {
      ... on SearchResult {hits {
        message {...M} before {...M} after {...M}
      }}
    }}
    fragment M on Message {
      id precision zone version position upload {filename} reactions {value}
      author {id messageCount format} conversation {id messageCount kind}
      before(first: 1) {nodes {id}}
    }"""
    [hit] = site.data(document, query="plumber")["search"]["hits"]
    message = hit["message"]
    assert (message["precision"], message["zone"], message["version"]) == ("SECOND", "STATED", 1)
    assert message["upload"] == {"filename": "chat.jsonl"}
    assert message["author"]["messageCount"] == 3
    assert message["conversation"]["messageCount"] == 4
    assert message["before"]["nodes"] == [{"id": hit["before"][-1]["id"]}]


def test_an_unexpected_error_says_nothing_of_what_went_wrong(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setitem(vars(container), "perform_search", explode)
    with capture_logs() as logs:
        answer = site.ask(SEARCH, query="rain")
    assert SECRET not in str(answer)
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert answer["errors"][0]["path"] == ["search"]
    assert "RuntimeError" in logs[0]["traceback"]
    assert SECRET not in logs[0]["traceback"]


def test_a_search_waits_for_the_position_that_it_names(site: Site, container: Container) -> None:
    """Who has just created a workspace can search in it, whatever the read models' pace."""
    accepted = container.create_workspace(CreateWorkspace(name="brand new"), cli_context(None))
    refused = site.data(SEARCH, query="x", workspace="brand new")["search"]
    assert refused["code"] == "UNKNOWN_WORKSPACE"

    catching_up = Timer(0.2, advance, [container])
    catching_up.start()
    found = search(site, "x", workspace="brand new", minPosition=accepted.position)
    catching_up.join()
    assert (found["hits"], found["isStale"]) == ([], False)
    assert found["position"] >= accepted.position


@pytest.mark.parametrize("is_beyond", [False, True])
def test_an_answer_that_is_too_old_says_so(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch, *, is_beyond: bool
) -> None:
    """At once where the log itself is not as long: then nobody can have seen the position."""
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 30 if is_beyond else 0.05)
    position = unseen(container) if not is_beyond else container.archive.event_log.head() + 1
    answer = site.ask(SEARCH, query="harbour", minPosition=position)
    assert answer["data"]["search"]["isStale"] is True
    assert answer["data"]["search"]["hits"] != []
    assert answer["extensions"] == {"stale": ["search"]}


def unseen(container: Container) -> int:
    """A position of the log that no read model has reached."""
    command = CreateWorkspace(name=f"unseen {uuid4()}")
    return container.create_workspace(command, cli_context(None)).position


def test_searches_that_wait_for_a_position_hold_up_nobody_else(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 2.0)
    never = unseen(container)
    searches = " ".join(
        f'a{n}: search(query: "x", minPosition: {never}) {{ {POSITION} }}' for n in range(12)
    )
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(site.ask, f"{{ {searches} }}")
        sleep(0.5)
        began_at = monotonic()
        assert site.data("{ workspaces { nodes { id } } }")["workspaces"]["nodes"]
        took = monotonic() - began_at
        is_held_up = waiting.done()
        answer = waiting.result()
    assert (took < 1.0, is_held_up) == (True, False)
    assert sorted(answer["extensions"]["stale"]) == sorted(f"a{n}" for n in range(12))


def test_a_request_for_more_than_an_answer_can_hold_is_refused(site: Site) -> None:
    answer = site.ask(SEARCH, query="x", limit=100, context=1_000)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ANSWER_TOO_LARGE"]


NAMED = """
query ($q: String!) { found: search(query: $q, context: 1) { ...Result } }
fragment Result on SearchResult { list: hits { ...Shown ... on Hit { near: after { text } } } }
fragment Shown on Hit { message { text } marks: highlights { start } n: sameTextCount }
"""


def test_what_is_asked_for_in_fragments_and_by_other_names_is_looked_up(site: Site) -> None:
    """Only what is shown of hits is looked up: all that is shown has to be."""
    plain = search(site, "harbour", context=1)["hits"]
    found = site.data(NAMED, q="harbour")["found"]["list"]
    assert [hit["message"]["text"] for hit in found] == [hit["message"]["text"] for hit in plain]
    assert [[s["start"] for s in hit["marks"]] for hit in found] == [
        [span["start"] for span in hit["highlights"]] for hit in plain
    ]
    assert [hit["n"] for hit in found] == [hit["sameTextCount"] for hit in plain]
    assert [[m["text"] for m in hit["near"]] for hit in found] == [
        [message["text"] for message in hit["after"]] for hit in plain
    ]
    assert any(hit["marks"] for hit in found)
    assert any(hit["near"] for hit in found)
