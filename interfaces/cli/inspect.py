"""`chatledger inspect`: what an export holds and would bring, without storing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from application.ports.chat_reader import ReadFacts, ReadWarning, UnreadableExportError
from application.preview import Previewer, read_options
from domain.message import Message
from infrastructure.readers.installed import InstalledReaderError
from infrastructure.readers.local_file import local_export
from infrastructure.settings import Settings
from interfaces.cli.previewing import archive_if_any, choose, columns_of, look, opened
from interfaces.cli.terminal import clean_json, clean_line

_UNREADABLE = 2  # exit status


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.option("--messages", "as_messages", is_flag=True, help="Every message, a JSON line each.")
@click.option("--workspace", default="default", show_default=True, help="To compare with.")
@click.option("--no-archive", is_flag=True, help="Do not compare it with the archive.")
@click.option("--format", "format_name", metavar="F", help="Read as this format; do not guess.")
@click.option("--timezone", metavar="TZ", help="Zone of local times, such as Europe/Berlin.")
@click.option("--date-order", type=click.Choice(["ymd", "dmy", "mdy"]), help="Of numeric dates.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="CSV and JSON lines: which column holds sent_at, author, text, conversation, key …",
)
def inspect(
    *,
    path: Path,
    as_json: bool,
    as_messages: bool,
    workspace: str,
    no_archive: bool,
    format_name: str | None,
    timezone: str | None,
    date_order: str | None,
    columns: tuple[str, ...],
) -> None:
    """
    Show what the export PATH holds, a file or a folder, and what it would bring to the archive.

    Nothing is stored. Exit status 2 means that it cannot be read at all.
    """
    if as_json and as_messages:
        raise click.UsageError("choose one of --json and --messages")
    options: dict[str, Any] = {
        "format": format_name,
        "timezone": timezone,
        "date_order": date_order,
        "columns": columns_of(columns),
    }
    with plain_errors():
        if as_messages:
            print_messages(path, options)
            return
        local_export(path)  # what is not there needs no database
        with archive_if_any(Settings.from_env(), is_wanted=not no_archive) as previewer:
            compared_with = None if previewer is None else workspace
            preview = look(path, options, previewer or Previewer(), compared_with).as_json()
        if as_json:
            sys.stdout.buffer.write(json_line(preview))
            sys.stdout.buffer.flush()
        else:
            from rich.console import Console

            from interfaces.cli.render_preview import render

            render(Console(highlight=False), preview)


@contextmanager
def plain_errors() -> Iterator[None]:
    """One line on stderr for what a person can act on; a closed pipe is no error."""
    try:
        yield
    except (UnreadableExportError, InstalledReaderError) as error:
        click.echo(f"chatledger: {clean_line(' '.join(str(error).split()))}", err=True)
        sys.exit(_UNREADABLE)
    except BrokenPipeError:
        # Python flushes stdout once more when it ends; that must find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_messages(path: Path, options: dict[str, Any]) -> None:
    write = sys.stdout.buffer.write
    with opened(path) as (readers, export):
        reader, _ = choose(readers, export, options["format"])
        for item in reader.read(export, read_options(options), ReadFacts()):
            if isinstance(item, Message):
                write(json_line(as_dict(item)))
            elif isinstance(item, ReadWarning):
                click.echo(f"chatledger: {clean_line(in_words(item))}", err=True)
    sys.stdout.buffer.flush()


def json_line(value: dict[str, Any]) -> bytes:
    return clean_json(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


def in_words(warning: ReadWarning) -> str:
    place = warning.file if warning.line is None else f"{warning.file}, line {warning.line}"
    ending = " (reading ended here)" if warning.is_fatal else ""
    return f"{place}: {warning.reason}{ending}"


def as_dict(message: Message) -> dict[str, Any]:
    """A message as `--messages` prints it. Times are ISO 8601 in UTC."""
    author = message.author
    edited = message.edited_at
    return {
        "conversation": message.conversation,
        "key": message.key,
        "author": None if author is None else {"id": author.id, "name": author.name},
        "sent_at": message.sent_at.isoformat(),
        "precision": message.precision,
        "kind": message.kind,
        "text": message.text,
        "reply_to": message.reply_to,
        "thread": message.thread,
        "edited_at": None if edited is None else edited.isoformat(),
        "reactions": [reaction._asdict() for reaction in message.reactions],
        "attachments": [attachment._asdict() for attachment in message.attachments],
    }
