"""`chatledger worker`: a process that works on jobs."""

from __future__ import annotations

from functools import partial
from typing import cast

import click

from infrastructure.bootstrap import open_container
from infrastructure.jobs.app import make_app
from infrastructure.jobs.worker import run_until_signalled
from infrastructure.jobs.worker_settings import LANES, WorkerSettings
from infrastructure.log.recorder import AppendOnlyRecorder
from infrastructure.saying import announce
from infrastructure.settings import Settings
from interfaces.cli.ending import let_second_end_now
from interfaces.cli.running import projections_woken
from interfaces.cli.supervising import Life, life_of
from interfaces.cli.warming import collect_seldom, keep_for_good
from interfaces.jobs.registry import register_tasks

PATIENCE_SECONDS = 15.0  # with a database that is away: nobody waits for a job's answer


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
@click.option("--life-fd", type=click.IntRange(min=0), hidden=True)
def worker(*, changes: tuple[tuple[str, int], ...], life_fd: int | None) -> None:
    """
    Work on jobs until SIGTERM or Ctrl-C.

    Any number of these may run, with the same data folder and the same DATABASE_URL.
    """
    life = life_of(life_fd)
    with open_container(Settings.from_env()) as container, projections_woken(container):
        recorder = cast("AppendOnlyRecorder", container.archive.recorder)
        recorder.patience_seconds, recorder.is_patient = PATIENCE_SECONDS, True
        settings = WorkerSettings(
            lanes={**LANES, **dict(changes)}, code_versions=container.runner.code_versions
        )
        app = make_app(container.conninfo)
        register_tasks(app, container)
        keep_for_good()
        collect_seldom()
        run_until_signalled(
            app, settings, on_start=partial(say_started, life), on_stop=partial(begin_stop, life)
        )
    if life is None:
        announce("Stopped.", "worker_stopped")


def say_started(life: Life | None) -> None:
    """Only now: whoever reads it may stop the worker at once."""
    if life is None:
        announce("Working on jobs until stopped.", "worker_started")
    else:
        life.say_ready()


def begin_stop(life: Life | None) -> None:
    let_second_end_now()
    if life is None:
        announce("Stopping: jobs hand over. Ctrl-C again ends at once.", "worker_stopping")
