"""Reader of the data package that Discord sends to people who request their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Message
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.discord.ordering import oldest_first
from infrastructure.readers.discord.package_files import (
    CHANNEL_FILE,
    UNNAMED_OWNER,
    PackagedChannel,
    explore,
    holds_messages,
)
from infrastructure.readers.discord.package_messages import PackagedMessages
from infrastructure.readers.discord.rows import read_rows
from infrastructure.readers.discord.snowflakes import SeenIds
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8, sniff

_HEAD = 8 * 1024  # bytes
_FILES_ASKED = 20
_NEEDED = frozenset({"ID", "Timestamp", "Contents"})


class DiscordPackageReader:
    """Times are UTC. A package holds only what its owner wrote."""

    format = "discord_package"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        reason = "messages with “ID”, “Timestamp” and “Contents”, as Discord sends them on request"
        if not export.is_packed:
            is_one = holds_messages(sniff(export.files[0], _HEAD))
            return Recognition(self.format, 0.9, reason) if is_one else None
        asked = 0
        for file in export.files:
            match = CHANNEL_FILE.fullmatch(file.name)
            if match is None or match["name"] == "channel.json":
                continue
            if holds_messages(sniff(file, _HEAD)):
                return Recognition(self.format, 0.95, f"a folder for each channel has {reason}")
            asked += 1
            if asked == _FILES_ASKED:
                break
        return None

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        found = explore(export)
        facts.owner = None if found.owner is UNNAMED_OWNER else found.owner.name
        yield from found.warnings
        markup = Markup(found.people, found.names)
        for channel in found.channels:
            messages = PackagedMessages(channel.conversation, found.owner, markup, clock, facts)
            yield from _Reading(channel, messages).read()


class _Reading:
    def __init__(self, channel: PackagedChannel, messages: PackagedMessages) -> None:
        self._channel = channel
        self._file = channel.messages
        self._messages = messages
        self._seen = SeenIds()

    def read(self) -> Iterator[ReadItem]:
        """The conversation comes with its first message, or alone if it is empty and whole."""
        is_told = False
        is_broken = False
        for item in oldest_first(self._items(), size=self._file.size):
            if isinstance(item, Message) and not is_told:
                is_told = True
                yield self._channel.conversation
            is_broken = is_broken or (isinstance(item, ReadWarning) and item.is_fatal)
            yield item
        if not is_told and not is_broken:
            yield self._channel.conversation

    def _items(self) -> Iterator[ReadItem]:
        is_json = _is_json(self._file)
        rows = _objects(self._file) if is_json else read_rows(self._file, needed=_NEEDED)
        for one in rows:
            if isinstance(one, ReadWarning):
                yield one
                continue
            line, raw = one
            try:
                message = self._messages.message(raw)
            except MALFORMED as error:
                reason = f"a message that is not as Discord writes it ({error!r}); skipped"
                yield ReadWarning(self._file.name, line, reason)
                continue
            if self._seen.add(message.key):
                yield message


def _is_json(file: ExportFile) -> bool:
    return sniff(file, 64).lstrip()[:1] == b"["


def _objects(file: ExportFile) -> Iterator[tuple[int, Any] | ReadWarning]:
    """The elements of a list, numbered from 1."""
    repairs = Repairs()
    number = 0
    try:
        with file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), repairs)
            for number, raw in enumerate(cursor.elements(), start=1):
                if isinstance(raw, Unparsed):
                    yield ReadWarning(file.name, number, raw.reason)
                else:
                    yield number, raw
    except BrokenJsonError as error:
        yield ReadWarning(file.name, number + 1, str(error), is_fatal=True)
    yield from repairs.warnings(file.name)
