"""The command line: every command by name. Each is imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "demo": "interfaces.cli.demo:demo",
    "ingest": "interfaces.cli.ingest:ingest",
    "inspect": "interfaces.cli.inspect:inspect",
    "jobs": "interfaces.cli.jobs:jobs",
    "migrate": "interfaces.cli.migrate:migrate",
    "projection": "interfaces.cli.projection:projection",
    "search": "interfaces.cli.search:search",
    "serve": "interfaces.cli.serve:serve",
    "uploads": "interfaces.cli.uploads:uploads",
    "worker": "interfaces.cli.worker:worker",
}


class LazyGroup(click.Group):
    """Imports a command's module when it runs: `chatledger --help` must not load a model."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is not a command")
        return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="chatledger")
def main() -> None:
    """Search your team's chat exports by meaning, and prove what was said."""
