"""What one does with a hit over GraphQL: open what it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.container import Container
from tests.support.archive_fixture import Line, ingest
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site

__all__ = ["container"]

CHAT: list[Line] = [
    ("Boats", "Ada", "Who brings the anchor?"),
    ("Boats", "Bob", "who brings the ANCHOR?!"),
    ("Boats", "Cem", "> Who brings the anchor?"),
    ("Boats", "Bob", "Nobody brings the anchor."),
    *(("Alerts", "CI", f"Anchor build {4000 + n} failed") for n in range(5)),
    ("Kitchen", "Dee", "Who brings the anchor? 😀"),
]
SEARCH = """query($q: String!, $limit: Int! = 10, $after: String, $hit: String, $first: Int! = 2,
              $next: String) {
  search(query: $q, mode: WORDS, limit: $limit, after: $after, hit: $hit, workspace: "hits") {
    __typename ... on Refusal {code message}
    ... on SearchResult {hasMore hits {
      cursor message {id text} duplicateCount
      duplicates(first: $first, after: $next) {
        nodes {id text author {name}} pageInfo {hasNextPage endCursor}
      }
    }}
  }
}"""


@pytest.fixture(scope="module")
def archive(container: Container) -> Container:
    ingest(container, "hits", CHAT)
    return container


@pytest.fixture
def site(archive: Container) -> Site:
    return Site(archive)


def hits(site: Site, query: str = "anchor", **variables: Any) -> list[Any]:
    found = site.data(SEARCH, q=query, **variables)["search"]
    assert found["__typename"] == "SearchResult", found
    listed: list[Any] = found["hits"]
    return listed


def test_a_hit_stands_for_near_identical_ones_and_opens_them_page_by_page(site: Site) -> None:
    counts = {hit["message"]["text"].strip("> 😀").lower(): hit for hit in hits(site)}
    assert sorted(hit["duplicateCount"] for hit in counts.values()) == [0, 3, 4]
    for hit in counts.values():
        seen: list[str] = []
        page = hit["duplicates"]
        while True:
            seen += [node["id"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            [again] = hits(site, hit=hit["cursor"], next=page["pageInfo"]["endCursor"])
            assert again["message"] == hit["message"]
            page = again["duplicates"]
        assert len(set(seen) - {hit["message"]["id"]}) == len(seen) == hit["duplicateCount"]


def test_filters_hold_for_what_a_hit_stands_for(site: Site) -> None:
    [hit] = hits(site, "who anchor in:Kitchen")
    assert (hit["duplicateCount"], hit["duplicates"]["nodes"]) == (0, [])


def test_a_hit_of_another_search_or_of_none_is_refused(site: Site) -> None:
    cursor = hits(site, "failed")[0]["cursor"]
    for asked in ({"hit": cursor}, {"hit": "x"}):
        answer = site.ask(SEARCH, q="anchor", **asked)
        assert answer["errors"][0]["extensions"]["code"] == "ARGUMENT_REFUSED"
    refused = site.data(SEARCH, q="failed", hit=cursor, after=cursor)["search"]
    assert refused["code"] == "QUERY_REFUSED"
