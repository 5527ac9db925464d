"""What people change over GraphQL: once each, with its event, and in their own workspace only."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from infrastructure.container import Container
from interfaces.graphql.schema import schema
from tests.support.archive import copy_template
from tests.support.archive_fixture import CHAT, Ingested, advance, ingest, open_test_container
from tests.support.graphql_site import Site
from tests.support.mutations import document, mutate
from tests.support.postgres import drop_database

SEARCH = """query($query: String!, $mode: SearchMode!) {
  search(query: $query, mode: $mode) {... on SearchResult {
    hits {message {text}} coverage {indexed total}
  }}
}"""


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)


@pytest.fixture
def site(container: Container) -> Site:
    return Site(container)


@pytest.fixture
def ingested(container: Container) -> Ingested:
    """In a workspace of its own."""
    return ingest(container, f"team {uuid4()}")


def receive(container: Container, ingested: Ingested, content: bytes, **options: Any) -> UUID:
    context = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    command = ReceiveUpload(filename="chat.jsonl", options=options)
    accepted = container.receive_upload(command, [content], context)
    advance(container)
    return UUID(accepted.result["upload_id"])


def events(container: Container, upload_id: UUID) -> list[Any]:
    return list(container.archive.events.get(upload_id))


def of(ingested: Ingested, **more: Any) -> dict[str, Any]:
    return {"id": f"Upload:{ingested.upload_id}", "workspace": ingested.workspace} | more


def shown(container: Container, answer: Any) -> Any:
    """The success, once the read models have followed: nobody moves them here."""
    assert answer["__typename"].endswith("Success"), answer
    advance(container)
    return answer


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker moves the read models in these tests."""
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 0.05)


def test_a_workspace_is_made_once(site: Site, container: Container) -> None:
    name, command_id = f"Legal {uuid4()}", str(uuid4())
    first = mutate(site, "createWorkspace", name=name, commandId=command_id)
    assert first["isNew"] is True
    advance(container)
    again = mutate(site, "createWorkspace", name=name, commandId=command_id)
    assert again | {"workspace": None} == first | {"workspace": None}
    assert again["workspace"]["name"] == name

    other = mutate(site, "createWorkspace", name=f" {name.upper()} ")
    assert (other["isNew"], other["workspace"]) == (False, again["workspace"])


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 101])
def test_a_name_that_is_none_is_refused_with_a_code(site: Site, name: str) -> None:
    assert mutate(site, "createWorkspace", name=name)["code"] == "WORKSPACE_NAME_REFUSED"


def test_a_command_id_is_a_uuid_and_belongs_to_one_command(
    site: Site, container: Container, ingested: Ingested
) -> None:
    assert mutate(site, "createWorkspace", name="A", commandId="7")["code"] == "ARGUMENT_REFUSED"
    command_id = str(uuid4())
    mutate(site, "createWorkspace", name=f"B {command_id}", commandId=command_id)
    for name, input in (
        ("createWorkspace", {"name": f"C {command_id}"}),
        ("withdrawUpload", of(ingested)),
        ("rebuildProjection", {"name": "uploads"}),
    ):
        answer = mutate(site, name, commandId=command_id, **input)
        assert answer["code"] == "COMMAND_ID_REUSED", name
    assert container.archive.load(Upload, ingested.upload_id).stage == "searchable"


def test_the_command_id_of_one_upload_does_not_withdraw_another(
    site: Site, container: Container, ingested: Ingested
) -> None:
    other = receive(container, ingested, b"something else")
    command_id = str(uuid4())
    mutate(site, "withdrawUpload", **of(ingested), commandId=command_id)
    answer = mutate(
        site, "withdrawUpload", **of(ingested, id=f"Upload:{other}"), commandId=command_id
    )
    assert answer["code"] == "COMMAND_ID_REUSED"
    assert container.archive.load(Upload, other).stage == "received"


