"""Jobs and read models over GraphQL: seen, retried, discarded, rebuilt; with a real worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from application.ports.jobs import Stopped
from domain.upload import Upload
from infrastructure.container import Container
from infrastructure.jobs.app import make_app
from infrastructure.jobs.worker import InProcessWorker
from infrastructure.projections import registry
from interfaces.cli.running import projections_woken
from interfaces.jobs.registry import register_tasks
from tests.support.archive_fixture import CHAT, advance, export, ingest, open_test_container
from tests.support.eventually import eventually
from tests.support.graphql_site import Site
from tests.support.ingest_worker import HURRIED
from tests.support.mutations import mutate

DEFER = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, status, args, attempts)
VALUES (%s, %s, %s::jobs.procrastinate_job_status, %s, %s) RETURNING id
"""
INSTANCE = """{auditTrail(workspace: null, first: 100) {
  nodes {action summary actor {name} causationPosition commandId}
}}"""


@pytest.fixture
def container(database_url: str, tmp_path: Path) -> Iterator[Container]:
    with open_test_container(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def site(container: Container) -> Site:
    return Site(container)


@contextmanager
def worker(container: Container) -> Iterator[None]:
    with projections_woken(container):
        app = make_app(container.conninfo)
        register_tasks(app, container)
        running = InProcessWorker(app, HURRIED)
        running.start()
        try:
            yield
        finally:
            running.stop()


def defer(
    container: Container, status: str = "failed", task: str = "any:task", **arguments: str
) -> int:
    values = ("reading", task, status, Jsonb(arguments), 5 if status == "failed" else 0)
    with container.pool.connection() as connection:
        [id_] = connection.execute(DEFER, values).fetchone() or [0]
    return int(id_)


def state(container: Container, job: int) -> Any:
    statement = "SELECT status::text FROM jobs.procrastinate_jobs WHERE id = %s"
    with container.pool.connection() as connection:
        row = connection.execute(statement, (job,)).fetchone()
    return row and row[0]


def instance_trail(site: Site, container: Container) -> list[Any]:
    advance(container)
    return list(site.data(INSTANCE)["auditTrail"]["nodes"])


def send(container: Container, content: bytes = b"") -> UUID:
    workspace = ingest(container, "default", CHAT[:1]).workspace_id
    context = Context(actor_id=LOCAL_OWNER, workspace_id=workspace)
    chunks = [content or export(CHAT)]
    accepted = container.receive_upload(ReceiveUpload(filename="chat.jsonl"), chunks, context)
    return UUID(accepted.result["upload_id"])


def test_failed_jobs_are_listed_a_page_at_a_time(site: Site, container: Container) -> None:
    jobs = [defer(container, upload_id=str(n)) for n in range(5)]
    defer(container, "todo")
    query = """query($first: Int, $after: String) {failedJobs(first: $first, after: $after) {
      nodes {id task queue arguments status attempts} pageInfo {endCursor hasNextPage}
    }}"""
    page = site.data(query, first=3)["failedJobs"]
    rest = site.data(query, first=3, after=page["pageInfo"]["endCursor"])["failedJobs"]
    ids = [node["id"] for node in [*page["nodes"], *rest["nodes"]]]
    assert ids == [f"Job:{job}" for job in reversed(jobs)]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert page["nodes"][0] | {"id": ""} == {
        "id": "",
        "task": "any:task",
        "queue": "reading",
        "arguments": {"upload_id": "4"},
        "status": "FAILED",
        "attempts": 5,
    }
    found = site.data('{job(id: "Job:1") {id} none: job(id: "Job:999") {id} no: job(id: "x") {id}}')
    assert (found["none"], found["no"]) == (None, None)
    [failed, waiting] = site.data("{queues {queue status jobs oldestWaitingSeconds}}")["queues"]
    assert {failed["status"]: failed["jobs"], waiting["status"]: waiting["jobs"]} == {
        "FAILED": 5,
        "QUEUED": 1,
    }


def test_a_job_is_retried_once_and_the_instance_says_who_did_it(
    site: Site, container: Container
) -> None:
    job, command_id = defer(container), str(uuid4())
    first = mutate(site, "retryJob", id=f"Job:{job}", commandId=command_id)
    assert (first["job"]["status"], first["job"]["attempts"]) == ("QUEUED", 0)
    again = mutate(site, "retryJob", id=f"Job:{job}", commandId=command_id)
    assert again["position"] == first["position"]
    assert mutate(site, "retryJob", id=f"Job:{job}")["code"] == "JOB_NOT_FAILED"
    assert mutate(site, "retryJob", id="Job:999")["code"] == "JOB_NOT_FOUND"
    assert mutate(site, "discardJob", id="nothing")["code"] == "JOB_NOT_FOUND"
    [entry] = instance_trail(site, container)
    assert entry == {
        "action": "job.retried",
        "summary": f"put job {job} (any:task) back into the queue after 5 attempts",
        "actor": {"name": "Local owner"},
        "causationPosition": None,
        "commandId": command_id,
    }


def test_what_is_waiting_already_is_not_put_back(site: Site, container: Container) -> None:
    """The fact is not recorded either: it is one transaction."""
    job, twin = defer(container), defer(container, "todo")
    with container.pool.connection() as connection:
        lock = "UPDATE jobs.procrastinate_jobs SET queueing_lock = 'one' WHERE id = ANY(%s)"
        connection.execute(lock, ([job, twin],))
    head = container.archive.event_log.head()
    assert mutate(site, "retryJob", id=f"Job:{job}")["code"] == "JOB_ALREADY_QUEUED"
    assert (container.archive.event_log.head(), state(container, job)) == (head, "failed")


def test_a_job_is_discarded_once_by_many_at_the_same_time(container: Container) -> None:
    job = defer(container)
    given = {"id": f"Job:{job}", "commandId": str(uuid4())}
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(mutate, Site(container), "discardJob", **given) for _ in range(6)]
        answers = [call.result() for call in calls]
    assert {answer["__typename"] for answer in answers} == {"DiscardJobSuccess"}
    assert len({answer["position"] for answer in answers}) == 1
    assert state(container, job) is None
    trail = instance_trail(Site(container), container)
    assert [entry["action"] for entry in trail] == ["job.discarded"]


