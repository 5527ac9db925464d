"""The job queue at the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from psycopg.types.json import Jsonb

from application.commands.create_workspace import CreateWorkspace
from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from interfaces.cli.main import main
from tests.support import command
from tests.support.archive_fixture import CHAT, MASTER_KEY, export, open_test_container
from tests.support.eventually import eventually
from tests.support.jobs import Lab, open_lab

Invoke = Callable[..., Result]
NOBODY = Context(actor_id=LOCAL_OWNER, workspace_id=None)


@pytest.fixture
def lab(database_url: str) -> Iterator[Lab]:
    """Its own database: the commands make the read models' tables there."""
    with open_lab(database_url) as opened:
        yield opened


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "CHATLEDGER_DATA_DIR": str(tmp_path),
        "CHATLEDGER_MASTER_KEY": MASTER_KEY,
        "COLUMNS": "140",
    }


@pytest.fixture
def invoke(environment: dict[str, str]) -> Invoke:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env=environment)

    return run


def test_failed_jobs_are_listed_for_people_and_for_programs(lab: Lab, invoke: Invoke) -> None:
    assert "There are no such jobs." in invoke("jobs", "list", "--failed").output
    arguments = {"upload_id": str(uuid4())}
    failed = lab.defer(
        "uploads:read", queue="reading", status="failed", args=Jsonb(arguments), attempts=5
    )
    waiting = lab.defer("uploads:embed", queue="embedding", args=Jsonb(arguments))
    lab.connection.execute(
        "UPDATE jobs.job_failure SET error = 'OSError' WHERE (job_id, attempt) = (%s, 5)", (failed,)
    )
    table = invoke("jobs", "list", "--failed")
    assert table.exit_code == 0
    assert "uploads:read" in table.output
    assert "OSError" in table.output
    assert "uploads:embed" not in table.output
    result = invoke("jobs", "list", "--json")
    entries = [json.loads(line) for line in result.stdout.splitlines()]
    assert [entry["id"] for entry in entries] == [waiting, failed]
    assert entries[1]["arguments"] == arguments
    assert (entries[1]["status"], entries[1]["error"]) == ("failed", "OSError")


def test_a_failed_job_can_be_tried_again_or_forgotten(lab: Lab, invoke: Invoke) -> None:
    arguments = Jsonb({"upload_id": str(uuid4())})
    failed = lab.defer("uploads:read", queue="reading", status="failed", args=arguments, attempts=5)
    assert invoke("jobs", "retry", str(failed)).exit_code == 0
    assert lab.status(failed) == "todo"
    refused = invoke("jobs", "retry", str(failed))
    assert refused.exit_code == 1
    assert f"job {failed} has not failed" in refused.output
    assert "was discarded" in invoke("jobs", "discard", str(failed)).output
    assert lab.jobs() == []
    assert invoke("jobs", "discard", str(failed)).exit_code == 1


def test_an_upload_whose_job_was_discarded_says_so_and_can_be_sent_again(
    lab: Lab, database_url: str, tmp_path: Path, invoke: Invoke
) -> None:
    with open_test_container(database_url, tmp_path) as container:
        workspace = container.create_workspace(CreateWorkspace(name="team"), NOBODY)
        context = replace(NOBODY, workspace_id=UUID(workspace.result["workspace_id"]))

        def send() -> UUID:
            command = ReceiveUpload(filename="chat.jsonl")
            accepted = container.receive_upload(command, [export(CHAT)], context)
            return UUID(accepted.result["upload_id"])

        upload_id = send()
        [job] = lab.jobs()
        assert invoke("jobs", "discard", str(job["id"])).exit_code == 0
        assert lab.jobs() == []
        assert container.archive.load(Upload, upload_id).has_failed
        assert send() == upload_id
        assert not container.archive.load(Upload, upload_id).has_failed
        assert "uploads:read" in {job["task_name"] for job in lab.jobs()}


def test_a_worker_can_leave_queues_to_others_but_not_name_an_unknown_one(tmp_path: Path) -> None:
    result = command.run(tmp_path, "worker", "--concurrency", "reeding=1")
    assert result.returncode == 2
    assert "'reeding=1' is not one of projections, reading, embedding" in result.stderr


def tried(lab: Lab, job_id: int) -> bool:
    job = lab.job(job_id)
    return job is not None and job["attempts"] > 0


def test_a_worker_process_takes_jobs_and_ends_when_told(
    lab: Lab, environment: dict[str, str]
) -> None:
    reading = lab.defer("uploads:read", queue="reading", args=Jsonb({"upload_id": "no id"}))
    embedding = lab.defer("uploads:embed", queue="embedding", args=Jsonb({"upload_id": "no id"}))
    with subprocess.Popen(
        [*command.PROGRAM, "worker", "--concurrency", "embedding=0"],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
    ) as worker:
        try:
            eventually(lambda: tried(lab, reading) or worker.poll() is not None, 30)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(10) == 0
        finally:
            worker.kill()
    job = lab.job(embedding)
    assert job is not None
    assert (job["status"], job["attempts"]) == ("todo", 0)
