"""Uploads, workspaces and nodes over GraphQL, from a real archive."""

from __future__ import annotations

from threading import Timer
from typing import Any
from uuid import uuid4

import pytest

from application.commands.create_workspace import CreateWorkspace
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.graphql.node_ids import node_id
from tests.support.archive_fixture import CHAT, Ingested, advance
from tests.support.chats import History, message
from tests.support.full_archive import ledger_of
from tests.support.full_archive import upload as make_upload
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site

__all__ = ["container", "ingested", "site"]

FIELDS = """
  id filename format stage size sha256 isComplete error attempts position
  counts { conversations messages system authors }
  progress { batches batchesRecorded messagesRecorded texts textsEmbedded }
  firstAt lastAt receivedAt updatedAt warnings { file line reason }
  outcome { fresh known edited vanished }
  log(first: 10) { nodes { position at level text } }
"""


def test_an_upload_shows_how_far_it_has_come(site: Site, ingested: Ingested) -> None:
    query = f"query($id: ID!) {{upload(id: $id) {{{FIELDS}}} uploads {{nodes {{{FIELDS}}}}}}}"
    answer = site.data(query, id=str(ingested.upload_id))
    upload = answer["upload"]
    assert upload in answer["uploads"]["nodes"]
    assert upload["id"] == node_id("Upload", ingested.upload_id)
    assert (upload["filename"], upload["stage"]) == ("chat.jsonl", "SEARCHABLE")
    assert upload["counts"] == {
        "conversations": 3,
        "messages": len(CHAT),
        "system": 0,
        "authors": 9,
    }
    assert upload["progress"]["textsEmbedded"] == upload["progress"]["texts"] == len(CHAT)
    assert upload["outcome"] == {"fresh": len(CHAT), "known": 0, "edited": 0, "vanished": 0}
    assert upload["firstAt"] == "2024-03-01T09:00:00+00:00"
    lines = upload["log"]["nodes"]
    assert [line["level"] for line in lines] == ["INFO"] * len(lines)