def test_an_upload_whose_job_was_discarded_has_failed_in_the_same_moment(
    site: Site, container: Container
) -> None:
    upload_id = send(container)
    with container.pool.connection() as connection:
        found = connection.execute(
            "SELECT id FROM jobs.procrastinate_jobs WHERE args ->> 'upload_id' = %s "
            "AND task_name = 'uploads:read'",
            (str(upload_id),),
        ).fetchall()
    [(job,)] = found
    answer = mutate(site, "discardJob", id=f"Job:{job}")
    assert answer["wasRunning"] is False
    advance(container)
    query = "query($id: ID!) {upload(id: $id) {stage error}}"
    upload = site.data(query, id=f"Upload:{upload_id}")["upload"]
    assert upload == {"stage": "FAILED", "error": "its job was discarded"}


def test_a_running_job_that_is_discarded_stops(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()

    def read(command: Any, *, should_stop: Any) -> None:
        began.set()
        while not should_stop():
            threading.Event().wait(0.02)
        raise Stopped

    monkeypatch.setitem(vars(container), "read_upload", read)
    upload_id = send_only(container)
    with worker(container):
        assert began.wait(20)
        [job] = running(container)
        assert mutate(site, "discardJob", id=f"Job:{job}")["wasRunning"] is True
        eventually(lambda: state(container, job) is None, 20)
    assert container.archive.load(Upload, upload_id).has_failed


def send_only(container: Container) -> UUID:
    """Without anything ingested before: its job is the only one."""
    made = mutate(Site(container), "createWorkspace", name="default")
    assert made["__typename"] == "CreateWorkspaceSuccess"
    advance(container)
    workspace_id = UUID(site_workspace(container))
    context = Context(actor_id=LOCAL_OWNER, workspace_id=workspace_id)
    accepted = container.receive_upload(
        ReceiveUpload(filename="chat.jsonl"), [export(CHAT)], context
    )
    return UUID(accepted.result["upload_id"])


def site_workspace(container: Container) -> str:
    found = Site(container).data("{workspace {id}}")["workspace"]["id"]
    return str(found).partition(":")[2]


def running(container: Container) -> list[int]:
    statement = """
    SELECT id FROM jobs.procrastinate_jobs WHERE status = 'doing' AND task_name = 'uploads:read'
    """
    with container.pool.connection() as connection:
        return [row[0] for row in connection.execute(statement)]


def test_a_read_model_is_rebuilt_and_rolled_back_by_a_worker(
    site: Site, container: Container
) -> None:
    ingest(container, "default", CHAT[:3])
    assert mutate(site, "rebuildProjection", name="nothing")["code"] == "PROJECTION_NOT_FOUND"
    none = mutate(site, "rollBackProjection", name="messages")
    assert none["code"] == "NOTHING_TO_ROLL_BACK_TO"
    asked = mutate(site, "rebuildProjection", name="messages")
    assert asked["projection"] == {"name": "messages", "current": {"version": 1}}
    assert mutate(site, "rebuildProjection", name="messages")["code"] == "REBUILD_RUNNING"
    query = '{projection(name: "messages") {current {version lagEvents} versions {status}}}'

    def version() -> int:
        return int(site.data(query)["projection"]["current"]["version"])

    with worker(container):
        eventually(lambda: version() == 2, 30)
        eventually(lambda: asks(site, "rollBackProjection"), 20)
        eventually(lambda: version() == 1, 30)
        eventually(lambda: len(instance_trail(site, container)) == 5, 20)
    trail = instance_trail(site, container)
    assert [entry["action"] for entry in trail] == [
        "projection.switched_over",
        "projection.roll_back_requested",
        "projection.switched_over",
        "projection.rebuild_requested",
        "projection.registered",
    ]
    assert [entry["actor"]["name"] for entry in trail][:2] == ["System", "Local owner"]
    assert all(entry["causationPosition"] for entry in trail if entry["actor"]["name"] == "System")


def asks(site: Site, name: str) -> bool:
    """False: the operation before has not ended yet."""
    return bool(mutate(site, name, name="messages")["__typename"].endswith("Success"))


def test_a_discarded_rebuild_can_be_asked_for_again(site: Site, container: Container) -> None:
    mutate(site, "rebuildProjection", name="uploads")
    with container.pool.connection() as connection:
        statement = "SELECT id FROM jobs.procrastinate_jobs WHERE task_name = 'projections:operate'"
        [(job,)] = connection.execute(statement).fetchall()
    assert mutate(site, "discardJob", id=f"Job:{job}")["wasRunning"] is False
    assert mutate(site, "rebuildProjection", name="uploads")["__typename"].endswith("Success")
    words = [entry["summary"] for entry in instance_trail(site, container)]
    assert "could not rebuild the read model uploads: its job was discarded" in words


@pytest.mark.parametrize("task", ["reading", "embedding"])
def test_an_upload_that_is_withdrawn_while_a_worker_is_at_it_leaves_nothing(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """And its bytes go; the same in a rebuilt read model."""
    lines = [("Room", "Ada", f"Message {n} about boats") for n in range(4_000)]
    slow_down(container, monkeypatch, task)
    made = mutate(site, "createWorkspace", name="default")
    assert made["isNew"] is True
    advance(container)
    context = Context(actor_id=LOCAL_OWNER, workspace_id=UUID(site_workspace(container)))
    accepted = container.receive_upload(
        ReceiveUpload(filename="big.jsonl"), [export(lines)], context
    )
    upload_id = UUID(accepted.result["upload_id"])
    blob = container.archive.load(Upload, upload_id).blob
    wanted = {"reading": "reading", "embedding": "read"}[task]
    with worker(container):
        eventually(lambda: container.archive.load(Upload, upload_id).stage == wanted, 40)
        answer = mutate(site, "withdrawUpload", id=f"Upload:{upload_id}")
        assert answer["upload"]["stage"] == "WITHDRAWN"
        eventually(lambda: not container.blobs.exists(blob), 30)
        eventually(lambda: waiting(container) == 0, 30)
    advance(container)
    with container.pool.connection() as connection:
        assert registry.failures(connection) == []
    counts = contents(container)
    assert counts == {"message": 0, "text_vector": 0, "conversation": 0, "author": 0}
    for name in ("messages", "vectors", "conversations", "authors", "uploads"):
        container.rebuilder.rebuild(name)
    assert contents(container) == counts
    assert container.archive.load(Upload, upload_id).stage == "withdrawn"


def slow_down(container: Container, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """So that there is a middle: each batch, or each call of the model, takes a moment."""
    if task == "reading":
        record = container.archive.record

        def slowly(context: Any, *aggregates: Any, **options: Any) -> int:
            if aggregates and type(aggregates[0]).__name__ == "Transcript":
                threading.Event().wait(0.5)
            return record(context, *aggregates, **options)

        monkeypatch.setattr(container.archive, "record", slowly)
        return
    embedder: Any = container.embedder
    embed = embedder.embed

    def embed_slowly(texts: Any, *, on_progress: Any = None) -> Any:
        for _ in range(100):
            threading.Event().wait(0.1)
            if on_progress is not None:
                on_progress(1)
        return embed(texts, on_progress=on_progress)

    monkeypatch.setattr(embedder, "embed", embed_slowly)


def waiting(container: Container) -> int:
    statement = """
    SELECT count(*) FROM jobs.procrastinate_jobs
    WHERE task_name LIKE 'uploads:%' AND status IN ('todo', 'doing')
    """
    with container.pool.connection() as connection:
        [count] = connection.execute(statement).fetchone() or [0]
    return int(count)


def contents(container: Container) -> dict[str, int]:
    found = {}
    with container.pool.connection() as connection:
        for view in ("message", "text_vector", "conversation", "author"):
            [count] = connection.execute(f"SELECT count(*) FROM read.{view}").fetchone() or [0]
            found[view] = int(count)
    return found
