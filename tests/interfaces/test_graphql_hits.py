"""What one does with a hit over GraphQL: open it, find what is like it, read on around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure.container import Container
from tests.support.archive_fixture import Line, advance, ingest, ingest_file
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


def line(number: int, text: str, **fields: Any) -> bytes:
    at = f"2024-06-01T10:{number:02}:00Z"
    facts = {"id": f"t{number}", "conversation": "Thread", "author": "Ada", "timestamp": at}
    return json.dumps(facts | {"text": text} | fields).encode() + b"\n"


THREADS = """query($q: String!, $first: Int, $after: String) {
  search(query: $q, workspace: "threads", mode: WORDS) {... on SearchResult {hits {
    message {id text thread(first: $first, after: $after) {
      nodes {text} pageInfo {hasNextPage endCursor}
    }}
    thread {messageCount isWhole root {text}}
  }}}
}"""


@pytest.fixture(scope="module")
def threaded(archive: Container) -> Container:
    lines = [
        line(0, "Shall we paint the boat?"),
        line(1, "lunch?"),
        line(2, "yes, blue", reply_to="t0"),
        line(3, "rather green", reply_to="t2"),
        line(4, "soup", reply_to="t1"),
        line(5, "green it is", reply_to="t3"),
        line(6, "alone"),
    ]
    ingest_file(archive, "threads", "chat.jsonl", b"".join(lines))
    return archive


def test_a_hit_says_what_thread_it_is_in_and_a_message_lists_it(
    site: Site, threaded: Container
) -> None:
    for query in ("paint", "blue", "rather", "green it is"):
        hit = site.data(THREADS, q=f'"{query}"')["search"]["hits"][0]
        assert hit["thread"] == {
            "messageCount": 4,
            "isWhole": True,
            "root": {"text": "Shall we paint the boat?"},
        }
        texts = [node["text"] for node in hit["message"]["thread"]["nodes"]]
        assert texts == ["Shall we paint the boat?", "yes, blue", "rather green", "green it is"]
    [hit] = site.data(THREADS, q="rather", first=3)["search"]["hits"]
    page = hit["message"]["thread"]["pageInfo"]
    assert page["hasNextPage"]
    [hit] = site.data(THREADS, q="rather", after=page["endCursor"])["search"]["hits"]
    assert hit["message"]["thread"]["nodes"] == [{"text": "green it is"}]
    [hit] = site.data(THREADS, q="alone")["search"]["hits"]
    assert hit["thread"] is None
    assert hit["message"]["thread"]["nodes"] == [{"text": "alone"}]


AROUND = """query($id: ID!, $first: Int! = 2, $before: String, $after: String) {message(id: $id) {
  cursor
  before(first: $first, before: $before) {...Page}
  after(first: $first, after: $after) {...Page}
}}
fragment Page on MessageConnection {
  nodes {id text cursor} edges {cursor} pageInfo {
    hasPreviousPage hasNextPage startCursor endCursor
  }
}"""


def test_what_is_around_a_hit_grows_both_ways_while_messages_arrive(
    site: Site, archive: Container
) -> None:
    numbers = range(0, 40, 2)
    lines = [line(n, f"said at {n}", conversation="Long") for n in numbers]
    ingest_file(archive, "around", "chat.jsonl", b"".join(lines))
    document = """query {search(query: "20", workspace: "around", mode: WORDS, context: 2) {
      ... on SearchResult {hits {message {id cursor} before {id cursor} after {id cursor}}}
    }}"""
    [hit] = site.data(document)["search"]["hits"]
    id = hit["message"]["id"]
    first = site.data(AROUND, id=id)["message"]
    for side in ("before", "after"):
        assert [
            {"id": node["id"], "cursor": node["cursor"]} for node in first[side]["nodes"]
        ] == hit[side]
        assert [edge["cursor"] for edge in first[side]["edges"]] == [
            node["cursor"] for node in first[side]["nodes"]
        ]
    # It arrives between what was read and what is read next, and beside the hit.
    late = [line(n, f"said at {n}", conversation="Long", id=f"late{n}") for n in (19, 21, 37, 41)]
    before, after = hit["before"][0]["cursor"], hit["after"][-1]["cursor"]
    earlier, later = [], []
    while True:
        found = site.data(AROUND, id=id, first=3, before=before, after=after)["message"]
        earlier = [node["text"] for node in found["before"]["nodes"]] + earlier
        later += [node["text"] for node in found["after"]["nodes"]]
        if late:
            ingest_file(archive, "around", "late.jsonl", b"".join(late))
            late = []
        before = found["before"]["pageInfo"]["startCursor"] or before
        after = found["after"]["pageInfo"]["endCursor"] or after
        if not (
            found["before"]["pageInfo"]["hasPreviousPage"]
            or found["after"]["pageInfo"]["hasNextPage"]
        ):
            break
    assert earlier == [f"said at {n}" for n in range(0, 16, 2)]
    assert later == [f"said at {n}" for n in (26, 28, 30, 32, 34, 36, 37, 38, 41)]
    # At the end a client asks again for what is new; nothing is nearer than the message itself.
    assert site.data(AROUND, id=id, after=after)["message"]["after"]["nodes"] == []
    nearest = site.data(AROUND, id=id, before=after, after=before)["message"]
    assert [n["text"] for n in nearest["before"]["nodes"]] == ["said at 18", "said at 19"]
    assert [n["text"] for n in nearest["after"]["nodes"]] == ["said at 21", "said at 22"]


def test_a_cursor_that_is_none_is_refused(site: Site, archive: Container) -> None:
    id = hits(site)[0]["message"]["id"]
    for asked in ({"before": "x"}, {"after": "WzFd"}, {"first": 101}):
        answer = site.ask(AROUND, id=id, **asked)
        assert answer["errors"][0]["extensions"]["code"] == "ARGUMENT_REFUSED"
