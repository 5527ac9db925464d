"""Whoever opens a message by its id leaves a fact behind; whoever lists or searches does not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from application.context import LOCAL_OWNER
from domain.opening import Opening
from infrastructure.container import Container
from interfaces.graphql.node_ids import node_id
from projections.contract import RecordedEvent
from tests.support.archive_fixture import Ingested, advance
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site

__all__ = ["container", "ingested", "site"]

LISTED = """{conversations {nodes {id title messages {nodes {id text}}}}
  search(query: "sail") {... on SearchResult {hits {message {id text replyTo {id}}}}}
}"""
CONTEXT = "text before {nodes {text}} after {nodes {text}}"


def openings(container: Container) -> list[RecordedEvent]:
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[Opening.Opened.TOPIC],
            limit=10_000,
        )
    return page.events


class Watched:
    """What was recorded since it was made."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._before = len(openings(container))

    def since(self) -> list[RecordedEvent]:
        return openings(self._container)[self._before :]


@pytest.fixture
def watched(container: Container, ingested: Ingested) -> Watched:
    return Watched(container)


def messages_of(container: Container, workspace_id: UUID) -> list[tuple[int, str]]:
    with container.pool.connection() as connection:
        rows = connection.execute(
            "SELECT message_id, conversation_id::text FROM read.message WHERE workspace_id = %s "
            "ORDER BY message_id",
            (workspace_id,),
        ).fetchall()
    return [(row[0], row[1]) for row in rows]


def test_a_message_opened_by_its_id_is_one_event(
    site: Site, container: Container, ingested: Ingested, watched: Watched
) -> None:
    id, conversation = messages_of(container, ingested.workspace_id)[0]
    document = f"query($id: ID!) {{message(id: $id) {{{CONTEXT}}}}}"
    assert site.data(document, id=node_id("Message", id))["message"]["after"]["nodes"]

    [recorded] = watched.since()
    assert recorded.workspace_id == ingested.workspace_id
    assert recorded.actor_id == LOCAL_OWNER
    assert recorded.event.message_ids == [id]
    assert recorded.event.conversation_ids == [conversation]
    assert recorded.origin is not None
    assert recorded.origin["channel"] == "http"

    advance(container)
    trail = "{auditTrail(first: 1) {nodes {action summary subject {id}}}}"
    [entry] = site.data(trail)["auditTrail"]["nodes"]
    assert entry == {
        "action": "message.opened",
        "summary": f"opened message {id} of conversation {conversation[:8]}",
        "subject": None,
    }


def test_several_fields_are_an_event_each_of_one_request(
    site: Site, container: Container, ingested: Ingested, watched: Watched
) -> None:
    ids = [id for id, _ in messages_of(container, ingested.workspace_id)[:2]]
    one, other = (node_id("Message", id) for id in ids)
    document = "query($a: ID!, $b: ID!) {a: message(id: $a) {text} b: node(id: $b) {id}}"
    site.data(document, a=one, b=other)

    found = watched.since()
    assert sorted(recorded.event.message_ids for recorded in found) == [[ids[0]], [ids[1]]]
    assert len({recorded.correlation_id for recorded in found}) == 1


def test_many_by_their_ids_are_one_event_of_each_workspace(
    site: Site, container: Container, ingested: Ingested, watched: Watched
) -> None:
    own = [id for id, _ in messages_of(container, ingested.workspace_id)[:3]]
    [secret] = messages_of(container, secrets_of(container))
    ids = [node_id("Message", id) for id in (*own, own[0], secret[0], 7)]
    ids.append(node_id("Workspace", ingested.workspace_id))
    site.data("query($ids: [ID!]!) {nodes(ids: $ids) {id}}", ids=ids)

    found = {recorded.workspace_id: recorded.event for recorded in watched.since()}
    assert sorted(found[ingested.workspace_id].message_ids) == own
    assert found[secrets_of(container)].message_ids == [secret[0]]
    assert len(found) == 2


def test_a_conversation_opened_around_a_message_is_that_message_opened(
    site: Site, container: Container, ingested: Ingested, watched: Watched
) -> None:
    id, conversation = messages_of(container, ingested.workspace_id)[1]
    document = """query($id: ID!, $around: ID!) {conversation(id: $id) {
      messages(around: $around, first: 3) {nodes {id}}
    }}"""
    given = {"id": conversation, "around": node_id("Message", id)}
    assert len(site.data(document, **given)["conversation"]["messages"]["nodes"]) == 3
    [recorded] = watched.since()
    assert recorded.event.message_ids == [id]


@pytest.mark.parametrize("id", ["Message:7", "7", "Message:x", "Upload:7", "", "Message:-1", "ø"])
def test_what_is_not_there_was_not_opened(site: Site, watched: Watched, id: str) -> None:
    document = "query($id: ID!) {message(id: $id) {text} node(id: $id) {id}}"
    assert site.data(document, id=id) == {"message": None, "node": None}
    assert watched.since() == []


def test_lists_and_hits_are_not_opened(site: Site, watched: Watched) -> None:
    found = site.data(LISTED)
    assert found["search"]["hits"]
    assert watched.since() == []


def test_what_the_actor_may_not_read_is_neither_shown_nor_recorded(
    site: Site,
    container: Container,
    ingested: Ingested,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [secret] = messages_of(container, secrets_of(container))
    monkeypatch.setattr(
        "interfaces.graphql.context.queries.ids", lambda _database: [ingested.workspace_id]
    )
    document = "query($id: ID!) {message(id: $id) {text} node(id: $id) {id}}"
    answer = site.data(document, id=node_id("Message", secret[0]))
    assert answer == {"message": None, "node": None}
    assert watched.since() == []


def test_no_message_is_shown_whose_opening_could_not_be_recorded(
    site: Site, container: Container, ingested: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, _ = messages_of(container, ingested.workspace_id)[0]

    def fail(*_arguments: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(container.archive.event_log.appender, "_write", fail)  # type: ignore[attr-defined]
    answer = site.ask("query($id: ID!) {message(id: $id) {text}}", id=node_id("Message", id))
    assert answer["data"] == {"message": None}
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"


def secrets_of(container: Container) -> UUID:
    with container.pool.connection() as connection:
        row = connection.execute(
            "SELECT workspace_id FROM read.workspace WHERE name = 'secrets'"
        ).fetchone()
    assert row is not None
    return UUID(str(row[0]))
