"""Reader of other chat logs: `[2024-01-01 10:00] name: text`, or just `name: text`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from application.ports.chat_reader import (
    DateOrder,
    DatesRead,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Author, Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.date_order import DateOrderVotes
from infrastructure.readers.drafts import Draft
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LineClock, LocalClock
from infrastructure.readers.reading import files_ending
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.stamps import Stamp, numeric_fields, parse_stamp
from infrastructure.readers.text_stream import read_lines, sniff_text

_STAMPED = re.compile(
    r"(\[)?(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
    r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:\s?[AaPp]\.?[Mm]\.?)?)?"
    r"(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)"
    r"(?(1)\])[ \t]*(?:[-–|:][ \t]+)?"
)
_NAMED = re.compile(r"(?:<([^<>\n]{1,80})>(?:\s|$)|([^:\n<>\[\]]{1,80}):(?:\s|$))")
# Without a time a line must look even more like speech: no quotes, no code.
_UNTIMED = re.compile(r"([^\W\d_][^:\n{}\[\]\"<>=/\\]{0,39}):(?:\s|$)")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES_ASKED = 200
_ENDINGS = (".txt", ".log", ".md")


class _Head(NamedTuple):
    stamp: str | None
    name: str | None
    text: str


@dataclass(slots=True)
class _Survey:
    lines: int = 0
    stamped: int = 0
    begins_stamped: bool = False
    untimed: int = 0
    names: set[str] = field(default_factory=set)
    votes: DateOrderVotes = field(default_factory=DateOrderVotes)

    def add(self, line: str) -> None:
        if not line.strip():
            return
        self.lines += 1
        if (head := _stamped(line)) is not None:
            self.stamped += head.name is not None
            self.begins_stamped |= self.lines == 1 and head.name is not None
            if head.stamp is not None and (fields := numeric_fields(head.stamp)) is not None:
                self.votes.add(*fields)
        elif (head := _untimed(line)) is not None:
            self.untimed += 1
            if head.name is not None and len(self.names) < _NAMES_ASKED:
                self.names.add(head.name)

    @property
    def is_stamped(self) -> bool:
        return self.begins_stamped or self.stamped * 20 > self.lines

    @property
    def is_speech(self) -> bool:
        """Few names, many lines: a table of settings has as many names as lines."""
        if self.untimed < 2 or self.untimed < self.lines * 0.6:
            return False
        return len(self.names) * 2 <= self.untimed or (self.lines <= 10 and len(self.names) == 2)


def _stamped(line: str) -> _Head | None:
    match = _STAMPED.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    named = _NAMED.match(rest)
    if named is None:
        return _Head(match[2], None, rest)
    return _Head(match[2], (named[1] or named[2]).strip() or None, rest[named.end() :])


def _untimed(line: str) -> _Head | None:
    match = _UNTIMED.match(line)
    return None if match is None else _Head(None, match[1].strip(), line[match.end() :])


class PlainTextReader:
    """
    Lines without a beginning of their own continue the message before. Where the file states
    no times, messages are put one second apart from 1970 on, in the file's order.
    """

    format = "text"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        files = files_ending(export, *_ENDINGS)
        if not files:
            return None
        found = _Survey()
        for line in sniff_text(files[0], SNIFF).split("\n"):
            found.add(line)
        if found.is_stamped:
            reason = "lines begin with a date and a name"
            return Recognition(self.format, 0.5, reason)
        if found.is_speech:
            return Recognition(self.format, 0.2, "lines begin with a name and a colon")
        return None

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        for file in files_ending(export, *_ENDINGS):
            yield from self._read_file(file, clock, options, facts)

    @staticmethod
    def _read_file(
        file: ExportFile, clock: LocalClock, options: ReadOptions, facts: ReadFacts
    ) -> Iterator[ReadItem]:
        found = _Survey()
        for line in read_lines(file, Repairs()):
            found.add(line)
        order: DateOrder = options.date_order or "dmy"
        if found.is_stamped and found.votes:
            doubt = None
            if options.date_order is None:
                order, doubt = found.votes.decide()
                if doubt is not None:
                    reason = f"dates were read as {'/'.join(order)} because {doubt}"
                    yield ReadWarning(file.name, None, f"{reason}; if wrong, state the date order")
            possible = found.votes.possible(order)
            facts.add_dates(DatesRead(file.name, order, possible, doubt))
        elif not found.is_stamped and found.untimed:
            reason = "states no times; messages were put one second apart from 1970 on, in order"
            yield ReadWarning(file.name, None, reason)
        yield from _Log(file, order, clock, is_stamped=found.is_stamped).read()


class _Log:
    def __init__(
        self, file: ExportFile, order: DateOrder, clock: LocalClock, *, is_stamped: bool
    ) -> None:
        self._file = file
        self._order = order
        self._clock = LineClock(clock)
        self._is_stamped = is_stamped
        self._keys = ContentKeys()
        title = file.name.rpartition("/")[2].rpartition(".")[0] or file.name
        self._conversation = Conversation(title, title, "unknown")

    def read(self) -> Iterator[ReadItem]:
        repairs = Repairs()
        draft: Draft | None = None
        head: _Head | None = None
        stamp: Stamp | None = None
        has_begun = False
        orphans = 0
        count = 0
        parse = _stamped if self._is_stamped else _untimed
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            found = parse(line)
            if found is None:
                if draft is not None:
                    draft.add(line)
                elif line.strip():
                    orphans += 1
                    if orphans == 1:
                        reason = "text that belongs to no message, left out"
                        yield ReadWarning(self._file.name, number, reason)
                continue
            if not has_begun:
                has_begun = True
                yield self._conversation
            if draft is not None and head is not None and stamp is not None:
                yield from self._finish(draft, head, stamp)
            draft, head = None, found
            try:
                stamp = self._stamp(found, count)
            except (ValueError, OverflowError) as error:
                yield ReadWarning(self._file.name, number, f"message skipped: {error}")
                continue
            count += 1
            draft = Draft(number, found.text)
        if draft is not None and head is not None and stamp is not None:
            yield from self._finish(draft, head, stamp)
        if orphans > 1:
            reason = f"{orphans} lines belong to no message and were left out"
            yield ReadWarning(self._file.name, None, reason)
        yield from repairs.warnings(self._file.name)

    def _stamp(self, head: _Head, count: int) -> Stamp:
        if head.stamp is None:
            return Stamp(_NO_TIME + timedelta(seconds=count), "day", "assumed", str(count))
        return parse_stamp(head.stamp, self._order, self._clock)

    def _finish(self, draft: Draft, head: _Head, stamp: Stamp) -> Iterator[ReadItem]:
        if draft.cut_lines:
            reason = f"a message too long: {draft.cut_lines} lines left out"
            yield ReadWarning(self._file.name, draft.line, reason)
        text = draft.head + draft.continuation
        name = head.name or ""
        conversation = self._conversation.id
        yield Message(
            conversation=conversation,
            key=self._keys.key(conversation, stamp.written, name, text),
            author=Author(name, name) if name else None,
            sent_at=stamp.at,
            precision=stamp.precision,
            zone=stamp.zone,
            kind="message" if name else "system",
            text=text,
        )
