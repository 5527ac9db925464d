"""The audit trail and the read models over GraphQL, from a real archive."""

from __future__ import annotations

from typing import Any

from application.context import LOCAL_OWNER
from infrastructure.container import Container
from tests.support.archive_fixture import advance
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site

__all__ = ["container", "ingested", "site"]

SEARCH = "query($query: String!) {search(query: $query) {... on SearchResult {eventPosition}}}"


def search(site: Site, query: str) -> int:
    """Returns the position of its event."""
    position: int = site.data(SEARCH, query=query)["search"]["eventPosition"]
    return position


def test_the_audit_trail_tells_of_a_search_in_words(site: Site, container: Container) -> None:
    position = search(site, "plumber on monday")
    advance(container)
    query = """query($after: String, $first: Int!) {auditTrail(after: $after, first: $first) {
      nodes {
        id position recordedAt actor {id name} action summary subjectId origin {name value}
        correlationId causationPosition commandId
      }
      pageInfo {endCursor}
    }}"""
    page = site.data(query, first=1)["auditTrail"]
    [entry] = page["nodes"]
    assert entry["position"] == position
    assert entry["actor"] == {"id": str(LOCAL_OWNER), "name": "Local owner"}
    assert entry["action"] == "search.performed"
    assert "plumber on monday" in entry["summary"]
    assert {"name": "channel", "value": "http"} in entry["origin"]

    after = page["pageInfo"]["endCursor"]
    earlier = site.data(query, first=2, after=after)["auditTrail"]["nodes"]
    assert [entry["position"] < position for entry in earlier] == [True, True]


def test_projections_show_how_far_behind_they_are(site: Site, container: Container) -> None:
    query = "{projections {nodes {name current {version status lagEvents lagSeconds}}}}"

    def current() -> dict[str, Any]:
        nodes = site.data(query)["projections"]["nodes"]
        return {node["name"]: node["current"] for node in nodes}

    search(site, "rain")
    lags = {name: version["lagEvents"] for name, version in current().items()}
    assert set(lags) == set(container.runner.names)
    assert lags["audit_trail"] >= 1

    advance(container)
    for row in current().values():
        assert (row["status"], row["lagEvents"], row["lagSeconds"]) == ("LIVE", 0, 0)
