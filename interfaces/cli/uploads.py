"""`chatledger uploads`: what was uploaded, what became of it, and what may be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from application.archive import Accepted, NotFoundError
from application.commands.confirm_upload import ConfirmUpload
from application.commands.inspect_upload import InspectUpload
from application.commands.retry_upload import RetryUpload
from application.commands.withdraw_upload import WithdrawUpload
from application.context import Context
from application.uploads import Merge, UploadOptionsError
from domain.upload import (
    NothingToConfirmError,
    NothingToRetryError,
    OptionsSettledError,
    UnansweredError,
    UploadWithdrawnError,
)
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.previews.postgres import previews_by_upload
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.previewing import MERGE_HELP, columns_of
from interfaces.cli.render_preview import render
from interfaces.cli.terminal import clean_json, clean_line
from interfaces.cli.workspaces import workspace_named
from projections.uploads.queries import log_lines
from projections.uploads.queries import upload as find_upload
from projections.uploads.queries import uploads as list_uploads

REFUSALS = (
    NotFoundError,
    NothingToConfirmError,
    NothingToRetryError,
    OptionsSettledError,
    UnansweredError,
    UploadOptionsError,
    UploadWithdrawnError,
)
IN_WORKSPACE = click.option("--workspace", default="default", show_default=True)


def options_of_files(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--format", "format_", help="Do not guess the format."),
        click.option("--timezone", help="IANA name, for files whose times state no zone."),
        click.option("--date-order", type=click.Choice(["ymd", "dmy", "mdy"])),
        click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS"),
        click.option("--merge", type=click.Choice(get_args(Merge)), help=MERGE_HELP),
    ):
        command = option(command)
    return command


def said(
    *,
    format_: str | None,
    timezone: str | None,
    date_order: str | None,
    columns: tuple[str, ...],
    merge: str | None,
) -> dict[str, Any]:
    given = {
        "format": format_,
        "timezone": timezone,
        "date_order": date_order,
        "columns": columns_of(columns),
        "merge": merge,
    }
    return {name: value for name, value in given.items() if value}


class ShowingGroup(click.Group):
    """Without the name of a command it shows: `chatledger uploads`, `chatledger uploads ID`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ShowingGroup)
def uploads() -> None:
    """List the uploads of a workspace, or what happened to one of them."""


@uploads.command()
@click.argument("upload_id", required=False, type=click.UUID)
@IN_WORKSPACE
def show(*, upload_id: UUID | None, workspace: str) -> None:
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
                    "waits" if row.questions else row.stage,
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


@uploads.command()
@click.argument("upload_id", type=click.UUID)
@IN_WORKSPACE
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
def preview(*, upload_id: UUID, workspace: str, as_json: bool) -> None:
    """Show what an upload holds that waits to be confirmed."""
    with (
        open_container(Settings.from_env()) as container,
        container.pool.connection() as connection,
    ):
        key = (workspace_named(container, workspace), upload_id)
        row = find_upload(connection, *key)
        found = previews_by_upload(connection, [key]).get(key)
    if found is None or row is None or not row.questions:
        raise click.ClickException(f"no upload {upload_id} in {workspace!r} waits to be confirmed")
    if as_json:
        click.echo(clean_json(orjson.dumps(found)))
    else:
        render(Console(), found)


@uploads.command("inspect")
@click.argument("upload_id", type=click.UUID)
@IN_WORKSPACE
@options_of_files
def inspect_again(*, upload_id: UUID, workspace: str, **given: Any) -> None:
    """Look again at an upload that waits, perhaps with other options."""
    command = InspectUpload(upload_id=upload_id, options=said(**given) or None)
    change(workspace, lambda container, context: container.inspect_upload(command, context))
    click.echo(
        f"Upload {upload_id} waits for a worker to inspect it; then `chatledger uploads preview "
        f"{upload_id}` shows what it holds."
    )


@uploads.command()
@click.argument("upload_id", type=click.UUID)
@IN_WORKSPACE
@options_of_files
def confirm(*, upload_id: UUID, workspace: str, **given: Any) -> None:
    """Have an upload read that waits, and say what it leaves open."""
    command = ConfirmUpload(upload_id=upload_id, options=said(**given))
    change(workspace, lambda container, context: container.confirm_upload(command, context))
    click.echo(f"Upload {upload_id} is confirmed. A worker reads it.")


@uploads.command()
@click.argument("upload_id", type=click.UUID)
@IN_WORKSPACE
def withdraw(*, upload_id: UUID, workspace: str) -> None:
    """Take an upload back, for good: its messages, its vectors and its bytes."""
    command = WithdrawUpload(upload_id=upload_id)
    change(workspace, lambda container, context: container.withdraw_upload(command, context))
    click.echo(
        f"Upload {upload_id} is withdrawn. A worker deletes its bytes; what another upload has "
        "too stays."
    )


@uploads.command()
@click.argument("upload_id", type=click.UUID)
@IN_WORKSPACE
@options_of_files
def retry(*, upload_id: UUID, workspace: str, **given: Any) -> None:
    """Try an upload again that failed or was rejected, perhaps with other options."""
    command = RetryUpload(upload_id=upload_id, options=said(**given))
    change(workspace, lambda container, context: container.retry_upload(command, context))
    click.echo(f"Upload {upload_id} waits for a worker to try it again.")


def change(workspace: str, act: Callable[[Container, Context], Accepted]) -> None:
    """
    Raises:
        click.ClickException: with a sentence that says why it was refused.
    """
    with open_container(Settings.from_env()) as container:
        context = cli_context(workspace_named(container, workspace))
        try:
            act(container, context)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