def test_a_withdrawn_upload_is_in_no_answer_any_more(
    site: Site, container: Container, ingested: Ingested
) -> None:
    document = SEARCH.replace("search(", f'search(workspace: "{ingested.workspace}", ')
    for mode in ("WORDS", "MEANING", "HYBRID"):
        assert site.data(document, query="dishwasher", mode=mode)["search"]["hits"]
    answer = shown(container, mutate(site, "withdrawUpload", **of(ingested)))
    for mode in ("WORDS", "MEANING", "HYBRID"):
        found = site.data(document, query="dishwasher", mode=mode)["search"]
        assert found == {"hits": [], "coverage": {"indexed": 0, "total": 0}}
    everything = site.data(
        """query($w: String!, $id: ID!) {
          conversations(workspace: $w) {nodes {id}} authors(workspace: $w) {nodes {id}}
          workspace(name: $w) {messageCount}
          upload(workspace: $w, id: $id) {stage outcome {fresh} log(last: 1) {nodes {text}}}
          auditTrail(workspace: $w, filter: {actions: ["upload.withdrawn"]}) {
            nodes {position summary actor {name} subjectId commandId}
          }
        }""",
        w=ingested.workspace,
        id=f"Upload:{ingested.upload_id}",
    )
    [entry] = everything.pop("auditTrail")["nodes"]
    assert everything == {
        "conversations": {"nodes": []},
        "authors": {"nodes": []},
        "workspace": {"messageCount": 0},
        "upload": {
            "stage": "WITHDRAWN",
            "outcome": None,
            "log": {"nodes": [{"text": "Withdrawn."}]},
        },
    }
    assert entry == {
        "position": answer["position"],
        "summary": f"withdrew upload {str(ingested.upload_id)[:8]}",
        "actor": {"name": "Local owner"},
        "subjectId": f"Upload:{ingested.upload_id}",
        "commandId": answer["commandId"],
    }


@pytest.mark.parametrize("engine", ["faiss", "pgvector"])
def test_hits_are_filled_up_where_the_nearest_were_withdrawn(
    site: Site, container: Container, ingested: Ingested, engine: str
) -> None:
    """Beside 150 texts that were nearer, and that an index in memory may still hold."""

    def follow() -> None:
        if engine == "faiss":
            with container.pool.connection() as connection:
                container.follower.catch_up(connection)

    nearer = [("Noise", "Eve", f"dishwasher {n}") for n in range(150)]
    noise = ingest(container, ingested.workspace, nearer)
    document = SEARCH.replace("search(", f'search(limit: 5, workspace: "{ingested.workspace}", ')
    follow()
    before = site.data(document, query="dishwasher", mode="MEANING")["search"]["hits"]
    assert {hit["message"]["text"] for hit in before} <= {text for _, _, text in nearer}
    shown(container, mutate(site, "withdrawUpload", **of(noise)))
    follow()
    hits = site.data(document, query="dishwasher", mode="MEANING")["search"]["hits"]
    texts = [hit["message"]["text"] for hit in hits]
    assert (len(texts), texts[0]) == (5, "The dishwasher leaks again.")
    assert not set(texts) & {text for _, _, text in nearer}


def test_what_was_withdrawn_stays_withdrawn_and_says_so(
    site: Site, container: Container, ingested: Ingested
) -> None:
    command_id = str(uuid4())
    first = shown(container, mutate(site, "withdrawUpload", **of(ingested), commandId=command_id))
    again = mutate(site, "withdrawUpload", **of(ingested), commandId=command_id)
    assert (again["position"], again["upload"]["stage"]) == (first["position"], "WITHDRAWN")
    for name in ("withdrawUpload", "retryUpload"):
        assert mutate(site, name, **of(ingested))["code"] == "UPLOAD_WITHDRAWN"
    kinds = [type(event) for event in events(container, ingested.upload_id)]
    assert kinds.count(Upload.Withdrawn) == 1


def test_the_same_command_at_the_same_time_has_one_effect(
    site: Site, container: Container, ingested: Ingested
) -> None:
    given = of(ingested, commandId=str(uuid4()))
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(mutate, Site(container), "withdrawUpload", **given) for _ in range(6)]
        answers = [call.result() for call in calls]
    assert {answer["__typename"] for answer in answers} == {"WithdrawUploadSuccess"}
    assert len({answer["position"] for answer in answers}) == 1
    kinds = [type(event) for event in events(container, ingested.upload_id)]
    assert kinds.count(Upload.Withdrawn) == 1


