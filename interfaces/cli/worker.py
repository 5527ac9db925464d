"""`chatledger worker`: a process that works on jobs."""

from __future__ import annotations

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
    """
    Work on jobs until SIGTERM or Ctrl-C.

    Any number of these may run, with the same data folder and the same DATABASE_URL.
    """
    with open_container(Settings.from_env()) as container, projections_woken(container):
        settings = WorkerSettings(
            lanes={**LANES, **dict(changes)}, code_versions=container.runner.code_versions
        )
        app = make_app(container.conninfo)
        register_tasks(app, container)
        click.echo("Working on jobs until stopped.", err=True)
        run_until_signalled(app, settings)
