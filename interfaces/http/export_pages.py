"""All bytes of an export, a page of rows at a time: the next is read when this one was taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.commands.make_export import MakeExport
from infrastructure.exports import messages
from infrastructure.log.frames import frames
from interfaces.http import export_rows as rows
from interfaces.http.export_answers import Exports, Pages
from interfaces.http.export_formats import (
    Row,
    Write,
    conversation_text,
    csv_header,
    csv_rows,
    jsonl,
)
from projections.audit_trail.queries import audit_trail

EVENTS_A_PAGE = 250
ENTRIES_A_PAGE = 500
MESSAGES_A_PAGE = 500
WRITERS: Mapping[str, Write] = {"jsonl": jsonl, "csv": csv_rows, "txt": conversation_text}
# From a place, the rows that follow it and the place after them; None: there are no more.
Read = Callable[[Connection[Any], Any], tuple[Sequence[Row], Any]]


async def pages(
    exports: Exports, format: str, columns: Sequence[str], beginning: Any, read: Read, place: Any
) -> Pages:
    """From a place on that an earlier page has named; None: all of it."""
    if place is None:
        place = beginning
        if format == "csv":
            yield csv_header(columns), place
    write = WRITERS[format]

    def page(connection: Connection[Any], place: Any) -> tuple[bytes, Any]:
        found, following = read(connection, place)
        return write(found), following

    while place is not None:
        piece, place = await exports.read(partial(page, place=place))
        if piece:
            yield piece, place


def event_pages(exports: Exports, command: MakeExport, workspace_id: UUID, place: Any) -> Pages:
    def read(connection: Connection[Any], after: int) -> tuple[Sequence[Row], Any]:
        if after >= command.up_to:
            return (), None
        found = frames(
            connection,
            workspace_id=workspace_id,
            after=after,
            up_to=command.up_to,
            topics=command.topics or None,
            limit=EVENTS_A_PAGE,
        )
        place = found[-1].position if len(found) == EVENTS_A_PAGE else None
        return [rows.event_row(frame) for frame in found], place

    return pages(exports, command.format, rows.EVENT, command.after, read, place)


def entry_pages(exports: Exports, command: MakeExport, workspace_id: UUID, place: Any) -> Pages:
    def read(connection: Connection[Any], after: int) -> tuple[Sequence[Row], Any]:
        found = audit_trail(connection, workspace_id, after=after, limit=ENTRIES_A_PAGE)
        kept = [row for row in found if row.position <= command.up_to]
        place = kept[-1].position if len(kept) == ENTRIES_A_PAGE else None
        return [rows.entry_row(row) for row in kept], place

    return pages(exports, command.format, rows.ENTRY, command.after, read, place)


def message_pages(exports: Exports, command: MakeExport, workspace_id: UUID, place: Any) -> Pages:
    conversation_id = command.conversation_id
    if conversation_id is None:
        raise ValueError("messages are those of a conversation")

    def read(connection: Connection[Any], after: Any) -> tuple[Sequence[Row], Any]:
        found = messages.page(
            connection,
            workspace_id,
            conversation_id,
            after=after,
            up_to=command.up_to,
            limit=MESSAGES_A_PAGE,
        )
        place = (found[-1].sent_at, found[-1].message_id) if found else None
        return [rows.message_row(row) for row in found], place

    return pages(exports, command.format, rows.MESSAGE, messages.BEGINNING, read, place)
