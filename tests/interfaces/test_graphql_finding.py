"""Whatever has an id is found by it, what it is about as well, and as new as one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from application.context import LOCAL_OWNER, Context
from domain.topics import EVENTS
from domain.upload import RefusedUpload
from infrastructure.container import Container
from interfaces.graphql import context
from tests.support.archive import copy_template
from tests.support.archive_fixture import Ingested, advance, ingest, open_test_container
from tests.support.graphql_site import Site
from tests.support.ids import NOBODYS
from tests.support.mutations import mutate
from tests.support.postgres import drop_database

NODES = "query($ids: [ID!]!) {nodes(ids: $ids) {__typename id}}"
DEFER = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, status, args, attempts)
VALUES ('reading', 'uploads:read', 'failed', %s, 5) RETURNING id
"""
FAIL = "UPDATE jobs.job_failure SET error = 'ValueError' WHERE job_id = %s"
SUBJECTS = """query($first: Int!) {
  events(first: $first) {nodes {subjectId subject {__typename id}}}
  auditTrail(last: $first) {nodes {subjectId subject {__typename id}}}
}"""
BEYOND = 9_999_999


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
    return ingest(container)


@pytest.fixture
def site(container: Container, ingested: Ingested) -> Site:
    return Site(container)


def failed_job(container: Container, **arguments: str) -> int:
    with container.pool.connection() as connection:
        [job] = connection.execute(DEFER, (Jsonb(arguments),)).fetchone() or [0]
        connection.execute(FAIL, (job,))
    return int(job)


@contextmanager
def counted(container: Container) -> Iterator[list[str]]:
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(cursor: Any, query: Any, *rest: Any, **options: Any) -> Any:
        if getattr(cursor.connection, "_pool", None) is container.pool:
            statements.append(str(query))
        return execute(cursor, query, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counting)
        yield statements


def test_node_finds_whatever_the_api_gives_an_id(site: Site, container: Container) -> None:
    job = failed_job(container)
    given = site.data(
        """{events(first: 3) {nodes {id}} auditTrail(first: 3) {nodes {id}}
        projections {nodes {id}} failedJobs {nodes {id}}}"""
    )
    ids = [node["id"] for page in given.values() for node in page["nodes"]]
    assert f"Job:{job}" in ids
    found = site.data(NODES, ids=ids)["nodes"]
    assert [node["id"] for node in found] == ids
    assert [node["__typename"] for node in found] == [id.partition(":")[0] for id in ids]
    nothing = ["Event:999999", "Event:x", "Job:0", "Projection:none", "AuditEntry:999999"]
    assert site.data(NODES, ids=nothing)["nodes"] == [None] * len(nothing)
    for kind in ("Event", "AuditEntry"):
        some = [id for id in ids if id.startswith(f"{kind}:")]
        with counted(container) as one:
            site.data(NODES, ids=some[:1])
        with counted(container) as many:
            site.data(NODES, ids=some)
        assert len(one) == len(many) > 0


def test_events_and_the_audit_trail_lead_to_what_they_are_about(
    site: Site, container: Container, ingested: Ingested
) -> None:
    found = site.data(SUBJECTS, first=8)
    for page in found.values():
        ids = {node["subjectId"] for node in page["nodes"]}
        assert {f"Upload:{ingested.upload_id}", f"Workspace:{ingested.workspace_id}"} <= ids
        for node in page["nodes"]:
            if ":" in node["subjectId"]:
                assert node["subject"]["id"] == node["subjectId"]
            else:
                assert node["subject"] is None  # a batch of messages
    with counted(container) as few:
        site.data(SUBJECTS, first=2)
    with counted(container) as many:
        site.data(SUBJECTS, first=8)
    assert len(few) == len(many)


def test_the_instances_trail_leads_to_read_models(site: Site, container: Container) -> None:
    mutate(site, "rebuildProjection", name="authors")
    advance(container)
    query = """query($filter: AuditTrailFilter) {auditTrail(workspace: null, filter: $filter) {
      nodes {subjectId subject {... on Projection {name}}}
    }}"""
    found = site.data(query, filter={"subject": "Projection:authors"})["auditTrail"]["nodes"]
    assert found
    for node in found:
        assert node == {"subjectId": "Projection:authors", "subject": {"name": "authors"}}


