"""`chatledger status`: how the running system is doing, at a glance or all the time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
import orjson
from rich.console import Console
from rich.live import Live

from infrastructure.bootstrap import open_database, session_conninfo
from infrastructure.monitoring.status import StatusReader
from infrastructure.settings import Settings
from interfaces.cli.render_status import as_facts, screen
from interfaces.cli.terminal import clean_json


@click.command()
@click.option("--once", "is_once", is_flag=True, help="One look, then end.")
@click.option("--json", "is_json", is_flag=True, help="One look, as one JSON object.")
@click.option(
    "--every",
    "seconds",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0.2),
    help="Seconds between two looks.",
)
def status(*, is_once: bool, is_json: bool, seconds: float) -> None:
    """
    Show how the running system is doing, until stopped; once where there is no terminal.

    Reads the database, and the server's metrics if a server runs. The exit status is 0 if all that
    can be seen is well, 1 if something needs somebody's care or neither a server nor a worker runs.
    """
    settings = Settings.from_env()
    console = Console()
    with reader(settings) as found:
        if is_once or is_json or not console.is_terminal:
            look = found.look()
            if is_json:
                click.echo(clean_json(orjson.dumps(as_facts(look))))
            else:
                console.print(screen(look, None))
            sys.exit(0 if look.is_healthy and not look.is_down else 1)
        watch(found, console, seconds)


@contextmanager
def reader(settings: Settings) -> Iterator[StatusReader]:
    """Of a database that is named, as it is; the embedded server is started if it does not run."""
    with ExitStack() as stack:
        url = settings.database_url or stack.enter_context(open_database(settings))
        found = StatusReader(session_conninfo(url), settings.address)
        stack.callback(found.close)
        yield found


def watch(found: StatusReader, console: Console, seconds: float) -> None:
    """Until the process is told to stop."""
    before = found.look()
    with Live(screen(before, None), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(seconds)
            look = found.look()
            live.update(screen(look, before), refresh=True)
            before = look
