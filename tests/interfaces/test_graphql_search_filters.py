"""Operators, filters, pages, order and facets of a search over GraphQL."""

from __future__ import annotations

from typing import Any

import pytest

from interfaces.graphql.cursors import encode_cursor
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site

__all__ = ["container", "ingested", "site"]

SEARCH = """
query Search(
  $query: String! = "", $mode: SearchMode! = HYBRID, $sort: SearchSort! = RELEVANCE,
  $filter: SearchFilter, $limit: Int! = 10, $after: String, $timeZone: String! = "UTC"
) {
  search(
    query: $query, mode: $mode, sort: $sort, filter: $filter, limit: $limit, after: $after,
    timeZone: $timeZone
  ) {
    __typename
    ... on Refusal { code message }
    ... on SearchResult {
      hits { cursor score message { text author { id name } conversation { id title } } }
      hasMore endCursor notes
      facets {
        total
        authors { key name count } conversations { key name count }
        months { key count } formats { name count }
      }
    }
  }
}
"""


def search(site: Site, **variables: Any) -> Any:
    found = site.data(SEARCH, **variables)["search"]
    assert found["__typename"] == "SearchResult", found
    return found


def texts(found: Any) -> list[str]:
    return [hit["message"]["text"] for hit in found["hits"]]


def test_operators_and_the_filter_argument_say_the_same(site: Site) -> None:
    by_query = search(site, query="ok in:kitchen -from:bob", mode="WORDS")
    chosen = {"conversations": ["Kitchen"], "notAuthors": ["Bob"]}
    by_filter = search(site, query="ok", filter=chosen, mode="WORDS")
    assert texts(by_query) == texts(by_filter) == ["ok"]
    [hit] = by_query["hits"]
    assert hit["message"]["author"]["name"] == "Dee"
    ids = {
        "conversations": [hit["message"]["conversation"]["id"]],
        "authors": [hit["message"]["author"]["id"]],
        "messageKinds": ["MESSAGE"],
        "hasNot": ["LINK", "REPLY"],
        "sentFrom": "2024-03-01T09:00:00Z",
        "sentBefore": "2024-03-01T09:08:00+00:00",
    }
    assert texts(search(site, filter=ids)) == ["ok", "The dishwasher leaks again."]


def test_the_query_s_days_begin_in_the_asker_s_zone(site: Site) -> None:
    """The chat began at nine in the morning of the first of March, UTC."""
    assert search(site, query="on:2024-03-01", limit=1)["hasMore"] is True
    assert search(site, query="on:2024-03-01", timeZone="Pacific/Pago_Pago")["hits"] == []
    assert search(site, query="on:2024-02-29", timeZone="Pacific/Pago_Pago")["hasMore"] is True


def test_facets_lead_to_what_they_count(site: Site) -> None:
    found = search(site, query="in:kitchen", limit=1)
    facets = found["facets"]
    assert facets["total"] == 4
    assert [(value["name"], value["count"]) for value in facets["authors"]] == [
        ("Dee", 2), ("Ada", 1), ("Bob", 1),
    ]  # fmt: skip
    assert [(value["key"], value["count"]) for value in facets["months"]] == [("2024-03", 4)]
    assert [value["name"] for value in facets["formats"]] == ["jsonl"]
    dee = facets["authors"][0]["key"]
    assert len(search(site, query=f"in:kitchen from:{dee}")["hits"]) == 2
    assert len(search(site, filter={"authors": [dee]}, query="in:kitchen")["hits"]) == 2


@pytest.mark.parametrize("sort", ["RELEVANCE", "NEWEST", "OLDEST"])
def test_pages_make_up_the_whole(site: Site, sort: str) -> None:
    options = {"query": "report blocked", "mode": "WORDS", "sort": sort}
    whole = texts(search(site, **options, limit=100))
    assert len(whole) == 30
    found = search(site, **options, limit=7)
    seen = texts(found)
    while found["hasMore"]:
        assert found["endCursor"] == found["hits"][-1]["cursor"]
        found = search(site, **options, limit=11, after=found["endCursor"])
        seen += texts(found)
    assert seen == whole


def test_a_name_that_nothing_has_is_a_note_and_no_error(site: Site) -> None:
    found = search(site, query="rain from:Addda")
    assert found["hits"] == []
    assert found["endCursor"] is None
    assert found["notes"] == ["nobody is called 'Addda'; did you mean Ada?"]


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"query": "form:ada"}, "QUERY_REFUSED", "did you mean from:"),
        ({"query": "has:links"}, "QUERY_REFUSED", "did you mean has:link?"),
        ({"query": "on:today", "timeZone": "Mars"}, "QUERY_REFUSED", "no time zone"),
        ({"query": "from:ada", "mode": "MEANING"}, "QUERY_REFUSED", "only filters"),
        ({"query": " "}, "EMPTY_QUERY", "is empty"),
        ({"query": " ", "filter": {}}, "EMPTY_QUERY", "is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    site: Site, variables: dict[str, Any], code: str, said: str
) -> None:
    refused = site.data(SEARCH, **variables)["search"]
    assert refused["code"] == code
    assert said in refused["message"]


def test_a_cursor_goes_on_only_with_its_own_search(site: Site) -> None:
    after = search(site, query="report", limit=2)["endCursor"]
    for other in ({"query": "reports"}, {"query": "report", "sort": "NEWEST"}):
        answer = site.ask(SEARCH, **other, after=after)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "ARGUMENT_REFUSED"
        assert "another search" in error["message"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        encode_cursor("f", 1, 1, 0, 0.5, 1),
        encode_cursor("f", 1, 1, 0, "x", 1),
        encode_cursor("f", 1, 1, 0),
        encode_cursor("f", -1, 2**62, 99, 1e308, 2**62),
    ],
)
def test_a_made_up_cursor_is_refused(site: Site, cursor: str) -> None:
    [error] = site.ask(SEARCH, query="report", after=cursor)["errors"]
    assert error["extensions"]["code"] == "ARGUMENT_REFUSED"


def test_a_time_without_a_zone_is_refused(site: Site) -> None:
    [error] = site.ask(SEARCH, filter={"sentFrom": "2024-03-01T00:00:00"})["errors"]
    assert error["extensions"]["code"] == "ARGUMENT_REFUSED"
