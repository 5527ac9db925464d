"""Exports at the command line: pinned to a position, recorded, and written while a bar moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
from psycopg import Connection
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from application.commands.make_export import MakeExport, MessageSelection
from application.context import Context
from domain.transcript import Transcript
from domain.upload import Upload
from infrastructure.container import Container
from infrastructure.exports import messages
from infrastructure.exports.rsmf.bundle import Cut, files, zipped
from infrastructure.exports.rsmf.files import RsmfFile
from infrastructure.exports.selection import (
    Selection,
    UnknownConversationError,
    require_unchanged,
    selection_of,
)
from infrastructure.log.frames import frames
from infrastructure.projections.registry import read_version
from interfaces.cli.complete_files import complete_file, complete_folder
from interfaces.http.export_formats import conversation_text, csv_header, csv_rows, jsonl
from interfaces.http.export_rows import MESSAGE, message_row
from projections.wording import counted, size_in_words

T = TypeVar("T")
CATCH_UP_SECONDS = 2.0  # for what was recorded just now
MESSAGES_A_PAGE = 500
WRITERS = {"jsonl": jsonl, "csv": csv_rows, "txt": conversation_text}


# What to write, where to, whether over an earlier one, what to call on the way. Returns whether
# there was anything.
Writer = Callable[[MakeExport, Path, bool, Callable[[], None]], bool]


class Exporting:
    def __init__(self, container: Container, context: Context, workspace_id: UUID) -> None:
        self._container = container
        self._context = context
        self._workspace_id = workspace_id
        self._files, self._messages, self._bytes = 0, 0, 0

    def pin(self) -> int:
        """The position that the read models have reached; says so where that is not everything."""
        look = partial(reached_by, workspace_id=self._workspace_id)
        position, is_behind = self._ask(look)
        if is_behind:
            head = self._container.archive.event_log.head()
            self._container.positions.wait(messages.MODELS, head, CATCH_UP_SECONDS)
            position, is_behind = self._ask(look)
        if is_behind:
            click.echo(
                "not everything in the log can be read yet: this export ends at position "
                f"{position:,}; is a worker running?",
                err=True,
            )
        return position

    def write(self, command: MakeExport, output: Path, *, is_folder: bool, is_forced: bool) -> bool:
        """
        Returns whether there was anything to write.

        Raises:
            ChangedSinceError, OutputError, SelectionError
        """
        if command.kind == "rsmf":
            selection = self._selection(command)
            write: Writer = partial(self._write_folder if is_folder else self._write_zip, selection)
        else:
            write = self._write_conversation
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("reading …", total=None)
            is_something = write(
                command, output, is_forced, lambda: progress.update(task, description=self._done())
            )
        if is_something:
            click.echo(f"{output}: {self._done()}, as of position {command.up_to:,}")
        return is_something

    def _selection(self, command: MakeExport) -> Selection:
        asked = command.selection or MessageSelection()
        found: Selection = self._ask(
            partial(selection_of, asked=asked, workspace_id=self._workspace_id, up_to=command.up_to)
        )
        if found.lost_hits:
            click.echo(
                f"{counted(found.lost_hits, 'hit')} of the search cannot be exported any more: "
                "the upload was withdrawn",
                err=True,
            )
        return found

    def _write_folder(
        self,
        selection: Selection,
        command: MakeExport,
        output: Path,
        is_forced: bool,  # noqa: FBT001 - one of several writers of one shape
        on_progress: Callable[[], None],
    ) -> bool:
        found = files(self._ask, selection)
        first = next(found, None)
        if first is None:
            return False
        self._record(command)
        with complete_folder(output, is_forced=is_forced) as folder:
            for file, _ in chain([first], found):
                with (folder / file.name).open("xb") as target:
                    for piece in file.pieces():
                        target.write(piece)
                        self._bytes += len(piece)
                self._count(file)
                on_progress()
            self._ask(partial(require_unchanged, selection=selection))
        return True

    def _write_zip(
        self,
        selection: Selection,
        command: MakeExport,
        output: Path,
        is_forced: bool,  # noqa: FBT001
        on_progress: Callable[[], None],
    ) -> bool:
        pieces = zipped(self._ask, selection, on_file=self._count)
        first: list[tuple[bytes, Cut | None]] = [next(pieces)]
        if not first[0][0].startswith(b"PK\x03\x04"):
            return False
        self._record(command)
        with complete_file(output, is_forced=is_forced) as target:
            for piece, cut in chain(first, pieces):
                target.write(piece)
                self._bytes += len(piece)
                if cut is not None:
                    on_progress()
        return True

    def _write_conversation(
        self,
        command: MakeExport,
        output: Path,
        is_forced: bool,  # noqa: FBT001
        on_progress: Callable[[], None],
    ) -> bool:
        found = self._pages(command)
        first = next(found, None)
        if first is None:
            return False
        self._record(command)
        self._files = 1
        with complete_file(output, is_forced=is_forced) as target:
            if command.format == "csv":
                target.write(csv_header(MESSAGE))
            for rows in chain([first], found):
                piece = WRITERS[command.format]([message_row(row) for row in rows])
                target.write(piece)
                self._messages += len(rows)
                on_progress()
            self._bytes = target.tell()
        return True

    def _pages(self, command: MakeExport) -> Iterator[Any]:
        conversation_id = command.conversation_id
        if conversation_id is None:
            raise ValueError("messages are those of a conversation")
        workspace_id, up_to = self._workspace_id, command.up_to
        if self._ask(lambda read: messages.title(read, workspace_id, conversation_id)) is None:
            raise UnknownConversationError(f"this workspace has no conversation {conversation_id}")
        ask = partial(
            messages.page,
            workspace_id=workspace_id,
            conversation_id=conversation_id,
            up_to=up_to,
            limit=MESSAGES_A_PAGE,
        )
        after = messages.BEGINNING
        while rows := self._ask(partial(ask, after=after)):
            after = (rows[-1].sent_at, rows[-1].message_id)
            yield rows
        self._ask(
            lambda read: messages.require_unchanged(read, workspace_id, conversation_id, up_to)
        )

    def _record(self, command: MakeExport) -> None:
        self._container.make_export(command, self._context)

    def _count(self, file: RsmfFile) -> None:
        self._files += 1
        self._messages += len(file.messages)

    def _done(self) -> str:
        return (
            f"{counted(self._files, 'file')}, {counted(self._messages, 'message')}, "
            f"{size_in_words(self._bytes)}"
        )

    def _ask(self, query: Callable[[Connection[Any]], T]) -> T:
        with self._container.pool.connection() as connection:
            return query(connection)


def reached_by(connection: Connection[Any], *, workspace_id: UUID) -> tuple[int, bool]:
    """The position that everything exported has reached, and whether messages came after it."""
    position = min(read_version(connection, name).position for name in messages.MODELS)
    topics = [Transcript.Recorded.TOPIC, Upload.Withdrawn.TOPIC]
    later = frames(connection, workspace_id=workspace_id, after=position, topics=topics, limit=1)
    return position, bool(later)
