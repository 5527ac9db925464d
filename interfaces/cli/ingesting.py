"""Files in, a searchable archive out, with a bar that shows how far it has come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from application.commands.carry_labels import CarryLabels
from application.commands.create_workspace import CreateWorkspace
from application.commands.join_conversations import JoinConversations
from application.commands.receive_upload import ReceiveUpload
from application.context import Context
from domain.upload import Upload
from infrastructure.container import Container
from infrastructure.projections import registry
from infrastructure.readers.containers.folder import PackedFolder
from infrastructure.readers.local_file import local_export
from interfaces.cli.terminal import clean_line
from projections.uploads.queries import UploadRow, upload
from projections.uploads.queries import uploads as latest_uploads

CHUNK = 1024 * 1024  # bytes
POLL_SECONDS = 0.2
CATCH_UP_SECONDS = 60
LOOKED_AT = 1_000  # uploads of a workspace, the latest
SETTLED = frozenset({"searchable", "rejected", "failed", "withdrawn", "refused"})
OPEN = {
    "date_order": "its dates can be read in more than one order",
    "format": "more than one format claims it",
}
SEARCHED = ("messages", "vectors", "conversations", "authors", "labels")
NEEDED = ("uploads", *SEARCHED)


class Sent(NamedTuple):
    """A file that was uploaded."""

    name: str
    position: int  # of the event: what the read model says of it before that is of an earlier try
    notice: str | None = None  # what the sender should know about how it was taken


class ReadModelStandsStillError(click.ClickException):
    """Without it nobody can see how the upload gets on."""


def send(
    container: Container, path: Path, *, context: Context, options: Mapping[str, Any]
) -> tuple[UUID, Sent]:
    """
    Upload one file, or a folder as an archive of it. Returns its id and what `follow` needs.

    Raises:
        UnreadableExportError: if it cannot be read, or changes meanwhile.
        UploadRefusedError
    """
    source = local_export(path)
    command = ReceiveUpload(filename=source.name, options=options)
    with (
        source.open() as stream,
        container.receive_upload.begin(command, context, announced=source.size) as receiving,
    ):
        for chunk in chunks(stream):
            receiving.write(chunk)
        accepted = receiving.finish()
    notices = [notice_of(accepted.result)]
    if isinstance(source, PackedFolder):
        notices += [f"{one.file}: {one.reason}" for one in source.warnings]
    sent = Sent(source.name, accepted.position, "; ".join(filter(None, notices)) or None)
    return UUID(accepted.result["upload_id"]), sent


def notice_of(result: Mapping[str, Any]) -> str | None:
    if result.get("options_ignored"):
        return (
            "it was uploaded before, and stays as it was read then: the options given now are "
            "ignored. `chatledger uploads withdraw` it first to have it read otherwise"
        )
    if before := result.get("after_withdrawal_of"):
        return f"it was withdrawn before, as upload {before}, and is a new upload now"
    return None


def chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def ensure_workspace(container: Container, name: str, context: Context) -> UUID:
    accepted = container.create_workspace(CreateWorkspace(name=name), context)
    return UUID(str(accepted.result["workspace_id"]))


def follow(
    container: Container, workspace_id: UUID, uploads: Mapping[UUID, Sent], console: Console
) -> list[UploadRow]:
    """
    Show the progress of these uploads until each is searchable or has come to grief, and so of
    those that are read again because of them.

    Raises:
        ReadModelStandsStillError: if that would never be seen.
    """
    rows = seen = watch(container, workspace_id, uploads, console)
    read = [*rows]
    while again := read_again(container, workspace_id, seen):
        console.print(
            "Conversations of the archive have turned out to be one: what brought them is read "
            "again.",
            soft_wrap=True,
        )
        seen = watch(container, workspace_id, again, console)
        read += seen
    for row in read:
        if row.stage == "searchable":  # and if no job has done it yet
            container.labels.carry(CarryLabels(upload_id=row.upload_id))
    position = max((row.position for row in read), default=0)
    if len(read) > len(rows):  # then labels may have been carried over, too
        position = container.archive.event_log.head()
    if not container.positions.wait(SEARCHED, position, timeout_seconds=CATCH_UP_SECONDS):
        require_read_models(container)
        console.print(
            "The read models have not caught up yet: `chatledger projection status`.",
            style="yellow",
        )
    return rows


def read_again(
    container: Container, workspace_id: UUID, rows: Iterable[UploadRow]
) -> dict[UUID, Sent]:
    """What is on its way in the workspace because one of these uploads joins conversations."""
    archive = container.archive
    searchable = [row.upload_id for row in rows if row.stage == "searchable"]
    joining = [id for id in searchable if archive.load(Upload, id).joins]
    for id in joining:
        container.join_conversations(JoinConversations(upload_id=id))  # if no job has done it yet
    if not joining:
        return {}
    container.positions.wait(
        ("uploads",), archive.event_log.head(), timeout_seconds=CATCH_UP_SECONDS
    )
    with container.pool.connection() as connection:
        found = latest_uploads(connection, workspace_id, limit=LOOKED_AT)
    return {row.upload_id: Sent(row.filename, row.position) for row in found if not is_settled(row)}


def watch(
    container: Container, workspace_id: UUID, uploads: Mapping[UUID, Sent], console: Console
) -> list[UploadRow]:
    """
    Raises:
        ReadModelStandsStillError
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {
            id_: progress.add_task(f"{shown(sent.name)}: received", total=None)
            for id_, sent in uploads.items()
        }
        while True:
            rows = look(container, workspace_id, uploads)
            for row in rows:
                show(progress, bars[row.upload_id], row)
            if len(rows) == len(uploads) and all(is_settled(row) for row in rows):
                break
            require_read_models(container)
            time.sleep(POLL_SECONDS)
    return rows


