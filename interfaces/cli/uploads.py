"""`chatledger uploads`: what was uploaded, and what became of it."""

from __future__ import annotations

from uuid import UUID

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infrastructure.bootstrap import open_container
from infrastructure.settings import Settings
from interfaces.cli.terminal import clean_line
from interfaces.cli.workspaces import workspace_named
from projections.uploads.queries import log_lines
from projections.uploads.queries import uploads as list_uploads


@click.command()
@click.argument("upload_id", required=False, type=click.UUID)
@click.option("--workspace", default="default", show_default=True)
def uploads(*, upload_id: UUID | None, workspace: str) -> None:
    """List the uploads of a workspace, or what happened to one of them."""
    console = Console()
    with (
        open_container(Settings.from_env()) as container,
        container.pool.connection() as connection,
    ):
        workspace_id = workspace_named(container, workspace)
        if upload_id is None:
            table = Table("file", "format", "stage", "messages", "received")
            table.add_column("upload", no_wrap=True)
            for row in list_uploads(connection, workspace_id):
                table.add_row(
                    escape(clean_line(row.filename)),
                    row.format or "",
                    row.stage,
                    "" if row.messages is None else f"{row.messages:,}",
                    f"{row.received_at:%Y-%m-%d %H:%M}",
                    str(row.upload_id),
                )
            console.print(table)
            return
        lines = log_lines(connection, workspace_id, upload_id)
        if not lines:
            raise click.ClickException(f"no upload {upload_id} in workspace {workspace!r}")
        for line in lines:
            said = f"{line.at:%Y-%m-%d %H:%M:%S} {line.level:7} {clean_line(line.text)}"
            console.print(said, markup=False)
