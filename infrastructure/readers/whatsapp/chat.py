"""The second pass over a chat: its messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from application.ports.chat_reader import DateOrder, ExportFile, ReadItem, ReadWarning
from domain.message import Attachment, Author, Conversation, Message, Precision
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.date_order import Triple, place
from infrastructure.readers.drafts import Draft
from infrastructure.readers.local_time import LineClock, LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines
from infrastructure.readers.whatsapp.calendars import gregorian
from infrastructure.readers.whatsapp.header_parser import HeaderParser
from infrastructure.readers.whatsapp.headers import Header, Shape
from infrastructure.readers.whatsapp.names import clean_name, split_author
from infrastructure.readers.whatsapp.notices import Content, interpret, poll_without_votes

_SAID_BY_PHONE = ("\u200e", "\u200f")  # marks before what the iPhone itself says
_KEPT = 10_000  # authors, and days


class _Moment(NamedTuple):
    written: str  # as it goes into keys: local
    at: datetime  # UTC
    precision: Precision
    shape: Shape


class ChatLines:
    """Reads the messages of one text file."""

    def __init__(
        self,
        file: ExportFile,
        conversation: Conversation,
        *,
        shapes: frozenset[Shape],
        order: DateOrder,
        clock: LocalClock,
        is_tight: bool,
        sizes: Mapping[str, int],
    ) -> None:
        """
        Args:
            is_tight: whether no space follows the colon after a name.
            sizes: bytes of the files that lie beside the chat, by name.
        """
        self._file = file
        self._conversation = conversation
        self._shapes = shapes
        self._order = order
        self._clock = LineClock(clock)
        self._zone = clock.zone
        self._colon = ":" if is_tight else ": "
        self._sizes = sizes
        self._keys = ContentKeys()
        self._authors: dict[str, Author] = {}  # by the name as it is written
        self._days: dict[Triple, date] = {}
        # Names are cut at the first colon, but the chat's own may have one.
        self._title = f"{conversation.title}{self._colon}" if ":" in conversation.title else None

    def read(self) -> Iterator[ReadItem]:
        """Messages in file order; warnings at the line they are about."""
        repairs = Repairs()
        parser = HeaderParser()
        beginning, latest = parser.beginning, parser.header
        shapes = self._shapes
        head: str | None = None  # first line of the message that has begun
        begun = 0  # its number
        rest: Draft | None = None  # with further lines, which few messages have
        last: Header | None = None
        moment: _Moment | None = None
        orphans = 0  # lines that belong to no message
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            if line.startswith(beginning):  # as most do: the call alone would cost as much
                header = latest
            else:
                header = parser.parse(line)
                beginning, latest = parser.beginning, parser.header
            if header is None or (header is not last and header.shape not in shapes):
                if head is not None:
                    rest = rest or Draft(begun, head)
                    rest.add(line)
                elif line.strip():
                    orphans += 1
                    if orphans == 1:
                        yield self._warning(number, "text that belongs to no message, left out")
                continue
            if rest is not None:
                yield from self._ended(head, rest, moment)
                head = rest = None
            elif head is not None and moment is not None:
                yield self._message(head, None, moment)
                head = None
            if header is not last:
                found = self._moment(header)
                if isinstance(found, str):
                    yield self._warning(number, found)
                    continue
                moment, last = found, header
            head, begun = line[header.end :], number
        yield from self._ended(head, rest, moment)
        if orphans > 1:
            yield self._warning(None, f"{orphans} lines belong to no message and were left out")
        yield from repairs.warnings(self._file.name)

    def _ended(
        self, head: str | None, rest: Draft | None, moment: _Moment | None
    ) -> Iterator[ReadItem]:
        """The message that has begun, if one has."""
        if head is None or moment is None:
            return
        if rest is not None and rest.cut_lines:
            reason = f"a message too long: {rest.cut_lines} lines left out"
            yield self._warning(rest.line, reason)
        yield self._message(head, rest, moment)

    def _moment(self, header: Header) -> _Moment | str:
        """A text says why there is none."""
        try:
            day = self._days.get(header.date) or self._day(header.date)
            local = datetime(day.year, day.month, day.day, *header.clock)  # noqa: DTZ001 - a phone's
            at = self._clock.utc(local)
        except (ValueError, OverflowError) as error:
            return f"a date that cannot be read ({error}); message skipped"
        precision: Precision = "second" if header.shape.has_seconds else "minute"
        return _Moment(local.isoformat(), at, precision, header.shape)

    def _day(self, written: Triple) -> date:
        if len(self._days) >= _KEPT:
            self._days.clear()
        day = self._days[written] = gregorian(place(written, self._order))
        return day

    def _warning(self, line: int | None, reason: str) -> ReadWarning:
        return ReadWarning(self._file.name, line, reason)

    def _message(self, head: str, rest: Draft | None, moment: _Moment) -> Message:
        at, precision = moment.at, moment.precision
        written, colon, text = head.partition(self._colon)
        author = self._authors.get(written) if colon and self._title is None else None
        if author is None:
            author, text = self._author_and_text(head, moment.shape)
        same = text  # as it goes into the key
        if rest is not None:
            text += rest.continuation
            same = poll_without_votes(text)
        conversation = self._conversation
        name = author.name if author is not None else ""
        key = self._keys.key(conversation.id, moment.written, name, same)
        zone = self._zone
        if author is None:
            return Message(
                *(conversation.id, key, None, at, precision, zone),
                kind="system",
                text=text.strip(),
            )
        content = interpret(text, is_bracketed=moment.shape.is_bracketed)
        if content is None:
            if name != conversation.title:
                return Message(conversation.id, key, author, at, precision, zone, "message", text)
            content = Content("message", text)
        kind = content.kind
        if author.name == conversation.title and not content.is_call:
            if conversation.kind == "group" and text.startswith(_SAID_BY_PHONE):
                kind = "system"
            if kind == "system":
                author = None  # the iPhone puts notices under the chat's own name
        return Message(
            *(conversation.id, key, author, at, precision, zone),
            kind=kind,
            text=content.text,
            attachments=self._sized(content.attachments) if content.attachments else (),
            extra=content.extra,
        )

    def _sized(self, attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
        return tuple(one._replace(size=self._sizes.get(one.name)) for one in attachments)

    def _author_and_text(self, head: str, shape: Shape) -> tuple[Author | None, str]:
        name: str | None
        if self._title is not None and head.startswith(self._title):
            name, text = self._conversation.title, head[len(self._title) :]
        else:
            is_tight = self._colon == ":"
            name, text = split_author(head, is_bracketed=shape.is_bracketed, is_tight=is_tight)
        return (None if name is None else self._author(name)), text

    def _author(self, written: str) -> Author:
        author = self._authors.get(written)
        if author is None:
            if len(self._authors) >= _KEPT:
                self._authors.clear()
            name = clean_name(written)
            author = self._authors[written] = Author(name, name)
        return author
