"""`chatledger ingest`: upload files, read and embed them, until they can be searched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from application.commands.receive_upload import UploadRefusedError
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, follow, outcome, send
from interfaces.cli.running import working
from interfaces.cli.terminal import clean_line


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--workspace", default="default", show_default=True, help="Made if there is none.")
@click.option("--format", "format_", help="Do not guess the format.")
@click.option("--timezone", help="IANA name, for files whose times state no zone.")
@click.option("--date-order", type=click.Choice(["ymd", "dmy", "mdy"]))
def ingest(
    *,
    paths: tuple[Path, ...],
    workspace: str,
    format_: str | None,
    timezone: str | None,
    date_order: str | None,
) -> None:
    """Upload chat exports and make them searchable. The same file twice is harmless."""
    given = {"format": format_, "timezone": timezone, "date_order": date_order}
    options = {name: value for name, value in given.items() if value is not None}
    console = Console(stderr=True)
    with open_container(Settings.from_env()) as container, working(container):
        is_fine = ingest_files(container, paths, workspace, options, console)
    sys.exit(0 if is_fine else 1)


def ingest_files(
    container: Container,
    paths: tuple[Path, ...],
    workspace: str,
    options: dict[str, Any],
    console: Console,
) -> bool:
    workspace_id = ensure_workspace(container, workspace, cli_context(None))
    context = cli_context(workspace_id)
    uploads, is_fine = {}, True
    for path in paths:
        try:
            upload_id, sent = send(container, path, context=context, options=options)
        except UploadRefusedError as error:
            console.print(clean_line(f"{path}: {error}"), style="red", markup=False)
            is_fine = False
        else:
            uploads[upload_id] = sent
    rows = follow(container, workspace_id, uploads, console) if uploads else []
    for row in rows:
        console.print(
            outcome(row), style=None if row.stage == "searchable" else "red", markup=False
        )
    return is_fine and all(row.stage == "searchable" for row in rows)
