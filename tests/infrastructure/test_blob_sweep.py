"""The bytes of a withdrawn upload go, even if their job was discarded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from application.commands.discard_job import DiscardJob
from application.commands.withdraw_upload import WithdrawUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from infrastructure.jobs.app import make_app
from infrastructure.jobs.sweeper import SWEEP_BLOBS, ask_for_maintenance
from interfaces.jobs.registry import register_tasks
from tests.support.archive_fixture import advance, ingest, open_test_container


def test_bytes_whose_job_was_discarded_are_deleted_by_the_housekeeping(
    database_url: str, tmp_path: Path
) -> None:
    with open_test_container(database_url, tmp_path) as container:
        made = ingest(container, has_vectors=False)
        blob = container.archive.load(Upload, made.upload_id).blob
        context = Context(actor_id=LOCAL_OWNER, workspace_id=made.workspace_id, command_id=uuid4())
        container.withdraw_upload(WithdrawUpload(upload_id=made.upload_id), context)
        with container.pool.connection() as connection:
            statement = "SELECT id FROM jobs.procrastinate_jobs WHERE task_name LIKE '%delete_blob'"
            [(job,)] = connection.execute(statement).fetchall()
        by_hand = Context(actor_id=LOCAL_OWNER, workspace_id=None, command_id=uuid4())
        container.discard_job(DiscardJob(job_id=job), by_hand)
        advance(container)
        assert container.blobs.exists(blob)

        app = make_app(database_url)
        register_tasks(app, container)

        async def work() -> None:
            async with app.open_async():
                await ask_for_maintenance(app)
                await ask_for_maintenance(app)
                assert len(list(await app.job_manager.list_jobs_async(task=SWEEP_BLOBS))) == 1
                await app.run_worker_async(
                    queues=["maintenance"],
                    wait=False,
                    additional_context={"should_stop": lambda: False},
                )

        asyncio.run(work())
        assert not container.blobs.exists(blob)