def is_settled(row: UploadRow) -> bool:
    """Nothing happens to it any more by itself."""
    return row.stage in SETTLED or bool(row.questions)


def look(container: Container, workspace_id: UUID, uploads: Mapping[UUID, Sent]) -> list[UploadRow]:
    """Those that the read model knows of already."""
    with container.pool.connection() as connection:
        rows = [upload(connection, workspace_id, id_) for id_ in uploads]
    return [row for row in rows if row and row.position >= uploads[row.upload_id].position]


def require_read_models(container: Container) -> None:
    """
    Raises:
        ReadModelStandsStillError: if one that is needed is halted, or was made by another release.
    """
    current = {model.name: model.code_version for model in container.runner.models}
    with container.pool.connection() as connection:
        versions = [registry.read_version(connection, name) for name in NEEDED]
    for version in versions:
        name = version.name
        if version.code_version != current[name]:
            raise ReadModelStandsStillError(
                f"the read model {name} is outdated, and shows nothing new until it is rebuilt: "
                f"`chatledger projection rebuild {name}`"
            )
        if version.status == "halted":
            raise ReadModelStandsStillError(
                f"the read model {name} is halted behind position {version.position}: "
                f"`chatledger projection status` says why, and after a fix "
                f"`chatledger projection resume {name}` goes on"
            )


def show(progress: Progress, bar: TaskID, row: UploadRow) -> None:
    known = None if row.messages is None else row.messages + (row.system or 0)
    match row.stage:
        case "inspected" | "reading":
            step, done, total = "reading", row.messages_recorded, known
        case "read":
            step, done, total = "embedding", row.texts_embedded, row.texts
        case "searchable":
            step, done, total = "searchable", row.texts_embedded, row.texts
        case stage:
            step, done, total = stage, 0, known
    description = f"{shown(row.filename)}: {step}"
    progress.update(bar, description=description, completed=done, total=total)


def shown(name: str) -> str:
    """In a text where brackets are markup."""
    return escape(clean_line(name))


def held_back(row: UploadRow) -> str:
    """What is to be said, and how."""
    says = [OPEN[question] for question in row.questions if question in OPEN]
    how = "".join(
        f" --{question.replace('_', '-')} …" for question in row.questions if question in OPEN
    )
    why = " and ".join(says) or "it waits to be confirmed"
    id = row.upload_id
    return (
        f"held back: {why}. `chatledger uploads preview {id}` shows what it holds, "
        f"`chatledger uploads confirm {id}{how}` has it read"
    )


def outcome(row: UploadRow) -> str:
    """One line, without anything that would drive a terminal."""
    if row.questions:
        return clean_line(f"{row.filename}: {held_back(row)}")
    if row.stage != "searchable":
        return clean_line(f"{row.filename}: {row.stage}: {row.error}")
    text = (
        f"{clean_line(row.filename)}: {row.messages:,} messages of {row.authors:,} people in "
        f"{row.conversations:,} conversations ({row.format})"
    )
    if row.warnings:
        text += f", {len(row.warnings)} warnings: `chatledger uploads {row.upload_id}`"
    if row.is_complete is False:
        text += "; the file is broken: what came before the break was kept"
    return text
