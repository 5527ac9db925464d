"""Reader of what DiscordChatExporter writes: JSON, CSV and plain text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from application.ports.chat_reader import (
    DateOrder,
    DatesRead,
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.discord import csv_part, text_part
from infrastructure.readers.discord.csv_part import CsvPart
from infrastructure.readers.discord.dates import Dates, decided_order
from infrastructure.readers.discord.exports import HEAD, Channel, Part, explore, layout_of, likely
from infrastructure.readers.discord.json_part import JsonPart
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.discord.messages import ChannelMessages
from infrastructure.readers.discord.ordering import oldest_first
from infrastructure.readers.discord.people import People
from infrastructure.readers.discord.snowflakes import SeenIds
from infrastructure.readers.discord.text_part import TextPart
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.text_stream import sniff

_FILES_ASKED = 20  # of an archive


class DiscordReader:
    """
    JSON has ids and times with offsets. CSV and plain text have no ids of messages: there a
    message is known by its time as written, its author and its text.
    """

    format = "discord"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        heads = (sniff(file, HEAD) for file in islice(likely(export), _FILES_ASKED))
        claims = [claim[1:] for head in heads if (claim := layout_of(head)) is not None]
        return Recognition(self.format, *max(claims)) if claims else None

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        found = explore(export)
        yield from found.warnings
        people = People()
        markup = Markup(people, found.names)
        for channel in found.channels:
            yield from _Reading(channel, people, markup, clock, options, facts).read()


class _Reading:
    """All parts of one channel."""

    def __init__(
        self,
        channel: Channel,
        people: People,
        markup: Markup,
        clock: LocalClock,
        options: ReadOptions,
        facts: ReadFacts,
    ) -> None:
        self._channel = channel
        self._people = people
        self._markup = markup
        self._clock = clock
        self._order: DateOrder | None = options.date_order
        self._facts = facts
        self._seen = SeenIds()
        self._messages = ChannelMessages(channel.conversation, people, markup, clock, facts)
        self._keys = ContentKeys()
        self._export = ""  # that the keys are of

    def read(self) -> Iterator[ReadItem]:
        """The conversation comes with its first message, or alone if it is empty and whole."""
        if (doubt := self._decide_order()) is not None:
            yield doubt
        is_told = False
        is_broken = False
        parts = self._channel.parts
        items = chain.from_iterable(map(self._part, parts))
        for item in oldest_first(items, size=sum(part.file.size for part in parts)):
            if isinstance(item, Message) and not is_told:
                is_told = True
                yield self._channel.conversation
            is_broken = is_broken or (isinstance(item, ReadWarning) and item.is_fatal)
            yield item
        if not is_told and not is_broken:
            yield self._channel.conversation
        for part in self._channel.left_out:
            layout = self._channel.parts[0].layout.upper()
            reason = f"left out: the same channel is here as {layout}, which says more"
            yield ReadWarning(part.file.name, None, reason)

    def _part(self, part: Part) -> Iterator[ReadItem]:
        if part.layout == "json":
            yield from JsonPart(part, self._messages, self._seen, self._facts).read()
            return
        if part.export != self._export:
            # Equal messages are counted anew: those of overlapping exports get the same keys.
            self._export, self._keys = part.export, ContentKeys()
        dates = Dates(self._order or "dmy", self._clock)
        items = (
            CsvPart(part, self._keys, self._people, self._markup, dates, self._facts).read()
            if part.layout == "csv"
            else TextPart(part, self._keys, self._markup, dates).read()
        )
        for item in items:
            if not isinstance(item, Message) or self._seen.add(item.key):
                yield item

    def _decide_order(self) -> ReadWarning | None:
        """Which number of a date is the day, over all parts; a warning if that is not certain."""
        parts = self._channel.parts
        first = parts[0]
        if first.layout == "json" or (first.layout == "csv" and csv_part.is_iso(first)):
            return None
        times = csv_part.times_of if first.layout == "csv" else text_part.times_of
        order, doubt = decided_order(chain.from_iterable(map(times, parts)))
        if order is None:
            return None
        if self._order is None:
            self._order = order
        else:
            doubt = None
        others: tuple[DateOrder, ...] = () if doubt is None else ("dmy", "mdy")
        possible = (self._order, *(other for other in others if other != self._order))
        self._facts.add_dates(DatesRead(first.file.name, self._order, possible, doubt))
        if doubt is None:
            return None
        reason = f"dates were read as {'/'.join(order)} because {doubt}"
        return ReadWarning(first.file.name, None, f"{reason}; if wrong, state the date order")
