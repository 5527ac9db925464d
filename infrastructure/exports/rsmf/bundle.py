"""A selection as RSMF files, and all of them in one zip, from the beginning or from a place on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from psycopg import Connection

from domain.message import Message
from infrastructure.exports.rsmf.files import ExportedConversation, RsmfFile, day_of, rsmf_files
from infrastructure.exports.selected import Room, Selected, Spot, page, rooms
from infrastructure.exports.selection import Selection, require_unchanged
from infrastructure.exports.zip_stream import Directory, directory_entry, ending, local_header

T = TypeVar("T")
NOBODY = UUID(int=0)  # before every conversation


class Ask(Protocol):
    """Asks the read models something, on a connection that is held only for this."""

    def __call__(self, query: Callable[[Connection[Any]], T], /) -> T: ...


class Place(NamedTuple):
    """Where a file ended."""

    conversation_id: UUID
    spot: Spot  # its last message
    day: date
    part: int  # of the day, from 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Between two files of a zip, with all that is needed to go on from here."""

    place: Place
    offset: int  # bytes of the zip before it
    files: int  # before it
    directory: Directory
    entries: int  # bytes of the directory that speak of them


def files(
    ask: Ask, selection: Selection, after: Place | None = None
) -> Iterator[tuple[RsmfFile, Place]]:
    """
    One for each conversation and day, conversations in the order of their ids. A page of messages
    and one file are in memory.

    Raises:
        ChangedSinceError
    """
    last = NOBODY
    if after is not None:
        last = UUID(int=after.conversation_id.int - 1)
    while found := ask(partial(rooms, selection=selection, after=last)):
        for room in found:
            is_resumed = after is not None and room.conversation_id == after.conversation_id
            yield from files_of(ask, selection, room, after if is_resumed else None)
        last = found[-1].conversation_id


def files_of(
    ask: Ask, selection: Selection, room: Room, after: Place | None
) -> Iterator[tuple[RsmfFile, Place]]:
    spots: deque[Spot] = deque()

    def messages() -> Iterator[Message]:
        spot = None if after is None else after.spot
        while found := ask(partial(page, selection=selection, room=room, after=spot)):
            spot = found[-1].spot
            yield from kept(found)

    def kept(found: Any) -> Iterator[Message]:
        one: Selected
        for one in found:
            spots.append(one.spot)
            yield one.message

    exported = ExportedConversation(conversation=room.conversation, platform=room.format)
    parts = {} if after is None else {after.day: after.part}
    for file in rsmf_files(exported, messages(), parts=parts):
        spot = [spots.popleft() for _ in file.messages][-1]
        day = day_of(file.messages[0])
        yield file, Place(room.conversation_id, spot, day, parts[day])


def zipped(
    ask: Ask,
    selection: Selection,
    after: Cut | None = None,
    *,
    on_file: Callable[[RsmfFile], object] = lambda _: None,
) -> Iterator[tuple[bytes, Cut | None]]:
    """
    The bytes of the zip, each with the cut after it, where one is there.

    Raises:
        ChangedSinceError: if the selection changed meanwhile: what was made is not to be used.
    """
    directory = Directory() if after is None else after.directory
    offset, count, entries = (0, 0, 0) if after is None else (
        after.offset, after.files, after.entries
    )  # fmt: skip
    for file, place in files(ask, selection, None if after is None else after.place):
        content = list(file.pieces())
        header, facts, size = local_header(file.name, content)
        entry = directory_entry(facts, offset)
        directory.put(entries, entry)
        offset, count, entries = offset + size, count + 1, entries + len(entry)
        yield header, None
        for piece in content[:-1]:
            yield piece, None
        on_file(file)
        yield content[-1], Cut(place, offset, count, directory, entries)
    # Once more: a message that was moved out of the selection has left no trace in it.
    ask(partial(require_unchanged, selection=selection))
    for piece in directory.pieces(entries):
        yield piece, None
    yield ending(count, entries, offset), None
