"""`chatledger demo`: the main job, on the bundled samples."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from uuid import UUID

import click
from rich.console import Console

from application.ports.search import SearchRequest
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import PROJECT_FOLDER, Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, follow, outcome, send
from interfaces.cli.render_search import render
from interfaces.cli.running import working
from interfaces.cli.serving import run_server
from projections.uploads.queries import uploads

WORKSPACE = "demo"
QUERY = "Is it right to switch off a machine that feels?"
SAMPLES = PROJECT_FOLDER / "tests" / "samples" / "exports"
FILES = ("slack-export.zip", "whatsapp-chat.zip", "telegram-result.json")


@click.command()
@click.option("--once", is_flag=True, help="End after the answer; do not serve.")
def demo(*, once: bool) -> None:
    """Ingest the bundled samples, search them by meaning, then serve until stopped."""
    settings = Settings.from_env()
    console = Console()
    with open_container(settings) as container:
        container.follower.start()
        container.words_follower.start()
        with working(container) as worker:
            ingest_samples(container, console)
            search(container, console)
            if not once:
                console.print(f"\nGraphQL: {settings.address}/graphiql   Stop with Ctrl-C.")
                run_server(container, on_stop=[worker.ask_to_stop])


def ingest_samples(container: Container, console: Console) -> None:
    """Only what is not there yet: a second start has nothing to do."""
    workspace_id = ensure_workspace(container, WORKSPACE, cli_context(None))
    context = cli_context(workspace_id)
    sent = {}
    for path in missing(container, workspace_id):
        upload_id, received = send(container, path, context=context, options={})
        sent[upload_id] = received
    if not sent:
        return
    for row in follow(container, workspace_id, sent, console):
        if row.stage != "searchable":
            raise click.ClickException(outcome(row))


def missing(container: Container, workspace_id: UUID) -> list[Path]:
    """The samples that are not searchable yet, by the bytes that they have today."""
    with container.pool.connection() as connection:
        rows = uploads(connection, workspace_id)
    there = {row.sha256 for row in rows if row.stage == "searchable"}
    paths = [SAMPLES / name for name in FILES]
    return [path for path in paths if sha256(path.read_bytes()).hexdigest() not in there]


def search(container: Container, console: Console) -> None:
    workspace_id = Workspace.create_id(WORKSPACE)
    request = SearchRequest(workspace_id=workspace_id, query=QUERY, mode="meaning", limit=3)
    console.print(f"\nSearching by meaning for: {QUERY}\n", style="bold")
    render(console, container.perform_search(request, cli_context(workspace_id)), request)
