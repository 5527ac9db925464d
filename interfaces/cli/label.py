"""`chatledger label`: labels, and what they are on, one by one or as a search finds it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from application.archive import Accepted
from application.commands.add_label import AddLabel
from application.commands.create_label import CreateLabel
from application.commands.delete_label import DeleteLabel
from application.commands.remove_label import RemoveLabel
from application.commands.rename_label import RenameLabel
from application.context import Context
from application.labels import MOST_TARGETS, LabelTargetsRefusedError, TargetNotFoundError
from application.ports.search import SearchRequest
from application.searches import MAX_BULK
from domain.label import LabelNameTakenError, LabelNotFoundError, LabelRefusedError
from domain.search import SearchMode
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.labels.handlers import LabelHandlers
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.search import plain_errors
from interfaces.cli.terminal import clean_line
from interfaces.cli.workspaces import workspace_named
from projections.labels.queries import label_counts, labels_page
from projections.paging import Window
from projections.wording import counted

REFUSALS = (
    LabelNameTakenError,
    LabelNotFoundError,
    LabelRefusedError,
    LabelTargetsRefusedError,
    TargetNotFoundError,
)
IN_WORKSPACE = click.option("--workspace", default="default", show_default=True)
PAGE = MAX_BULK  # hits of one search
MOST_LIMIT = 10_000
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class Targets(NamedTuple):
    messages: Sequence[int]
    conversations: Sequence[UUID] = ()
    has_more: bool = False  # of the result, beyond the limit


@click.group()
def label() -> None:
    """
    Labels: what messages and conversations are called.

    `chatledger search 'label:"to check"'` finds what has one.
    """


@label.command("list")
@IN_WORKSPACE
def list_labels(*, workspace: str) -> None:
    """List the labels of a workspace, with how much each is on."""
    table = Table("label", "messages", "conversations")
    table.add_column("id", no_wrap=True)
    with opened(workspace) as (container, context), container.pool.connection() as connection:
        workspace_id = cast("UUID", context.workspace_id)
        rows = labels_page(connection, workspace_id, window=Window(limit=MOST_LIMIT)).rows
        counts = label_counts(connection, [(workspace_id, row.label_id) for row in rows])
    for row in rows:
        on = counts[row.workspace_id, row.label_id]
        name = Text(clean_line(row.name), row.colour or "")
        if row.description:
            name.append(f"\n{clean_line(row.description)}", "dim")
        table.add_row(name, f"{on.messages:,}", f"{on.conversations:,}", str(row.label_id))
    Console().print(table)


@label.command()
@click.argument("name")
@click.option("--colour", help="To show it in, for example #3366cc.")
@click.option("--description", help="What it is for.")
@IN_WORKSPACE
def create(*, name: str, colour: str | None, description: str | None, workspace: str) -> None:
    """Make a label that is called NAME."""
    command = CreateLabel(name=name, colour=colour, description=description)
    with opened(workspace) as (container, context):
        container.labels.create(command, context)
    click.echo(f"There is a label {clean_line(name.strip())!r} now.")


@label.command()
@click.argument("label", metavar="LABEL")
@click.argument("name")
@IN_WORKSPACE
def rename(*, label: str, name: str, workspace: str) -> None:
    """Call LABEL otherwise: NAME. It stays on what it is on."""
    with opened(workspace) as (container, context):
        container.labels.rename(RenameLabel(label=named(label), name=name), context)
    click.echo(f"The label is called {clean_line(name.strip())!r} now.")


@label.command()
@click.argument("label", metavar="LABEL")
@IN_WORKSPACE
def delete(*, label: str, workspace: str) -> None:
    """Delete LABEL, for good, and take it off whatever it is on."""
    with opened(workspace) as (container, context):
        container.labels.delete(DeleteLabel(label=named(label)), context)
    click.echo(f"The label {clean_line(label)!r} is deleted.")


def about_targets(command: Callable[..., None]) -> Callable[..., None]:
    for decorate in (
        click.argument("ids", metavar="[ID]...", nargs=-1),
        click.argument("label", metavar="LABEL"),
        click.option("--query", help="All messages that this search finds, instead of ids."),
        click.option(
            "--mode",
            type=click.Choice(["hybrid", "meaning", "words"]),
            default="hybrid",
            show_default=True,
            help="What the search goes by.",
        ),
        click.option(
            "--limit",
            type=click.IntRange(1, MOST_LIMIT),
            default=MOST_TARGETS,
            show_default=True,
            help="Messages of the result at most, the newest first.",
        ),
        IN_WORKSPACE,
    ):
        command = decorate(command)
    return command


@label.command()
@about_targets
def add(*, label: str, workspace: str, **what: Any) -> None:
    """
    Put LABEL on messages and conversations: by their ids, such as Message:52224 and
    Conversation:6a1d6c1e-77a5-8f2b-8a51-c0a1b2c3d4e5, or by a query.
    """
    done, targets = change(AddLabel, lambda labels: labels.add, label, workspace, **what)
    click.echo(f"Put the label on {of(done, targets, 'the others had it')}")


@label.command()
@about_targets
def remove(*, label: str, workspace: str, **what: Any) -> None:
    """Take LABEL off messages and conversations: by their ids, or by a query."""
    done, targets = change(RemoveLabel, lambda labels: labels.remove, label, workspace, **what)
    click.echo(f"Took the label off {of(done, targets, 'the others did not have it')}")


def of(done: int, targets: Targets, others: str) -> str:
    """How much of what was named has changed, and whether there is more."""
    count = len(targets.messages) + len(targets.conversations)
    said = f"{done:,} of {count:,}{f'; {others}' if done < count else ''}."
    if not targets.has_more:
        return said
    limit = counted(len(targets.messages), "message")
    return f"{said} The result has more than these {limit}: raise --limit."


def change(
    command: type[AddLabel | RemoveLabel],
    handler: Callable[[LabelHandlers], Callable[[Any, Context], Accepted]],
    label: str,
    workspace: str,
    *,
    ids: Sequence[str],
    query: str | None,
    mode: str,
    limit: int,
) -> tuple[int, Targets]:
    """How much was changed, and what it was about, a thousand at a time."""
    if bool(ids) == (query is not None):
        raise click.UsageError("name either ids or a --query")
    targets = named_targets(ids)
    with opened(workspace) as (container, context):
        if query is not None:
            targets = found_by(container, context, query, mode, limit)
            if not targets.messages:
                raise click.ClickException("the search finds nothing")
        parts = [targets]
        if len(targets.messages) + len(targets.conversations) > MOST_TARGETS:
            whole = iter(targets.messages)
            pieces = iter(lambda: list(itertools.islice(whole, MOST_TARGETS)), [])
            parts = [*map(Targets, pieces)]
            parts += [Targets((), targets.conversations)] if targets.conversations else []
        carry_out, done = handler(container.labels), 0
        for part in parts:
            wanted = command(
                label=named(label),
                message_ids=tuple(part.messages),
                conversation_ids=tuple(part.conversations),
            )
            done += int(carry_out(wanted, context).result["changed"])
    return done, targets


def found_by(container: Container, context: Context, query: str, mode: str, limit: int) -> Targets:
    """The messages of a whole result, equal texts each for itself, the newest first."""
    found: list[int] = []
    after = None
    while True:
        request = SearchRequest(
            workspace_id=cast("UUID", context.workspace_id),
            query=query,
            mode=cast("SearchMode", mode),
            sort="newest",
            limit=min(PAGE, limit - len(found)),
            is_bulk=True,
            after=after,
            context=0,
            with_highlights=False,
            with_same_text=False,
        )
        with plain_errors():
            answer = container.perform_search(request, context).answer
        for note in answer.notes if after is None else ():
            click.echo(note, err=True)
        found += [hit.message.id for hit in answer.hits]
        if not answer.has_more or len(found) >= limit:
            return Targets(found, has_more=answer.has_more)
        after = answer.hits[-1].place


def named_targets(ids: Sequence[str]) -> Targets:
    messages: list[int] = []
    conversations: list[UUID] = []
    for text in ids:
        kind, _, bare = text.rpartition(":")
        try:
            if kind in {"", "Message"} and NUMBER.fullmatch(bare):
                messages.append(int(bare))
                continue
            if kind in {"", "Conversation"}:
                conversations.append(UUID(bare))
                continue
        except ValueError:
            pass
        raise click.UsageError(f"{text!r} is no id of a message or a conversation")
    return Targets(list(dict.fromkeys(messages)), list(dict.fromkeys(conversations)))


def named(label: str) -> str | UUID:
    """By its id, if it is one; else by its name."""
    try:
        return UUID(label.removeprefix("Label:"))
    except ValueError:
        return label


@contextmanager
def opened(workspace: str) -> Iterator[tuple[Container, Context]]:
    """
    Raises:
        click.ClickException: with a sentence that says why something was refused.
    """
    with open_container(Settings.from_env()) as container:
        context = cli_context(workspace_named(container, workspace))
        container.runner.advance("labels")  # no worker may be there to do it
        try:
            yield container, context
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        container.runner.advance("labels")
