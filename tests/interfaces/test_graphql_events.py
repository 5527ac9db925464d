"""The log over GraphQL: in order, by position and topic, and without anything personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.container import Container
from tests.support.archive import copy_template
from tests.support.archive_fixture import CHAT, Ingested, advance, ingest, open_test_container
from tests.support.graphql_site import Site
from tests.support.mutations import mutate
from tests.support.postgres import drop_database

EVENTS = """query(
  $workspace: String! = "default", $afterPosition: BigInt, $topics: [String!]
  $first: Int, $after: String, $last: Int, $before: String
) {
  events(
    workspace: $workspace, afterPosition: $afterPosition, topics: $topics
    first: $first, after: $after, last: $last, before: $before
  ) {
    nodes {
      id position recordedAt topic workspaceId actorId subjectId subjectVersion correlationId
      causationPosition commandId facts sealedFields
    }
    pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
  }
}"""


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
    ingest(container, "secrets", [("Vault", "Eve", "The password is swordfish.")])
    return found


@pytest.fixture
def site(container: Container, ingested: Ingested) -> Site:
    return Site(container)


def events(site: Site, **variables: Any) -> Any:
    return site.data(EVENTS, **variables)["events"]


def test_the_log_of_a_workspace_tells_what_happened_in_order(
    site: Site, ingested: Ingested
) -> None:
    found = events(site)["nodes"]
    assert [event["topic"] for event in found] == [
        "workspace.created",
        "upload.received",
        "upload.inspected",
        "upload.reading_started",
        "transcript.recorded",
        "upload.read",
        "transcript_embedding.recorded",
        "upload.embedding_finished",
    ]
    positions = [event["position"] for event in found]
    assert positions == sorted(positions)
    received, read = found[1], found[5]
    assert received["id"] == f"Event:{received['position']}"
    assert received["workspaceId"] == f"Workspace:{ingested.workspace_id}"
    assert received["subjectId"] == f"Upload:{ingested.upload_id}"
    assert set(received["sealedFields"]) >= {"filename", "sha256"}
    assert read["facts"] == {"batches": 1, "messages": len(CHAT), "joins": []}
    assert read["causationPosition"] in positions
    assert read["correlationId"] == received["correlationId"]


def test_nothing_personal_and_nothing_of_another_workspace_is_told(site: Site) -> None:
    said = json.dumps(events(site))
    for word in ("chat.jsonl", "Ada", "dishwasher", "swordfish"):
        assert word not in said


def test_pages_go_both_ways_and_meet(site: Site) -> None:
    everything = [event["position"] for event in events(site)["nodes"]]
    forward: list[int] = []
    after = None
    while True:
        page = events(site, first=3, after=after)
        forward += [event["position"] for event in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backward: list[int] = []
    before = None
    while True:
        page = events(site, last=3, before=before)
        backward = [event["position"] for event in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert forward == backward == everything


def test_events_follow_a_position_and_are_of_the_topics_asked_for(site: Site) -> None:
    everything = events(site)["nodes"]
    later = events(site, afterPosition=everything[3]["position"])["nodes"]
    assert later == everything[4:]
    chosen = events(site, topics=["upload.read", "upload.received"], last=1)["nodes"]
    assert [event["topic"] for event in chosen] == ["upload.read"]
    assert events(site, afterPosition=2**53 - 1)["nodes"] == []
    assert events(site, topics=[])["nodes"] == []


def test_what_cannot_be_meant_is_refused_with_a_code(site: Site) -> None:
    for variables, code in (
        ({"topics": ["upload.stolen"]}, "ARGUMENT_REFUSED"),
        ({"after": "nonsense"}, "ARGUMENT_REFUSED"),
        ({"first": 0}, "ARGUMENT_REFUSED"),
        ({"workspace": "nowhere"}, "UNKNOWN_WORKSPACE"),
    ):
        [error] = site.ask(EVENTS, **variables)["errors"]
        assert error["extensions"]["code"] == code, variables


def test_one_event_is_found_by_its_position(site: Site) -> None:
    third = events(site)["nodes"][2]
    query = "query($p: BigInt!) {event(position: $p) {topic position}}"
    assert site.data(query, p=third["position"])["event"]["topic"] == third["topic"]
    for nowhere in (0, -1, 2**53 - 1):
        assert site.data(query, p=nowhere)["event"] is None


def test_the_audit_trail_is_filtered(site: Site, container: Container, ingested: Ingested) -> None:
    query = """query($filter: AuditTrailFilter) {auditTrail(filter: $filter) {
      nodes {position recordedAt action subjectId actor {id name}}
    }}"""

    def trail(**filter: Any) -> list[Any]:
        return list(site.data(query, filter=filter)["auditTrail"]["nodes"])

    everything = trail()
    positions = [entry["position"] for entry in everything]
    assert positions == sorted(positions, reverse=True)
    owner = everything[-1]["actor"]["id"]
    assert trail(actor=owner) == [one for one in everything if one["actor"]["id"] == owner]
    assert len(trail(actor=owner)) < len(everything)
    assert {one["action"] for one in trail(actions=["upload.read"])} == {"upload.read"}
    subject = f"Upload:{ingested.upload_id}"
    assert {one["subjectId"] for one in trail(subject=subject)} == {subject}
    assert trail(subject=subject) == trail(subject=str(ingested.upload_id))
    middle = everything[3]["recordedAt"]
    earlier, later = trail(to=middle), trail(**{"from": middle})
    assert (earlier, later) == (everything[4:], everything[:4])
    assert trail(actor=str(uuid4())) == []
    [error] = site.ask(query, filter={"subject": "nonsense"})["errors"]
    assert error["extensions"]["code"] == "ARGUMENT_REFUSED"


def test_the_instances_trail_has_nothing_of_workspaces(site: Site, container: Container) -> None:
    mutate(site, "rebuildProjection", name="workspaces")
    advance(container)
    query = "{auditTrail(workspace: null) {nodes {action subjectId}}}"
    found = site.data(query)["auditTrail"]["nodes"]
    assert [entry["action"] for entry in found] == [
        "projection.rebuild_requested",
        "projection.registered",
    ]
