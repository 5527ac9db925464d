"""`chatledger inspect`: what an export holds, without storing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import click
import orjson

from application.inspection import Inspection, inspect_items
from application.ports.chat_reader import (
    ChatReader,
    DateOrder,
    ReadFacts,
    ReadOptions,
    ReadWarning,
    UnreadableExportError,
)
from domain.message import Message
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from interfaces.cli.terminal import clean_json, clean_line

_UNREADABLE = 2  # exit status
_CONVERSATIONS_SHOWN = 30
_WARNINGS_SHOWN = 20


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.option("--messages", "as_messages", is_flag=True, help="Every message, a JSON line each.")
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
    format_name: str | None,
    timezone: str | None,
    date_order: str | None,
    columns: tuple[str, ...],
) -> None:
    """
    Show what the export PATH holds.

    Nothing is stored. Exit status 2 means that the file cannot be read at all.
    """
    if as_json and as_messages:
        raise click.UsageError("choose one of --json and --messages")
    options = ReadOptions(
        timezone=timezone,
        date_order=cast("DateOrder | None", date_order),
        columns=_columns(columns),
    )
    with _plain_errors():
        file = LocalFile(path)
        reader, reason = _choose(file, format_name)
        if as_messages:
            _print_messages(file, reader, options)
            return
        facts = ReadFacts()
        items = reader.read(file, options, facts)
        found = inspect_items(items, format=reader.format, file=file.name, facts=facts)
        if as_json:
            sys.stdout.buffer.write(_json_line(asdict(found)))
            sys.stdout.buffer.flush()
        else:
            _print_summary(found, file, reason, facts)


def _columns(pairs: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.UsageError(f"--column needs OURS=THEIRS, not {pair!r}")
        columns[ours] = theirs
    return columns


def _choose(file: LocalFile, format_name: str | None) -> tuple[ChatReader, str]:
    readers = Readers()
    if format_name is None:
        reader, recognition = readers.recognise(file)
        return reader, recognition.reason
    try:
        return readers.by_format(format_name), "stated"
    except KeyError:
        known = ", ".join(readers.formats)
        raise click.UsageError(f"there is no format {format_name!r}; there are {known}") from None


@contextmanager
def _plain_errors() -> Iterator[None]:
    """One line on stderr for what a person can act on; a closed pipe is no error."""
    try:
        yield
    except UnreadableExportError as error:
        click.echo(f"chatledger: {clean_line(' '.join(str(error).split()))}", err=True)
        sys.exit(_UNREADABLE)
    except BrokenPipeError:
        # Python flushes stdout once more when it ends; that must find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_messages(file: LocalFile, reader: ChatReader, options: ReadOptions) -> None:
    write = sys.stdout.buffer.write
    for item in reader.read(file, options, ReadFacts()):
        if isinstance(item, Message):
            write(_json_line(as_dict(item)))
        elif isinstance(item, ReadWarning):
            click.echo(f"chatledger: {clean_line(_in_words(item))}", err=True)
    sys.stdout.buffer.flush()


def _json_line(value: dict[str, Any]) -> bytes:
    return clean_json(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


def _in_words(warning: ReadWarning) -> str:
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


def _print_summary(found: Inspection, file: LocalFile, reason: str, facts: ReadFacts) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{_shown(file.name)}[/bold]: {found.format} ({_shown(reason)})")
    console.print(
        f"{found.messages} messages by {found.authors} people "
        f"in {len(found.conversations)} conversations; {found.system} system notices"
    )
    if found.first is not None:
        console.print(f"From {found.first} to {found.last}")
    console.print(
        f"Time zone {_shown(found.timezone or 'unknown')}, date order {found.date_order or '–'}"
    )
    if facts.columns:
        pairs = ", ".join(f"{ours}={theirs}" for ours, theirs in facts.columns.items())
        console.print(f"Columns {_shown(pairs)}")
    table = Table("Conversation", "Kind", "Messages")
    table.columns[2].justify = "right"
    for one in found.conversations[:_CONVERSATIONS_SHOWN]:
        table.add_row(_shown(one.title), one.kind, str(one.messages))
    console.print(table)
    if (more := len(found.conversations) - _CONVERSATIONS_SHOWN) > 0:
        console.print(f"… and {more} more conversations")
    if found.unknown_keys:
        keys = ", ".join(f"{key} ({count})" for key, count in found.unknown_keys.items())
        console.print(f"Kept, but not understood: {_shown(keys[:500])}")
    for warning in found.warnings[:_WARNINGS_SHOWN]:
        shown = _in_words(ReadWarning(warning.file, warning.line, warning.reason))
        console.print(f"[yellow]Warning[/yellow] {_shown(shown)}")
    if (more := len(found.warnings) - _WARNINGS_SHOWN) > 0:
        console.print(f"… and {more} more warnings")


def _shown(text: str) -> str:
    """What a file says, in a text where brackets are markup."""
    from rich.markup import escape

    return escape(clean_line(text))
