"""`chatledger worker`: a process that works on jobs."""

from __future__ import annotations

import logging
import os

import click

from infrastructure.bootstrap import open_container
from infrastructure.jobs.app import make_app
from infrastructure.jobs.worker import run_until_signalled
from infrastructure.jobs.worker_settings import LANES, WorkerSettings
from infrastructure.settings import Settings
from interfaces.cli.running import projections_woken
from interfaces.jobs.registry import register_tasks


class Concurrency(click.ParamType[tuple[str, int]]):
    name = "QUEUE=N"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        queue, _, number = value.partition("=")
        if queue not in LANES or not number.isdecimal():
            self.fail(f"{value!r} is not one of {', '.join(LANES)} with a number", param, ctx)
        return queue, int(number)


@click.command()
@click.option(
    "--concurrency",
    "changes",
    type=Concurrency(),
    multiple=True,
    help="How many jobs of a queue run at a time; 0 leaves the queue to other workers. "
    f"Default: {', '.join(f'{queue}={number}' for queue, number in LANES.items())}.",
)
def worker(*, changes: tuple[tuple[str, int], ...]) -> None:
    """Work on jobs until SIGTERM or Ctrl-C. Any number of these may run, on any machine."""
    settings = WorkerSettings(lanes={**LANES, **dict(changes)})
    with open_container(Settings.from_env()) as container, projections_woken(container):
        app = make_app(container.conninfo)
        register_tasks(app, container)
        click.echo("Working on jobs until stopped.", err=True)
        is_clean = run_until_signalled(app, settings)
    if not is_clean:
        # A job is still at it, perhaps deep in a model's code, which would not survive the
        # interpreter's end. The queue knows that this job has to run again.
        logging.shutdown()
        os._exit(0)
