"""`chatledger projection`: the read models, how far they are, and building them anew."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from application.commands.operate_projection import OperateProjection, OperateProjectionHandler
from application.commands.rebuild_projection import RebuildProjection, RollBackProjection
from application.ports.projections import (
    NothingToRollBackToError,
    RebuildRunningError,
    UnknownProjectionError,
)
from domain.projection import OperationRunningError, Projection
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.projections import registry
from infrastructure.projections.progress import OnProgress, RebuildProgress
from infrastructure.projections.registry import VersionStatus
from infrastructure.projections.upkeep import Upkeep
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context

REFUSALS = (
    NothingToRollBackToError,
    OperationRunningError,
    RebuildRunningError,
    UnknownProjectionError,
)


@click.group()
def projection() -> None:
    """See the read models, and build them anew from the log."""


@projection.command("list")
def list_projections() -> None:
    """List the read models and the version of each that is read."""
    with open_container(Settings.from_env()) as container:
        entries = read_status(container)
        current = {model.name: model.code_version for model in container.runner.models}
    table = Table("projection", "version", "definition", "status")
    for entry in entries:
        if entry.is_read:
            version, definition = str(entry.version), str(entry.code_version)
            if entry.name not in current:
                definition += ", unknown to this release"
            elif entry.code_version != current[entry.name]:
                definition += f", outdated: {current[entry.name]} is current"
            table.add_row(entry.name, version, definition, entry.status)
    Console().print(table)


@projection.command()
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
def status(*, is_json: bool) -> None:
    """Show how far each version is behind the log, and what stopped it."""
    with open_container(Settings.from_env()) as container:
        entries = read_status(container)
    if is_json:
        for entry in entries:
            facts = dataclasses.asdict(entry)
            facts |= {"lag_events": entry.lag_events, "progress": entry.progress}
            click.echo(json.dumps(facts, default=str))
        return
    console = Console()
    console.print(status_table(entries))
    for entry in entries:
        if entry.has_failed:
            place = f"{entry.name} {entry.version} at {entry.failed_position}"
            console.print(f"{place} ({entry.failed_topic}): {entry.error}", markup=False)


@projection.command()
@click.argument("name", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every read model, one after the other.")
def rebuild(*, name: str | None, is_all: bool) -> None:
    """Build a read model anew beside the one that is read, then swap them."""
    if is_all == (name is not None):
        raise click.UsageError("Name one projection, or say --all.")
    with open_container(Settings.from_env()) as container:
        for each in container.runner.names if name is None else [name]:
            swap(container, RebuildProjection(name=each), "rebuilt")


@projection.command()
@click.argument("name")
def rollback(name: str) -> None:
    """Let readers see the version before again, brought up to date."""
    with open_container(Settings.from_env()) as container:
        swap(container, RollBackProjection(name=name), "rolled back")


@projection.command()
@click.argument("name")
def forget(name: str) -> None:
    """Drop the version before, which is kept up to date to roll back to."""
    with open_container(Settings.from_env()) as container, refusals():
        dropped = container.rebuilder.forget(name)
    found = ", ".join(map(str, dropped))
    click.echo(f"Dropped version {found} of {name}." if dropped else "There is nothing to drop.")


@projection.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on with the event that halted a read model, after a fix."""
    with open_container(Settings.from_env()) as container, refusals():
        if not container.runner.resume(name):
            click.echo(f"{name} was not halted.")
            return
        while container.runner.advance(name):
            pass
        for entry in read_status(container):
            if entry.name == name and entry.status == "halted":
                raise click.ClickException(
                    f"{name} halted again at position {entry.failed_position}: {entry.error}"
                )
        click.echo(f"{name} is up to date.")


def read_status(container: Container) -> list[VersionStatus]:
    with container.pool.connection() as connection:
        return registry.status(connection)


def status_table(entries: list[VersionStatus]) -> Table:
    table = Table("projection", "version", "status", "position", "behind", "for", "in it")
    for entry in entries:
        table.add_row(
            entry.name,
            str(entry.version),
            f"{entry.status} ({entry.stage})" if entry.stage else entry.status,
            f"{entry.position:,}",
            f"{entry.lag_events:,}" if entry.lag_events else "",
            f"{entry.lag_seconds:.1f} s" if entry.lag_events else "",
            f"{entry.progress:.0%}",
        )
    return table


def swap(container: Container, command: RebuildProjection | RollBackProjection, done: str) -> None:
    """
    Record the wish, and see to it here: with a bar, and whether or not there is a worker.

    A worker that is quicker does it instead; one that comes later finds nothing left to do.
    """
    name, started = command.name, time.monotonic()
    with refusals(), progress_bar(name) as on_progress:
        accepted = container.rebuild_projection(command, cli_context(None))
        upkeep = Upkeep(container.rebuilder, on_progress)
        operate = OperateProjectionHandler(container.archive, upkeep)
        wish = int(accepted.result["wish"])
        operate(OperateProjection(name=name, wish=wish), should_stop=lambda: False)
    require_success(container, name, wish, accepted.position)
    seconds = time.monotonic() - started
    with container.pool.connection() as connection:
        version = registry.read_version(connection, name).version
    click.echo(f"{name} is {done}: version {version} is read now ({seconds:.1f} s).")


def require_success(container: Container, name: str, wish: int, position: int) -> None:
    """
    Args:
        position: at which it was asked for.

    Raises:
        click.ClickException: if this wish has failed.
    """
    failed = Projection.OperationFailed.TOPIC
    reader = container.runner.stepper.reader
    with container.pool.connection() as connection:
        head = reader.head(connection)
        page = reader.page(connection, after=position, up_to=head, topics=[failed], limit=100)
    for recorded in page.events:
        if (recorded.event.name, recorded.event.wish) == (name, wish):
            raise click.ClickException(recorded.event.reason)


@contextmanager
def progress_bar(name: str) -> Iterator[OnProgress]:
    """On standard error: what a program reads stays clean."""
    columns = (
        TextColumn("{task.fields[name]} {task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=0, name=name)

        def show(step: RebuildProgress) -> None:
            progress.update(task, description=step.stage, completed=step.position, total=step.head)

        yield show


@contextmanager
def refusals() -> Iterator[None]:
    """What was refused with a sentence of its own is no crash."""
    try:
        yield
    except REFUSALS as error:
        raise click.ClickException(str(error)) from None
