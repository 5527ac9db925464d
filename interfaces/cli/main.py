"""The command line: every command by name. Each is imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from interfaces.cli.ending import ending

# name -> where it is, what it does
COMMANDS = {
    "demo": ("interfaces.cli.demo:demo", "Ingest the bundled samples, search them, then serve."),
    "export": ("interfaces.cli.export:export", "Write messages to files: RSMF, JSON lines, CSV."),
    "ingest": ("interfaces.cli.ingest:ingest", "Upload chat exports and make them searchable."),
    "inspect": (
        "interfaces.cli.inspect:inspect",
        "Show what is in a file or a folder; store nothing.",
    ),
    "jobs": ("interfaces.cli.jobs:jobs", "List, retry and discard jobs."),
    "label": ("interfaces.cli.label:label", "Labels: put them on messages, and see them."),
    "migrate": ("interfaces.cli.migrate:migrate", "Bring the database's schema up to date."),
    "projection": ("interfaces.cli.projection:projection", "Read models: see, rebuild, roll back."),
    "readers": ("interfaces.cli.readers:readers", "List the formats that can be read here."),
    "search": ("interfaces.cli.search:search", "Search by meaning and by words."),
    "searches": (
        "interfaces.cli.searches:searches",
        "Your searches: history, replays, and those that you saved.",
    ),
    "serve": ("interfaces.cli.serve:serve", "Serve GraphQL and uploads until stopped."),
    "status": ("interfaces.cli.status:status", "Show how the running system is doing."),
    "uploads": ("interfaces.cli.uploads:uploads", "List uploads, or what happened to one."),
    "worker": ("interfaces.cli.worker:worker", "Work on jobs until stopped."),
}
QUIET = ("inspect", "readers")  # they use neither settings nor the database


class LazyGroup(click.Group):
    """Imports a command's module when it runs: `chatledger --help` must not load a model."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table: asking each command would import it."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in sorted(COMMANDS.items())])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """A wrong setting is no defect: one line says what to put right."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise  # `--help` ends this way, too
        except Exception as error:
            # Imported here: nothing but an error needs it.
            from interfaces.cli.errors import as_said

            if (said := as_said(error)) is None or said is error:
                raise
            raise said from error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:  # called by a program, such as a test, which will live on
            return super().main(*args, **kwargs)
        with ending():
            return super().main()


@click.group(cls=LazyGroup)
@click.version_option(package_name="chatledger")
@click.option("--verbose", is_flag=True, help="Log everything, exceptions with their messages.")
def main(*, verbose: bool) -> None:
    """Search your team's chat exports by meaning, and prove what was said."""
    # Imported here: `inspect` and `--help` start quickly without it.
    if verbose or click.get_current_context().invoked_subcommand not in QUIET:
        from infrastructure.monitoring.start import start_observing
        from infrastructure.settings import Settings

        role = click.get_current_context().invoked_subcommand or "command"
        start_observing(Settings.from_env(), role=role, is_verbose=verbose)
