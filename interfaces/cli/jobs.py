"""`chatledger jobs`: what waits, runs and has failed."""

from __future__ import annotations

import dataclasses
import json

import click
from rich.console import Console
from rich.table import Table

from application.commands.discard_job import DiscardJob
from application.commands.retry_job import RetryJob
from application.ports.jobs import (
    JobAlreadyQueuedError,
    JobMovedError,
    JobNotFailedError,
    UnknownJobError,
)
from infrastructure.bootstrap import open_container
from infrastructure.jobs.queue import JobEntry, JobQueue
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context


@click.group()
def jobs() -> None:
    """See the job queue, and what failed in it."""


@jobs.command("list")
@click.option("--failed", "is_failed", is_flag=True, help="Only those that failed.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
@click.option("--limit", default=100, show_default=True, help="At most so many, the newest first.")
def list_jobs(*, is_failed: bool, is_json: bool, limit: int) -> None:
    """List jobs: waiting, running and failed ones."""
    with open_container(Settings.from_env()) as container:
        queue = JobQueue(container.pool)
        entries = queue.failed(limit=limit) if is_failed else queue.jobs(limit=limit)
    if is_json:
        for entry in entries:
            click.echo(json.dumps(dataclasses.asdict(entry), default=str))
        return
    Console().print(table(entries) if entries else "There are no such jobs.")


@jobs.command()
@click.argument("id", type=int)
def retry(id: int) -> None:
    """Try a failed job again, with all its attempts."""
    with open_container(Settings.from_env()) as container:
        try:
            container.retry_job(RetryJob(job_id=id), cli_context(None))
        except (UnknownJobError, JobNotFailedError, JobAlreadyQueuedError) as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"Job {id} is waiting for a worker.")


@jobs.command()
@click.argument("id", type=int)
def discard(id: int) -> None:
    """
    Forget a job. A running one is asked to stop.

    Its upload counts as failed then, until it is sent or tried again.
    """
    with open_container(Settings.from_env()) as container:
        try:
            accepted = container.discard_job(DiscardJob(job_id=id), cli_context(None))
        except (UnknownJobError, JobMovedError) as error:
            raise click.ClickException(str(error)) from None
    outcome = "asked to stop" if accepted.result["was_running"] else "discarded"
    click.echo(f"Job {id} was {outcome}.")


def table(entries: list[JobEntry]) -> Table:
    found = Table("id", "task", "arguments", "status", "attempts", "failed at", "error")
    for entry in entries:
        arguments = ", ".join(f"{key}={value}" for key, value in entry.arguments.items())
        failed_at = "" if entry.failed_at is None else f"{entry.failed_at:%Y-%m-%d %H:%M:%S %Z}"
        found.add_row(
            str(entry.id),
            entry.task,
            arguments,
            entry.status,
            str(entry.attempts),
            failed_at,
            entry.error or "",
        )
    return found
