"""Which operation is carried out, and over what: never one that nobody asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.graphql_site import NoContainer, Site

SUBSCRIPTION = "subscription {eventFeed {__typename}}"
TYPES = ("application/json", "application/graphql-response+json", "multipart/mixed, */*")
TWO = (
    "query A {__typename} query B {b: __typename}",
    'mutation B {retryJob(input: {commandId: "x", id: "x"}) {__typename}} query A {__typename}',
)


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(NoContainer())


def refusal(response: Any) -> tuple[int, str]:
    body = response.json()
    assert "data" not in body
    [error] = body["errors"]
    return response.status_code, error["extensions"]["code"]


@pytest.mark.parametrize("accept", TYPES)
def test_a_subscription_that_comes_as_a_plain_request_is_told_how_to_come(
    site: Site, accept: str
) -> None:
    headers = {"accept": accept}
    for response in (
        site.send(json={"query": SUBSCRIPTION}, headers=headers),
        site.send("GET", params={"query": SUBSCRIPTION}, headers=headers),
    ):
        assert refusal(response) == (400, "STREAM_REQUIRED")
        assert "text/event-stream" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("document", TWO)
@pytest.mark.parametrize("accept", TYPES[:2])
def test_one_of_several_operations_has_to_be_named(site: Site, document: str, accept: str) -> None:
    headers = {"accept": accept}
    for response in (
        site.send(json={"query": document}, headers=headers),
        site.send("GET", params={"query": document}, headers=headers),
    ):
        assert refusal(response) == (400, "OPERATION_NAME_REQUIRED")
    chosen = site.send(json={"query": document, "operationName": "A"}, headers=headers)
    assert chosen.json() == {"data": {"__typename": "Query"}}
    unknown = site.send(json={"query": document, "operationName": "C"}, headers=headers)
    assert unknown.status_code == 400


def test_over_an_event_stream_as_well(site: Site) -> None:
    headers = {"accept": "text/event-stream"}
    response = site.send(json={"query": TWO[0]}, headers=headers)
    assert "OPERATION_NAME_REQUIRED" in response.text
    assert 'data: {"data"' not in response.text
