"""`chatledger export`: messages leave as files, and leave a fact behind."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import click

from application.commands.make_export import MakeExport, MessageSelection
from application.ports.search import SearchRequest, Sort
from application.searches import MAX_CONTEXT
from domain.search import SearchMode
from infrastructure.exports.hits import ALL
from interfaces.time_range import beginning, end, require_order

NOTHING_SELECTED = 1  # exit status
NODE_ID = re.compile(
    r"(?:Conversation:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE
)


class ExportFailedError(click.ClickException):
    """Nothing was written; the message says what to do."""

    exit_code = 2


class Moment(click.ParamType[datetime]):
    name = "time"

    def __init__(self, read: Callable[[str], datetime]) -> None:
        self._read = read

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Limit(click.ParamType[int | None]):
    """None: all."""

    name = "limit"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | None:
        if value == ALL:
            return None
        if re.fullmatch(r"0*[1-9][0-9]{0,17}", str(value)) is None:
            self.fail(f"{value!r} is neither a number from 1 on nor `{ALL}`", param, ctx)
        return int(value)


class ConversationId(click.ParamType[UUID]):
    name = "id"

    def convert(self, value: Any, param: Any, ctx: Any) -> UUID:
        found = NODE_ID.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no conversation's id, as GraphQL gives it", param, ctx)
        return UUID(found[1])


@click.command()
@click.option("--workspace", default="default", show_default=True, help="The archive's name.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["rsmf", "jsonl", "csv", "txt"]),
    default="rsmf",
    show_default=True,
    help="RSMF 2.0 of any messages; the others of one conversation, or of a --query.",
)
@click.option(
    "--conversation",
    "conversation_ids",
    multiple=True,
    type=ConversationId(),
    metavar="ID",
    help="Only this one; may be repeated.",
)
@click.option("--from", "since", type=Moment(beginning), metavar="TIME", help="Sent then or later.")
@click.option(
    "--until", type=Moment(end), metavar="TIME", help="Sent before; of a day: that day, too."
)
@click.option(
    "--search",
    type=click.IntRange(min=1),
    metavar="POSITION",
    help="The hits of the search that the log recorded there (`search --json` says where).",
)
@click.option(
    "--context",
    type=click.IntRange(0, MAX_CONTEXT),
    default=0,
    help="Messages before and after each hit.",
)
@click.option(
    "--query",
    metavar="QUERY",
    help="What this finds, with scores: as JSON lines or CSV. See `search --help`.",
)
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "meaning", "words"]),
    default="hybrid",
    help="With --query: what to go by.",
)
@click.option(
    "--sort",
    type=click.Choice(["relevance", "newest", "oldest"]),
    default="relevance",
    help="With --query: what to order by.",
)
@click.option("--time-zone", default="UTC", help="With --query: in which its days begin.")
@click.option(
    "--limit",
    type=Limit(),
    default="1000",
    show_default=True,
    metavar=f"N|{ALL}",
    help="With --query: hits at most. By relevance, all is what a search ranks.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR|FILE",
    help="RSMF: a folder, or FILE.zip; else a file.",
)
@click.option("--force", "is_forced", is_flag=True, help="Replace an earlier export.")
def export(  # noqa: PLR0913 - the command's options
    *,
    workspace: str,
    format_: str,
    conversation_ids: tuple[UUID, ...],
    since: datetime | None,
    until: datetime | None,
    search: int | None,
    context: int,
    query: str | None,
    mode: str,
    sort: str,
    time_zone: str,
    limit: int | None,
    output: Path,
    is_forced: bool,
) -> None:
    """
    Write messages to files. Without conditions it is the whole workspace; each narrows the others.

    With --query: what a search finds, in order, with its scores. The log records the search, too.
    In CSV, texts that a spreadsheet would run as a formula begin with an apostrophe. By relevance a
    search ranks 1,000 of each of meaning and words; all that matches is written by time.

    TIME is a day of UTC, as in 2024-01-31, or a time with its offset, as in 2024-01-31T12:00:00Z.

    What is written appears under its name when it is complete. The log records the export. Exit
    status 0: written; 1: no message is selected, and nothing was written; 2: it failed.
    """
    asked = MessageSelection(
        conversation_ids=tuple(sorted(set(conversation_ids))),
        since=since,
        until=until,
        search=search,
        context=context,
    )
    require_sense(format_, asked, query)
    is_folder = format_ == "rsmf" and output.suffix.lower() != ".zip"
    # Here, so that `--help` and a wrong option answer at once.
    from infrastructure.bootstrap import open_container
    from infrastructure.settings import Settings
    from interfaces.cli.actor import cli_context
    from interfaces.cli.complete_files import require_free
    from interfaces.cli.exporting import Exporting
    from interfaces.cli.workspaces import workspace_named

    require_free(output, is_folder=is_folder, is_forced=is_forced)
    with open_container(Settings.from_env()) as container, plain_errors():
        workspace_id = workspace_named(container, workspace)
        if query is not None:
            from interfaces.cli.exporting_hits import write_hits

            wanted = SearchRequest(
                workspace_id=workspace_id,
                query=query,
                mode=cast("SearchMode", mode),
                sort=cast("Sort", sort),
                time_zone=time_zone,
                with_highlights=False,
            )
            context_ = cli_context(workspace_id)
            target = (output, is_forced)
            if not write_hits(container, context_, wanted, format_, limit, *target):
                click.echo("nothing was found: nothing was written", err=True)
                sys.exit(NOTHING_SELECTED)
            return
        exporting = Exporting(container, cli_context(workspace_id), workspace_id)
        command = command_of(format_, asked, exporting.pin())
        if not exporting.write(command, output, is_folder=is_folder, is_forced=is_forced):
            click.echo("no message is selected: nothing was written", err=True)
            sys.exit(NOTHING_SELECTED)


def require_sense(format_: str, asked: MessageSelection, query: str | None) -> None:
    """
    Raises:
        click.UsageError: if the options do not go together.
    """
    if asked.context and asked.search is None:
        raise click.UsageError("--context is of a search's hits: name the --search, too")
    try:
        require_order(asked.since, asked.until)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if query is not None:
        if format_ not in {"jsonl", "csv"}:
            raise click.UsageError("what a --query finds is written with --format jsonl or csv")
        if asked != MessageSelection():
            raise click.UsageError("a --query says its conditions itself, as in in: and after:")
        return
    is_one = asked == MessageSelection(conversation_ids=asked.conversation_ids[:1])
    if format_ != "rsmf" and not (is_one and asked.conversation_ids):
        raise click.UsageError(
            f"{format_} is of one whole --conversation; any other selection needs --format rsmf, "
            "or is a --query"
        )


def command_of(format_: str, asked: MessageSelection, up_to: int) -> MakeExport:
    if format_ == "rsmf":
        return MakeExport(kind="rsmf", format="rsmf", up_to=up_to, selection=asked)
    return MakeExport(
        kind="messages",
        format=format_,
        up_to=up_to,
        conversation_id=asked.conversation_ids[0],
    )


@contextmanager
def plain_errors() -> Iterator[None]:
    """One line on stderr for what a person can act on; all else is a defect and shows as one."""
    from application.ports.embedder import EmbedderUnavailableError
    from application.ports.search import EmptyQueryError, SearchTookTooLongError
    from application.searches import QueryRefusedError
    from infrastructure.exports.messages import ChangedSinceError
    from infrastructure.exports.selection import SelectionError

    try:
        yield
    except (
        EmbedderUnavailableError,
        EmptyQueryError,
        QueryRefusedError,
        SearchTookTooLongError,
        SelectionError,
    ) as error:
        raise ExportFailedError(" ".join(str(error).split())) from error
    except ChangedSinceError as error:
        raise ExportFailedError(
            "the archive changed while it was exported, and nothing was written: run it again"
        ) from error
