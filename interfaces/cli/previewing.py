"""What a file on this machine holds, and what it would bring to the archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from application.ports.chat_reader import (
    AmbiguousFormatError,
    ChatReader,
    Export,
    FormatNotInstalledError,
    Recognition,
)
from application.preview import Preview, Previewer, read_options, undecided
from infrastructure.readers.containers.folder import PackedFolder
from infrastructure.readers.local_file import local_export
from infrastructure.readers.registry import Readers
from infrastructure.settings import Settings
from interfaces.cli.terminal import clean_line

CATCH_UP_SECONDS = 2.0  # perhaps no worker runs that would bring the archive up to date
MERGE_HELP = (
    "What may become part of conversations that are there: what is the same chat (auto), what the "
    "source's ids or names say (ids), nothing (never)."
)


def look(
    path: Path, options: Mapping[str, Any], previewer: Previewer, workspace: str | None = None
) -> Preview:
    """
    Args:
        workspace: whose archive it is compared with; None: it is not compared.

    Raises:
        UnreadableExportError: if the file cannot be read at all.
        click.UsageError: if there is no such format.
    """
    workspace_id = None if workspace is None else id_of(workspace)
    with opened(path) as (readers, export):
        try:
            reader, recognition = choose(readers, export, options.get("format"))
        except AmbiguousFormatError as error:
            return undecided(export, error)
        return previewer.look(
            reader,
            recognition,
            export,
            read_options(options),
            workspace_id=workspace_id,
            merge=options,
        )


@contextmanager
def opened(path: Path) -> Iterator[tuple[Readers, Export]]:
    """
    A file or a folder.

    Raises:
        UnreadableExportError, InstalledReaderError
    """
    readers = Readers()
    readers.say_what_is_left_out()
    source = local_export(path)
    with readers.open(source) as export:
        if isinstance(source, PackedFolder):
            export.warnings += source.warnings
        yield readers, export


def id_of(workspace: str) -> UUID:
    from domain.workspace import Workspace

    return Workspace.create_id(workspace)


def choose(
    readers: Readers, export: Export, format_name: str | None
) -> tuple[ChatReader, Recognition]:
    if format_name is None:
        return readers.recognise(export)
    try:
        return readers.by_format(format_name), Recognition(format_name, 1, "stated")
    except FormatNotInstalledError as error:
        if error.reason is not None:
            raise click.UsageError(clean_line(str(error))) from None
        known = ", ".join(readers.formats)
        raise click.UsageError(f"there is no format {format_name!r}; there are {known}") from None


@contextmanager
def archive_if_any(settings: Settings, *, is_wanted: bool) -> Iterator[Previewer | None]:
    """None: there is nothing to compare with. To look at a file does not make an archive."""
    is_there = settings.database_url is not None or (settings.data_dir / "postgres").exists()
    if not (is_wanted and is_there):
        yield None
        return
    # To look at a file without an archive takes no time to load what an archive needs.
    from infrastructure.bootstrap import open_container
    from infrastructure.comparing.comparer import ReadModelComparer

    with open_container(settings) as container:
        comparer = ReadModelComparer(
            container.pool,
            container.positions,
            container.pseudonyms,
            catch_up_seconds=CATCH_UP_SECONDS,
        )
        yield Previewer(comparer, container.merging_in)


def columns_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """
    Raises:
        click.UsageError: if one is not OURS=THEIRS.
    """
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.UsageError(f"--column needs OURS=THEIRS, not {pair!r}")
        columns[ours] = theirs
    return columns
