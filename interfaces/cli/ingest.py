"""`chatledger ingest`: show what files hold, upload, read and embed them, until they are found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from application.commands.receive_upload import UploadRefusedError
from application.ports.chat_reader import UnreadableExportError
from application.uploads import Merge
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, follow, outcome, send
from interfaces.cli.previewing import MERGE_HELP, columns_of, look
from interfaces.cli.render_preview import render
from interfaces.cli.running import working
from interfaces.cli.terminal import clean_line, has_terminal
from interfaces.cli.warming import collect_seldom

Options = dict[str, Any]
# What somebody has to say before a file is read, and among what.
ASKED = {"date_order": "In which order are its dates?", "format": "Which format is it?"}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--workspace", default="default", show_default=True, help="Made if there is none.")
@click.option("--yes", is_flag=True, help="Read them without showing and asking: for scripts.")
@click.option("--format", "format_", help="Do not guess the format.")
@click.option("--timezone", help="IANA name, for files whose times state no zone.")
@click.option("--date-order", type=click.Choice(["ymd", "dmy", "mdy"]))
@click.option(
    "--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Of tables, as for inspect."
)
@click.option("--merge", type=click.Choice(get_args(Merge)), help=MERGE_HELP)
def ingest(
    *,
    paths: tuple[Path, ...],
    workspace: str,
    yes: bool,
    format_: str | None,
    timezone: str | None,
    date_order: str | None,
    columns: tuple[str, ...],
    merge: str | None,
) -> None:
    """
    Upload chat exports, files or folders, and make them searchable.

    The same bytes twice are harmless. A folder is kept as one archive of its files.

    Each is shown first, and read if you say so. With --yes it is read at once, unless it
    leaves open in which order its dates are or which format it has: then it is held back.
    """
    if not yes and not has_terminal():
        raise click.UsageError(
            "there is no terminal to ask whether the files shall be read: say --yes to have them "
            "read without asking, or look at them first with `chatledger inspect`"
        )
    given = {"format": format_, "timezone": timezone, "date_order": date_order, "merge": merge}
    options: Options = {name: value for name, value in given.items() if value is not None}
    if columns:
        options["columns"] = columns_of(columns)
    console = Console(stderr=True)
    with open_container(Settings.from_env()) as container, working(container):
        collect_seldom()
        files = [(path, options) for path in paths]
        if not yes:
            files = agreed(container, files, workspace, console)
        is_fine = ingest_each(container, files, workspace, console)
    sys.exit(0 if is_fine and len(files) == len(paths) else 1)


def agreed(
    container: Container, files: list[tuple[Path, Options]], workspace: str, console: Console
) -> list[tuple[Path, Options]]:
    """Those that shall be read, and how. Nothing of the others is kept."""
    found = []
    for path, given in files:
        try:
            options = ask(container, path, given, workspace, console)
        except UnreadableExportError as error:
            console.print(clean_line(str(error)), style="red", markup=False)
            continue
        if options is not None:
            found.append((path, options))
    return found


def ask(
    container: Container, path: Path, options: Options, workspace: str, console: Console
) -> Options | None:
    """Show a file and ask, as often as it leaves something open. None: it shall not be read."""
    while True:
        preview = look(path, options, container.previewer, workspace)
        found = preview.as_json()
        render(console, found)
        if not preview.questions:
            into = clean_line(f"Read {path.name} into the workspace «{workspace}»?")
            return options if click.confirm(into, err=True) else None
        for question in preview.questions:
            choices = (
                found["dates"]["possible"]
                if question == "date_order"
                else [one["format"] for one in found["candidates"]]
            )
            answer = click.prompt(
                ASKED[question], type=click.Choice([*choices, "skip"]), default="skip", err=True
            )
            if answer == "skip":
                return None
            options = {**options, question: answer}


def ingest_files(
    container: Container,
    paths: tuple[Path, ...],
    workspace: str,
    options: Options,
    console: Console,
) -> bool:
    """Without asking. Returns whether all of them are searchable."""
    return ingest_each(container, [(path, options) for path in paths], workspace, console)


def ingest_each(
    container: Container, files: list[tuple[Path, Options]], workspace: str, console: Console
) -> bool:
    if not files:
        return True
    workspace_id = ensure_workspace(container, workspace, cli_context(None))
    context = cli_context(workspace_id)
    uploads, is_fine = {}, True
    for path, options in files:
        try:
            upload_id, sent = send(container, path, context=context, options=options)
        except (UploadRefusedError, UnreadableExportError) as error:
            console.print(clean_line(f"{path}: {error}"), style="red", markup=False)
            is_fine = False
        else:
            uploads[upload_id] = sent
            if sent.notice:
                said = clean_line(f"{path}: {sent.notice}")
                console.print(said, style="yellow", markup=False)
    rows = follow(container, workspace_id, uploads, console) if uploads else []
    for row in rows:
        console.print(
            outcome(row),
            style=None if row.stage == "searchable" else "red",
            markup=False,
            soft_wrap=True,
        )
    return is_fine and all(row.stage == "searchable" for row in rows)
