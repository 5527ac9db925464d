"""One sees what one has searched for, and nothing of what others did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from application.context import LOCAL_OWNER
from application.ports.search import Place
from domain.search import Search
from infrastructure.container import Container
from projections.searches.projection import SearchesReadModel
from tests.support.archive import Ledger
from tests.support.archive_fixture import Ingested, advance
from tests.support.full_archive import ledger_of
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site
from tests.support.scratch import events_of, projected
from tests.support.searches import some_search

__all__ = ["container", "ingested", "site"]

HISTORY = """query($workspace: String! = "default", $first: Int, $after: String) {
  searchHistory(workspace: $workspace, first: $first, after: $after) {
    nodes {
      eventPosition searchedAt query mode sort filters timeZone limit hitCount milliseconds model
      position isPartial savedSearchId
    }
    pageInfo {hasNextPage endCursor}
  }
}"""
SEARCH = """query($query: String!, $limit: Int! = 10, $after: String) {
  search(
    query: $query, mode: WORDS, sort: NEWEST, timeZone: "Europe/Berlin", limit: $limit,
    after: $after, filter: {authors: ["Ada"]}
  ) {... on SearchResult {eventPosition position endCursor hits {message {id}}}}
}"""


@pytest.fixture
def ledger(container: Container, ingested: Ingested) -> Ledger:
    return replace(ledger_of(container, ingested.workspace_id), workspace_id=uuid4())


def history(site: Site, container: Container, **asked: Any) -> Any:
    advance(container)
    return site.data(HISTORY, **asked)["searchHistory"]


def test_a_search_is_remembered_with_all_that_was_asked(site: Site, container: Container) -> None:
    answer = site.data(SEARCH, query="rain after:2024-02-28", limit=3)["search"]
    refused = site.data(SEARCH, query="rain", limit=101)["search"]
    assert refused == {}

    [found] = history(site, container, first=1)["nodes"]
    assert found["searchedAt"].endswith("+00:00")
    assert found["milliseconds"] > 0
    del found["searchedAt"], found["milliseconds"]
    assert found == {
        "eventPosition": answer["eventPosition"],
        "query": "rain after:2024-02-28",
        "mode": "WORDS",
        "sort": "NEWEST",
        "filters": {"authors": ["Ada"], "sent_from": "2024-02-28T23:00:00+00:00"},
        "timeZone": "Europe/Berlin",
        "limit": 3,
        "hitCount": len(answer["hits"]),
        "model": None,
        "position": answer["position"],
        "isPartial": False,
        "savedSearchId": None,
    }


def test_further_pages_are_no_searches_of_their_own(site: Site, container: Container) -> None:
    before = len(history(site, container, first=100)["nodes"])
    page = site.data(SEARCH, query="from:Ada", limit=1)["search"]
    further = site.data(SEARCH, query="from:Ada", limit=1, after=page["endCursor"])["search"]
    assert further["hits"]
    assert further["hits"] != page["hits"]

    found = history(site, container, first=100)["nodes"]
    assert len(found) == before + 1
    assert found[0]["eventPosition"] == page["eventPosition"]


def test_the_newest_comes_first_and_pages_go_on(site: Site, container: Container) -> None:
    for number in range(3):
        site.data(SEARCH, query=f"word{number}")
    page = history(site, container, first=2)
    assert [one["query"] for one in page["nodes"]] == ["word2", "word1"]
    assert page["pageInfo"]["hasNextPage"] is True
    site.data(SEARCH, query="word3")
    following = history(site, container, first=1, after=page["pageInfo"]["endCursor"])
    assert [one["query"] for one in following["nodes"]] == ["word0"]


def test_nobody_sees_what_others_have_searched_for(site: Site, container: Container) -> None:
    with container.pool.connection() as connection:
        [(workspace_id,)] = connection.execute(
            "SELECT workspace_id FROM read.workspace WHERE name = 'secrets'"
        ).fetchall()
    ledger = ledger_of(container, workspace_id)
    stranger = uuid4()
    ledger.record(some_search(searcher_id=str(stranger), query="theirs"), actor_id=stranger)
    position = ledger.record(some_search(query="mine"))
    found = history(site, container, workspace="secrets")["nodes"]
    assert [(one["query"], one["eventPosition"]) for one in found] == [("mine", position)]
    assert "mine" not in str(history(site, container, first=100))

    trail = '{auditTrail(workspace: "secrets", first: 2) {nodes {summary}}}'
    summaries = [one["summary"] for one in site.data(trail)["auditTrail"]["nodes"]]
    assert "«mine»" in summaries[0]
    assert "«theirs»" in summaries[1]


def test_an_unknown_workspace_has_no_history(site: Site) -> None:
    answer = site.ask(HISTORY, workspace="nowhere")
    assert answer["data"] == {"searchHistory": None}
    assert answer["errors"][0]["extensions"]["code"] == "UNKNOWN_WORKSPACE"


def rows(ledger: Ledger, columns: str) -> list[tuple[Any, ...]]:
    with projected(ledger, SearchesReadModel()) as tables:
        return tables.rows("search", columns)


def test_a_search_whose_key_was_destroyed_is_there_without_its_text(ledger: Ledger) -> None:
    other = uuid4()
    gone = ledger.record(some_search(searcher_id=str(other), query="secret", hits=[7, 8]))
    kept = ledger.record(some_search(query="a\x00b", filters={"has": ["link"]}))
    ledger.keyring.destroy(other)

    assert rows(ledger, "position, query, filters, hits, mode") == [
        (gone, None, None, 2, "words"),
        (kept, "a\ufffdb", {"has": ["link"]}, 0, "words"),
    ]


def test_one_recorded_by_an_early_version_says_what_was_kept_then(ledger: Ledger) -> None:
    [recorded] = recorded_search(ledger)
    facts = vars(recorded.event)
    for field in ("sort", "time_zone", "limit", "engine"):
        facts[field] = None
    with projected(ledger, SearchesReadModel(), [recorded]) as tables:
        row = tables.one("search", "query, sort, time_zone, hit_limit, engine, is_first_page")
    assert row == ("where is the key", None, None, None, None, True)


def recorded_search(ledger: Ledger) -> list[Any]:
    ledger.record(some_search())
    return events_of(ledger, SearchesReadModel())


def test_where_pages_end_makes_no_difference(ledger: Ledger) -> None:
    place = list(Place(1, 1, 0, 0.5, 7))
    ledger.record(*(some_search(after=place if n % 2 else None) for n in range(5)))
    ledger.record(some_search(), workspace_id=None)
    events = events_of(ledger, SearchesReadModel())
    assert {type(one.event) for one in events} == {Search.Performed}
    assert {one.event.searcher_id for one in events} == {str(LOCAL_OWNER)}
    found = []
    for page in (1, 2, 5):
        with projected(ledger, SearchesReadModel(), events, page=page) as tables:
            found.append(tables.everything("search"))
    assert found[0] == found[1] == found[2]
    assert len(found[0]["search"]) == 5
