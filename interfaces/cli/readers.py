"""`chatledger readers`: the formats that can be read here, and who reads them."""

from __future__ import annotations

import sys

import click
import orjson

from infrastructure.readers.registry import Readers
from interfaces.cli.terminal import clean_json, clean_line

_OWN = "Chatledger"


@click.command()
@click.option("--json", "is_json", is_flag=True, help="One JSON object for programs.")
def readers(*, is_json: bool) -> None:
    """
    List the formats that can be read here, and the packages that read them.

    Exit status 1 means that a reader is installed and cannot be used; it says why.
    """
    found = Readers()
    if is_json:
        facts = {
            "readers": [
                {"format": name, "version": version, "package": found.packages.get(name)}
                for name, version in found.versions.items()
            ],
            "left_out": [one._asdict() for one in found.left_out],
        }
        click.echo(clean_json(orjson.dumps(facts)))
    else:
        _print(found)
    sys.exit(1 if found.left_out else 0)


def _print(found: Readers) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("format", "version", "read by")
    for name, version in found.versions.items():
        table.add_row(name, str(version), escape(clean_line(found.packages.get(name, _OWN))))
    Console(highlight=False).print(table)
    for one in found.left_out:
        click.echo(clean_line(f"chatledger: {one}"), err=True)