def test_the_log_of_an_upload_is_read_in_both_directions(site: Site, ingested: Ingested) -> None:
    document = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
      upload(id: $id) {log(first: $first, after: $after, last: $last, before: $before) {
        nodes {position} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
      }}
    }"""

    def page(**asked: Any) -> Any:
        found = site.data(document, id=str(ingested.upload_id), **asked)["upload"]["log"]
        return [line["position"] for line in found["nodes"]], found["pageInfo"]

    everything, _ = page()
    assert everything == sorted(everything)
    assert len(everything) >= 4
    head, info = page(first=1)
    assert (head, info["hasNextPage"], info["hasPreviousPage"]) == (everything[:1], True, False)
    rest, info = page(after=info["endCursor"])
    assert (rest, info["hasNextPage"], info["hasPreviousPage"]) == (everything[1:], False, True)
    tail, info = page(last=2)
    assert (tail, info["hasNextPage"], info["hasPreviousPage"]) == (everything[-2:], False, True)
    earlier, info = page(last=50, before=info["startCursor"])
    assert (earlier, info["hasNextPage"]) == (everything[:-2], True)


def test_an_upload_of_another_workspace_is_not_there(site: Site, ingested: Ingested) -> None:
    query = "query($id: ID!, $in: String!) {upload(id: $id, workspace: $in) {id}}"
    id = node_id("Upload", ingested.upload_id)
    default = node_id("Workspace", ingested.workspace_id)
    for workspace in ("default", " DEFAULT ", default):
        assert site.data(query, **{"id": id, "in": workspace})["upload"] == {"id": id}
    for missing in (str(uuid4()), "no id", "", f"Author:{ingested.upload_id}", "Upload:"):
        assert site.data(query, **{"id": missing, "in": "default"})["upload"] is None
    assert site.data(query, **{"id": id, "in": "secrets"})["upload"] is None
    [error] = site.ask(query, **{"id": id, "in": "nowhere"})["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_WORKSPACE"


def test_uploads_are_listed_by_stage(site: Site, container: Container, ingested: Ingested) -> None:
    history = History(ledger_of(container, ingested.workspace_id))
    later = [node_id("Upload", make_upload(history, message(n))) for n in range(3)]
    advance(container)
    document = """query($stage: [UploadStage!], $first: Int, $after: String) {
      uploads(stage: $stage, first: $first, after: $after) {
        edges {cursor node {id stage}} pageInfo {hasNextPage endCursor}
      }
    }"""
    found = site.data(document)["uploads"]["edges"]
    assert [edge["node"]["id"] for edge in found] == [
        *reversed(later),
        node_id("Upload", ingested.upload_id),
    ]
    found = site.data(document, stage=["SEARCHABLE"])["uploads"]["edges"]
    assert [edge["node"]["id"] for edge in found] == [node_id("Upload", ingested.upload_id)]
    assert site.data(document, stage=[])["uploads"]["edges"] == []

    page = site.data(document, first=2)["uploads"]
    assert page["pageInfo"]["hasNextPage"] is True
    rest = site.data(document, after=page["pageInfo"]["endCursor"])["uploads"]
    assert len(rest["edges"]) == 2


def test_a_workspace_is_found_by_its_name_and_by_its_id(site: Site, ingested: Ingested) -> None:
    document = "query($name: String!) {workspace(name: $name) {id name messageCount}}"
    id = node_id("Workspace", ingested.workspace_id)
    by_name = site.data(document, name=" Default")["workspace"]
    assert by_name == site.data(document, name=id)["workspace"]
    assert by_name["id"] == id
    assert by_name["messageCount"] >= len(CHAT)
    for missing in ("nowhere", "", "Workspace:1", node_id("Workspace", uuid4())):
        assert site.data(document, name=missing)["workspace"] is None


def test_workspaces_are_listed_oldest_first(site: Site) -> None:
    document = """query($after: String) {workspaces(first: 1, after: $after) {
      nodes {name} pageInfo {hasNextPage endCursor}
    }}"""
    first = site.data(document)["workspaces"]
    assert first["nodes"] == [{"name": "default"}]
    second = site.data(document, after=first["pageInfo"]["endCursor"])["workspaces"]
    assert second["nodes"] == [{"name": "secrets"}]


def test_every_node_is_found_again_by_its_id(site: Site, ingested: Ingested) -> None:
    listed = site.data("""{
      workspaces(first: 1) {nodes {id}} uploads(first: 1) {nodes {id}}
      conversations(first: 1) {nodes {id messages(first: 1) {nodes {id}}}}
      authors(first: 1) {nodes {id}}
    }""")
    [conversation] = listed["conversations"]["nodes"]
    ids = [
        conversation["id"],
        conversation["messages"]["nodes"][0]["id"],
        *(listed[name]["nodes"][0]["id"] for name in ("workspaces", "uploads", "authors")),
    ]
    document = "query($ids: [ID!]!) {nodes(ids: $ids) {__typename id}}"
    found = site.data(document, ids=[*ids, ids[0]])["nodes"]
    assert [node["id"] for node in found] == [*ids, ids[0]]
    assert [node["__typename"] for node in found] == [id.partition(":")[0] for id in [*ids, ids[0]]]
    for id in ids:
        assert site.data("query($id: ID!) {node(id: $id) {id}}", id=id)["node"] == {"id": id}


def test_what_is_no_node_is_null_in_its_place(site: Site, ingested: Ingested) -> None:
    known = node_id("Upload", ingested.upload_id)
    unknown = [
        str(ingested.upload_id),  # of which type?
        node_id("Upload", uuid4()),
        node_id("Author", ingested.upload_id),
        "Search:1",
        "Message:-1",
        "Message:99999999999999999999",
        "",
    ]
    document = "query($ids: [ID!]!) {nodes(ids: $ids) {id}}"
    assert site.data(document, ids=[*unknown, known])["nodes"] == [
        *(None for _ in unknown),
        {"id": known},
    ]
    assert site.data(document, ids=[])["nodes"] == []


@pytest.mark.parametrize(
    "document",
    [
        "{uploads(first: 0) {nodes {id}}}",
        "{uploads(first: 101) {nodes {id}}}",
        "{uploads(last: -1) {nodes {id}}}",
        "{uploads(first: 1, last: 1) {nodes {id}}}",
        '{uploads(after: "x") {nodes {id}}}',
        '{authors(before: "WzFd") {nodes {id}}}',
        '{conversations(after: "WyJhIl0") {nodes {id}}}',
        "{workspaces(first: 1000) {nodes {id}}}",
    ],
)
def test_a_page_outside_the_limits_is_refused(site: Site, document: str) -> None:
    answer = site.ask(document)
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"ARGUMENT_REFUSED"}
    assert list(answer["data"].values()) == [None]


def test_a_list_waits_for_the_position_that_it_names(site: Site, container: Container) -> None:
    """Who has just created a workspace sees it, whatever the read models' pace."""
    accepted = container.create_workspace(CreateWorkspace(name="just made"), cli_context(None))
    document = """query($at: BigInt) {
      workspace(name: "just made", minPosition: $at) {name}
      uploads(workspace: "just made", minPosition: $at) {nodes {id}}
    }"""
    catching_up = Timer(0.2, advance, [container])
    catching_up.start()
    answer = site.ask(document, at=accepted.position)
    catching_up.join()
    assert answer["data"]["workspace"] == {"name": "just made"}
    assert answer["data"]["uploads"] == {"nodes": []}
    assert "extensions" not in answer


def test_an_answer_that_is_too_old_says_which_part_of_it_is(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 0.05)
    document = """query($at: BigInt) {
      old: uploads(minPosition: $at) {nodes {id}}
      one: node(id: "Message:1", minPosition: $at) {id}
      workspaces {nodes {name}}
    }"""
    answer = site.ask(document, at=container.archive.event_log.head() + 1)
    assert "errors" not in answer
    assert answer["data"]["old"]["nodes"] != []
    assert answer["extensions"] == {"stale": ["old", "one"]}
    assert "extensions" not in site.ask(document, at=0)


def test_two_operations_share_nothing(site: Site, container: Container) -> None:
    """Not what they have loaded, nor what is stale, nor how much they may still ask for."""
    document = "{uploads(first: 100) {nodes {log(first: 60) {nodes {text}}}}}"
    for _ in range(3):
        assert "errors" not in site.ask(document)
