"""`chatledger serve`: the API, with or without a worker in the same process."""

from __future__ import annotations

from contextlib import ExitStack

import click

from infrastructure.bootstrap import open_container
from infrastructure.settings import Settings
from interfaces.cli.running import projections_woken, working
from interfaces.cli.serving import run_server


@click.command()
@click.option(
    "--worker/--no-worker",
    "with_worker",
    default=True,
    show_default=True,
    help="Work on jobs in this process too; without, `chatledger worker` has to run.",
)
def serve(*, with_worker: bool) -> None:
    """Serve GraphQL and uploads to this machine until stopped."""
    settings = Settings.from_env()
    with ExitStack() as stack:
        container = stack.enter_context(open_container(settings))
        container.follower.start()
        stack.enter_context(working(container) if with_worker else projections_woken(container))
        click.echo(f"Serving on {settings.address}/ until stopped.", err=True)
        run_server(container)