def test_a_job_leads_to_its_upload(site: Site, container: Container, ingested: Ingested) -> None:
    job = failed_job(container, upload_id=str(ingested.upload_id))
    other = failed_job(container, upload_id=str(uuid4()))
    query = "query($id: ID!) {job(id: $id) {upload {id}}}"
    assert site.data(query, id=f"Job:{job}")["job"]["upload"]["id"] == (
        f"Upload:{ingested.upload_id}"
    )
    assert site.data(query, id=f"Job:{other}")["job"]["upload"] is None


def test_a_job_that_is_put_back_says_nothing_of_earlier_errors(
    site: Site, container: Container
) -> None:
    job = failed_job(container)
    query = "query($id: ID!) {job(id: $id) {status error failedAt}}"
    assert site.data(query, id=f"Job:{job}")["job"]["error"] == "ValueError"
    mutate(site, "retryJob", id=f"Job:{job}")
    assert site.data(query, id=f"Job:{job}")["job"] == {
        "status": "QUEUED",
        "error": None,
        "failedAt": None,
    }


def test_a_refused_upload_is_told_from_a_missing_one(
    site: Site, container: Container, ingested: Ingested
) -> None:
    id_ = uuid4()
    where = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    refused = RefusedUpload.refuse(id=id_, filename="big.zip", received=5, reason="too large")
    container.archive.record(where, refused)
    advance(container)
    other = ingest(container, "elsewhere")
    for name in ("retryUpload", "withdrawUpload"):
        given = {"id": f"Upload:{id_}", "workspace": ingested.workspace}
        assert mutate(site, name, **given)["code"] == "UPLOAD_REFUSED"
        stranger = mutate(site, name, **given | {"workspace": other.workspace})
        assert stranger["code"] == "UPLOAD_NOT_FOUND"


ASKED = {
    "events": "events {nodes {id}}",
    "event": "event(position: 1) {id}",
    "projections": "projections {nodes {id}}",
    "projection": 'projection(name: "uploads") {id}',
    "failedJobs": "failedJobs {nodes {id}}",
    "job": 'job(id: "Job:1") {id}',
    "queues": "queues {jobs}",
    "node": 'node(id: "Event:1") {id}',
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_read_beside_the_log_waits_for_the_log(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(context, "WAIT_SECONDS", 0.1)
    selected = ASKED[name]
    before, brace, rest = selected.partition(" {")
    for position, extensions in (
        (container.archive.event_log.head(), None),
        (BEYOND, {"stale": [name]}),
    ):
        given = f"minPosition: {position}"
        call = f"{before[:-1]}, {given})" if before.endswith(")") else f"{before}({given})"
        answer = site.ask("{" + call + brace + rest + "}")
        assert "errors" not in answer
        assert answer.get("extensions") == extensions


def test_the_topics_of_events_can_be_asked_for(site: Site) -> None:
    found = site.data("{eventTopics {name sealedFields}}")["eventTopics"]
    assert [topic["name"] for topic in found] == list(EVENTS)
    sealed = {topic["name"]: topic["sealedFields"] for topic in found}
    assert "filename" in sealed["upload.received"]
    [error] = site.ask('{events(topics: ["stolen"]) {nodes {id}}}')["errors"]
    assert "eventTopics" in error["message"]
    assert len(error["message"]) < 100


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (f"eventFeed(after: {BEYOND}) {{__typename}}", "POSITION_BEYOND_LOG"),
        (f"uploadChanged(after: {BEYOND}) {{id}}", "POSITION_BEYOND_LOG"),
        ("eventFeed(after: -1) {__typename}", "ARGUMENT_REFUSED"),
        (f'uploadChanged(id: "Upload:{NOBODYS}") {{id}}', "NOT_FOUND"),
    ],
)
def test_what_would_never_be_told_of_is_refused(
    site: Site, container: Container, field: str, code: str
) -> None:
    advance(container)
    body = {"query": f"subscription {{{field}}}"}
    response = site.send(json=body, headers={"accept": "text/event-stream"})
    assert f'"code":"{code}"' in response.text
