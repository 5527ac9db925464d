"""Lines of an export as they are read under each possible order of dates."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO

from application.ports.chat_reader import (
    ChatReader,
    DateOrder,
    DatesRead,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    UnreadableExportError,
)
from domain.message import Message

LINES = 5
TEXT_SHOWN = 200  # characters
_HEAD = 256 * 1024  # bytes of a file whose dates are read in more than one order
_MESSAGES = 2_000  # of that
_LOOKED_AHEAD = 50  # messages that another order may lack, for a date that it does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReading:
    order: DateOrder | None  # None: there is but one way to read the time
    at: str | None  # ISO 8601 in UTC; None: no such date


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLine:
    author: str | None
    text: str
    readings: tuple[SampleReading, ...]  # as it would be read at confirmation first


class Sampler:
    """Keeps the first messages that pass, for an export whose dates can be read in one way only."""

    def __init__(self) -> None:
        self._kept: list[Message] = []

    def add(self, item: ReadItem) -> None:
        if len(self._kept) < LINES and isinstance(item, Message) and item.kind != "system":
            self._kept.append(item)

    def lines(self, order: DateOrder | None) -> tuple[SampleLine, ...]:
        return tuple(
            _line(one, [SampleReading(order=order, at=one.sent_at.isoformat())])
            for one in self._kept
        )


def lines_in_each_order(
    reader: ChatReader, export: Export, options: ReadOptions, dates: DatesRead
) -> tuple[SampleLine, ...]:
    """From the beginning of the file; those first whose time differs."""
    head = next((_Head(export, file) for file in export.files if file.name == dates.file), None)
    if head is None:
        return ()
    read = [_messages(reader, head, replace(options, date_order=order)) for order in dates.possible]
    rows = list(_aligned(read))
    rows.sort(key=lambda row: len({None if one is None else one.sent_at for one in row}) == 1)
    lines: list[SampleLine] = []
    seen: set[tuple[object, ...]] = set()
    # First one line of each date: ten of the same say no more than one.
    for row in [*_of_new_dates(rows, seen), *rows]:
        if len(lines) == LINES or (first := row[0]) is None:
            break
        readings = [
            SampleReading(order=order, at=None if one is None else one.sent_at.isoformat())
            for order, one in zip(dates.possible, row, strict=True)
        ]
        line = _line(first, readings)
        if line not in lines:
            lines.append(line)
    return tuple(lines)


Row = Sequence[Message | None]


def _of_new_dates(rows: Iterable[Row], seen: set[tuple[object, ...]]) -> Iterator[Row]:
    for row in rows:
        days = tuple(None if one is None else one.sent_at.date() for one in row)
        if days not in seen:
            seen.add(days)
            yield row


def _line(message: Message, readings: Sequence[SampleReading]) -> SampleLine:
    text = message.text if len(message.text) <= TEXT_SHOWN else f"{message.text[:TEXT_SHOWN]}…"
    author = None if message.author is None else message.author.name
    return SampleLine(author=author, text=text, readings=tuple(readings))


def _messages(reader: ChatReader, export: Export, options: ReadOptions) -> list[Message]:
    try:
        found = _only_messages(reader.read(export, options, ReadFacts()))
        return list(islice(found, _MESSAGES))
    except UnreadableExportError:
        return []  # not one of its dates is there in this order


def _only_messages(items: Iterable[ReadItem]) -> Iterator[Message]:
    for item in items:
        if isinstance(item, Message) and item.kind != "system":
            yield item


def _aligned(read: Sequence[Sequence[Message]]) -> Iterator[Row]:
    """The same message in each reading; none where a reading has no such date."""
    first, *others = read
    places = [0] * len(others)
    for message in first:
        row: list[Message | None] = [message]
        for number, other in enumerate(others):
            ahead = other[places[number] : places[number] + _LOOKED_AHEAD]
            step = next((n for n, one in enumerate(ahead) if _is_same(one, message)), None)
            row.append(None if step is None else ahead[step])
            places[number] += 0 if step is None else step + 1
        yield row


def _is_same(one: Message, other: Message) -> bool:
    return (one.author, one.text) == (other.author, other.text)


@dataclass(frozen=True, slots=True)
class _HeadFile:
    """The beginning of a file."""

    file: ExportFile

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def size(self) -> int:
        return min(self.file.size, _HEAD)

    def open(self) -> BinaryIO:
        with self.file.open() as stream:
            return io.BytesIO(stream.read(_HEAD))


@dataclass(frozen=True, slots=True)
class _Head:
    """An export of the beginning of one file alone."""

    export: Export
    file: ExportFile
    warnings: Sequence[ReadWarning] = ()
    breaks: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.export.name

    @property
    def files(self) -> Sequence[ExportFile]:
        return (_HeadFile(self.file),)

    @property
    def is_packed(self) -> bool:
        return self.export.is_packed