@pytest.mark.parametrize("name", ["withdrawUpload", "retryUpload"])
def test_another_workspaces_upload_looks_like_a_missing_one(
    site: Site, container: Container, ingested: Ingested, name: str
) -> None:
    other = ingest(container, f"other {uuid4()}", CHAT[:2])
    stranger = mutate(site, name, **of(ingested, workspace=other.workspace))
    missing = mutate(site, name, **of(ingested, id=f"Upload:{ingested.upload_id}"[:-4] + "0000"))
    nothing = mutate(site, name, **of(ingested, id="nothing"))
    assert stranger["code"] == missing["code"] == nothing["code"] == "UPLOAD_NOT_FOUND"
    nowhere = mutate(site, name, **of(ingested, workspace="nowhere"))
    assert nowhere["code"] == "UNKNOWN_WORKSPACE"
    assert container.archive.load(Upload, ingested.upload_id).stage == "searchable"


def test_a_rejected_upload_is_tried_again_as_what_its_sender_says(
    site: Site, container: Container, ingested: Ingested
) -> None:
    """With a format, a time zone, and a refusal of what cannot be meant."""
    upload_id = receive(container, ingested, b"a;b\n1;2\n")
    container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
    assert container.archive.load(Upload, upload_id).stage == "rejected"
    upload = of(ingested, id=f"Upload:{upload_id}")
    refused = mutate(site, "retryUpload", **upload, options={"timezone": "Mars/Olympus"})
    assert refused["code"] == "OPTIONS_REFUSED"
    answer = mutate(site, "retryUpload", **upload, options={"format": "csv"})
    assert answer["__typename"] == "RetryUploadSuccess"
    current = container.archive.load(Upload, upload_id)
    assert (current.stage, current.options) == ("received", {"format": "csv"})
    done = mutate(site, "retryUpload", **of(ingested))
    assert done["code"] == "NOTHING_TO_RETRY"


def test_options_that_come_too_late_are_refused(
    site: Site, container: Container, ingested: Ingested
) -> None:
    upload = container.archive.load(Upload, receive(container, ingested, b"half read"))
    upload.start_reading(from_batch=0)
    upload.fail(stage="reading", reason="no memory", attempt=5, is_final=True)
    container.archive.record(Context(actor_id=LOCAL_OWNER, workspace_id=None), upload)
    given = of(ingested, id=str(upload.id))
    late = mutate(site, "retryUpload", **given, options={"timezone": "Europe/Rome"})
    assert late["code"] == "OPTIONS_SETTLED"
    assert mutate(site, "retryUpload", **given)["__typename"] == "RetryUploadSuccess"


def test_nothing_is_changed_by_get_or_from_another_site(
    site: Site, container: Container, ingested: Ingested
) -> None:
    query = f'mutation {{withdrawUpload(input: {{commandId: "{uuid4()}", id: "{ingested.upload_id}"'
    query += f', workspace: "{ingested.workspace}"}}) {{__typename}}}}'
    got = site.send("GET", params={"query": query})
    foreign = site.send(json={"query": query}, headers={"origin": "https://evil.example"})
    assert (got.status_code >= 400, foreign.status_code) == (True, 403)
    assert container.archive.load(Upload, ingested.upload_id).stage == "searchable"


def test_every_mutation_answers_a_union_of_one_success_and_refusals() -> None:
    mutations = schema._schema.mutation_type
    assert mutations is not None
    for name, field in mutations.fields.items():
        kinds: Any = getattr(field.type, "types", ())
        interfaces = [{one.name for one in kind.interfaces} for kind in kinds]
        assert sum("MutationSuccess" in found for found in interfaces) == 1, name
        assert all(found & {"MutationSuccess", "Refusal"} for found in interfaces), name
        assert document(name)
