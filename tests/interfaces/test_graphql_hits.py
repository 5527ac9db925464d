"""What one does with a hit over GraphQL: open what it stands for, find what is like it."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.container import Container
from tests.support.archive_fixture import Line, advance, ingest
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


SIMILAR = """query($id: ID!, $first: Int! = 10, $after: String, $filter: SearchFilter) {
  message(id: $id) {similar(first: $first, after: $after, filter: $filter) {
    __typename ... on Refusal {code message}
    ... on SearchResult {
      hits {cursor message {id text} probability duplicateCount reasons} hasMore endCursor
      likeNote coverage {indexed total} eventPosition model
    }
  }}
}"""
LIKE = """query($id: ID!, $q: String! = "", $w: String! = "hits") {
  search(likeMessage: $id, query: $q, workspace: $w) {
    __typename ... on Refusal {code message} ... on SearchResult {hits {message {id text}} likeNote}
  }
}"""


def similar(site: Site, id: str, **variables: Any) -> Any:
    found = site.data(SIMILAR, id=id, **variables)["message"]["similar"]
    assert found["__typename"] == "SearchResult", found
    return found


def test_any_message_finds_others_that_are_like_it(site: Site, container: Container) -> None:
    [own] = [hit for hit in hits(site) if hit["message"]["text"].startswith("Nobody")]
    id = own["message"]["id"]
    found = similar(site, id)
    texts = [hit["message"]["text"].strip("> 😀") for hit in found["hits"]]
    assert texts[0].lower().startswith("who brings the anchor?")
    assert own["message"]["text"] not in texts
    assert found["hits"][0]["duplicateCount"] == 3
    assert (found["likeNote"], found["coverage"]) == (None, {"indexed": 10, "total": 10})
    by_search = site.data(LIKE, id=id)["search"]["hits"]
    assert [hit["message"] for hit in by_search] == [hit["message"] for hit in found["hits"]]
    first = similar(site, id, first=1)
    assert first["hasMore"]
    rest = similar(site, id, after=first["endCursor"])
    ids = [hit["message"]["id"] for hit in (*first["hits"], *rest["hits"])]
    assert ids == [hit["message"]["id"] for hit in found["hits"]]
    narrowed = similar(site, id, filter={"authors": ["CI"]})["hits"]
    assert ["build" in hit["message"]["text"] for hit in narrowed] == [True]

    advance(container)
    [entry] = site.data('{auditTrail(workspace: "hits", first: 1) {nodes {action summary}}}')[
        "auditTrail"
    ]["nodes"]
    assert entry["action"] == "search.performed"
    assert f"«{id}»" in entry["summary"]
    assert "meaning" in entry["summary"]


def test_a_message_that_cannot_be_compared_says_why(site: Site, container: Container) -> None:
    ingest(container, "no vectors", CHAT[:2], has_vectors=False)
    document = """{search(query: "anchor", mode: WORDS, workspace: "no vectors") {
      ... on SearchResult {hits {message {id}}}
    }}"""
    id = site.data(document)["search"]["hits"][0]["message"]["id"]
    found = similar(site, id)
    assert (found["hits"], found["likeNote"], found["model"]) == ([], "NOT_INDEXED", None)
    # It is there, but in another workspace.
    refused = site.data(LIKE, id=id)["search"]
    assert (refused["__typename"], refused["code"]) == ("QueryRefused", "QUERY_REFUSED")
    for asked in ({"id": "Author:7"}, {"id": "x"}, {"id": "9" * 40}, {"id": id, "q": "words"}):
        assert site.data(LIKE, **asked)["search"]["code"] == "QUERY_REFUSED"


def test_what_is_like_each_of_many_messages_costs_too_much(site: Site) -> None:
    document = """{conversations(workspace: "hits") {nodes {messages(first: 100) {nodes {similar {
      __typename
    }}}}}}"""
    [error] = site.ask(document)["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
