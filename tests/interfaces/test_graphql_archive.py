"""Asking a real archive over GraphQL: hits, coverage, refusals, and the event of each search."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from application.commands.create_workspace import CreateWorkspace
from application.context import LOCAL_OWNER
from application.ports.search import SearchAnswer, SearchRequest, SearchTookTooLongError
from domain.search import Search
from infrastructure.container import Container
from infrastructure.log.reader import LogReader
from interfaces.cli.actor import cli_context
from projections.contract import RecordedEvent
from tests.support.archive import copy_template
from tests.support.archive_fixture import CHAT, Ingested, advance, ingest, open_test_container
from tests.support.graphql_site import SECRET, Site
from tests.support.postgres import drop_database

SEARCH = """
query Search(
  $query: String!, $workspace: String! = "default", $mode: SearchMode! = HYBRID,
  $limit: Int! = 10, $context: Int! = 2, $minPosition: BigInt
) {
  search(
    query: $query, workspace: $workspace, mode: $mode, limit: $limit, context: $context,
    minPosition: $minPosition
  ) {
    hits {
      score
      meaning { cosine rank }
      words { rank score }
      message { id text sentAt kind author { id name } conversation { id title } }
      highlights { start end }
      before { text author { name } }
      after { text }
      sameText
    }
    coverage { indexed total isPartial }
    position eventPosition isStale model engine milliseconds
  }
}
"""


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
    found = ingest(container)
    ingest(container, "secrets", [("Vault", "Eve", "The harbour password is swordfish.")])
    return found


@pytest.fixture
def site(container: Container, ingested: Ingested) -> Site:
    return Site(container)


def search(site: Site, query: str, **variables: Any) -> Any:
    return site.data(SEARCH, query=query, **variables)["search"]


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
    assert hit["message"]["id"].isdecimal()
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
    assert hit["score"] == pytest.approx(2 / 61)


@pytest.mark.parametrize(("limit", "context"), [(1, 0), (2, 1)])
def test_limit_and_context_are_obeyed(site: Site, limit: int, context: int) -> None:
    found = search(site, "report", limit=limit, context=context)
    assert len(found["hits"]) == limit
    assert all(len(hit["before"]) <= context for hit in found["hits"])


def test_messages_with_the_same_text_are_one_hit(site: Site) -> None:
    hits = {hit["message"]["text"]: hit for hit in search(site, "ok", mode="WORDS")["hits"]}
    assert hits["ok"]["sameText"] == 1


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
    assert [str(id_) for id_ in recorded.event.hits] == [
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
    site.data('{a: search(query: "rain") {position} b: search(query: "sun") {position}}')
    performed = searches(container)[before:]
    assert sorted(recorded.event.query for recorded in performed) == ["rain", "sun"]
    assert len({recorded.correlation_id for recorded in performed}) == 1


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"query": " \n"}, "EMPTY_QUERY"),
        ({"query": "x" * 2_001}, "QUERY_REFUSED"),
        ({"query": "nul\x00"}, "QUERY_REFUSED"),
        ({"query": "x", "limit": 0}, "QUERY_REFUSED"),
        ({"query": "x", "limit": -1}, "QUERY_REFUSED"),
        ({"query": "x", "limit": 101}, "QUERY_REFUSED"),
        ({"query": "x", "context": -1}, "QUERY_REFUSED"),
        ({"query": "x", "context": 21}, "QUERY_REFUSED"),
        ({"query": "x", "limit": 100, "context": 1_000}, "ANSWER_TOO_LARGE"),
        ({"query": "x", "workspace": "nowhere"}, "UNKNOWN_WORKSPACE"),
        ({"query": "x", "workspace": "\x00"}, "UNKNOWN_WORKSPACE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refusal_has_a_code_a_reason_and_no_event(
    site: Site, container: Container, variables: dict[str, Any], code: str
) -> None:
    before = len(searches(container))
    with capture_logs() as logs:
        answer = site.ask(SEARCH, **variables)
    [error] = answer["errors"]
    assert error["extensions"] == {"code": code}
    assert error["message"]
    assert answer["data"] == {"search": None}
    assert len(searches(container)) == before
    assert logs == []


def test_a_search_given_up_has_a_code_of_its_own(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(request: SearchRequest) -> SearchAnswer:
        raise SearchTookTooLongError("a step of the search took longer than 10 s")

    monkeypatch.setattr(container.perform_search._searcher, "search", give_up)
    before = len(searches(container))
    [error] = site.ask(SEARCH, query="x")["errors"]
    assert error["extensions"] == {"code": "SEARCH_TIMEOUT"}
    assert "longer than 10 s" in error["message"]
    assert len(searches(container)) == before


def test_a_refused_search_leaves_the_others_their_answers(site: Site) -> None:
    answer = site.ask('{a: search(query: "rain") {position} b: search(query: "") {position}}')
    assert answer["data"]["a"]["position"] > 0
    assert answer["data"]["b"] is None


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


def test_an_upload_shows_how_far_it_has_come(site: Site, ingested: Ingested) -> None:
    fields = """
      id filename format stage size sha256 isComplete error attempts position
      counts { conversations messages system authors }
      progress { batches batchesRecorded messagesRecorded texts textsEmbedded }
      firstAt lastAt receivedAt updatedAt warnings { file line reason }
      log(first: 10) { position at level text }
    """
    query = f"query($id: ID!) {{upload(id: $id) {{{fields}}} uploads {{{fields}}}}}"
    answer = site.data(query, id=str(ingested.upload_id))
    upload = answer["upload"]
    assert [upload] == answer["uploads"]
    assert (upload["filename"], upload["stage"]) == ("chat.jsonl", "SEARCHABLE")
    assert upload["counts"] == {
        "conversations": 3,
        "messages": len(CHAT),
        "system": 0,
        "authors": 9,
    }
    assert upload["progress"]["textsEmbedded"] == upload["progress"]["texts"] == len(CHAT)
    assert upload["firstAt"] == "2024-03-01T09:00:00+00:00"
    assert [line["level"] for line in upload["log"]] == ["INFO"] * len(upload["log"])

    after = upload["log"][0]["position"]
    query = "query($after: BigInt) {uploads {log(after: $after, first: 1) {position}}}"
    [later] = site.data(query, after=after)["uploads"]
    assert later["log"] == [{"position": upload["log"][1]["position"]}]


def test_an_upload_of_another_workspace_is_not_there(site: Site, ingested: Ingested) -> None:
    query = "query($id: ID!, $in: String!) {upload(id: $id, workspace: $in) {id}}"
    own = {"id": str(ingested.upload_id), "in": "default"}
    assert site.data(query, **own)["upload"] == {"id": own["id"]}
    assert site.data(query, **(own | {"in": "secrets"}))["upload"] is None
    assert site.data(query, **(own | {"id": str(uuid4())}))["upload"] is None
    assert site.data(query, **(own | {"id": "no id"}))["upload"] is None


def test_workspaces_are_listed_oldest_first(site: Site) -> None:
    found = site.data("{workspaces {id name createdAt position}}")["workspaces"]
    assert [row["name"] for row in found][:2] == ["default", "secrets"]


def test_a_search_waits_for_the_position_that_it_names(site: Site, container: Container) -> None:
    """Who has just created a workspace can search in it, whatever the read models' pace."""
    accepted = container.create_workspace(CreateWorkspace(name="brand new"), cli_context(None))
    [error] = site.ask(SEARCH, query="x", workspace="brand new")["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_WORKSPACE"

    catching_up = Timer(0.2, advance, [container])
    catching_up.start()
    found = search(site, "x", workspace="brand new", minPosition=accepted.position)
    catching_up.join()
    assert (found["hits"], found["isStale"]) == ([], False)
    assert found["position"] >= accepted.position


def test_an_answer_that_is_too_old_says_so(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.graphql.search.WAIT_SECONDS", 0.05)
    found = search(site, "harbour", minPosition=container.archive.event_log.head() + 1)
    assert found["isStale"] is True
    assert found["hits"] != []


def test_the_audit_trail_tells_of_a_search_in_words(site: Site, container: Container) -> None:
    position = search(site, "plumber on monday")["eventPosition"]
    advance(container)
    query = """query($before: BigInt, $first: Int!) {auditTrail(before: $before, first: $first) {
      position recordedAt actor {id name} action words subjectId origin {name value}
      correlationId causationPosition commandId
    }}"""
    [entry] = site.data(query, first=1)["auditTrail"]
    assert entry["position"] == position
    assert entry["actor"] == {"id": str(LOCAL_OWNER), "name": "Local owner"}
    assert entry["action"] == "search.performed"
    assert "plumber on monday" in entry["words"]
    assert {"name": "channel", "value": "http"} in entry["origin"]

    earlier = site.data(query, first=2, before=position)["auditTrail"]
    assert [entry["position"] < position for entry in earlier] == [True, True]


def test_projections_show_how_far_behind_they_are(site: Site, container: Container) -> None:
    query = "{projections {name version status position lagEvents lagSeconds failedPosition}}"
    search(site, "rain")
    lags = {row["name"]: row["lagEvents"] for row in site.data(query)["projections"]}
    assert set(lags) == set(container.runner.names)
    assert lags["audit_trail"] >= 1

    advance(container)
    for row in site.data(query)["projections"]:
        assert (row["status"], row["lagEvents"], row["lagSeconds"]) == ("LIVE", 0, 0)
