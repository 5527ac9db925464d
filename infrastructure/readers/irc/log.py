"""One log file: its lines become messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import ExportFile, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.irc.answers import Answers
from infrastructure.readers.irc.clock import NO_YEAR, LogClock, Moment
from infrastructure.readers.irc.codes import without_codes
from infrastructure.readers.irc.day_marks import day_mark, session_ident
from infrastructure.readers.irc.dialects import ADDRESSED, Dialect
from infrastructure.readers.irc.events import Event, event_of, is_marked, tabbed_event
from infrastructure.readers.irc.people import People
from infrastructure.readers.irc.places import NamedDay
from infrastructure.readers.irc.survey import Days, days_of
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

_WARNINGS = 100  # about lines of one file
_LEAVING = ("quit", "part")


class LogLines:
    """Reads the messages of one file, in the order of its lines."""

    def __init__(
        self,
        file: ExportFile,
        dialect: Dialect,
        *,
        conversation: Conversation,
        named: NamedDay | None,
        clock: LocalClock,
        keys: ContentKeys,
    ) -> None:
        self._file = file
        self._dialect = dialect
        self._conversation = conversation.id
        self._keys = keys
        self._days = Days() if dialect.form in ("dated", "epoch") else days_of(file, dialect)
        self._clock = LogClock(dialect.form, named, self._days, clock)
        self._people = People()
        self._answers = Answers()
        self._stamp: str | None = None  # of the line before, while it means the same moment
        self._moment: Moment | None = None
        self._strays = 0  # lines that belong to nothing
        self._first_stray = 0
        self._timeless = 0  # lines whose time is none

    def read(self) -> Iterator[ReadItem]:
        """Messages, and warnings at the line they are about or, of the whole file, at the end."""
        repairs = Repairs()
        conversation = self._conversation
        matches = self._dialect.message.match
        is_flagged = self._dialect.is_flagged
        rewritten = self._dialect.rewritten
        people, known = self._people, self._people.known
        moment_of, key_of = self._clock.moment, self._keys.key
        answered = self._answers.add
        last: str | None = None
        moment: Moment | None = None
        for number, raw in enumerate(read_lines(self._file, repairs), start=1):
            line = raw if raw.isprintable() else without_codes(raw)
            if rewritten is not None:
                line = rewritten(line) or line
            match = matches(line)
            if match is None:
                yield from self._other(number, line)
                last, moment = self._stamp, self._moment
                continue
            stamp, who, text, addressee = match.groups()
            if stamp != last or moment is None:
                try:
                    moment = self._moment = moment_of(stamp)
                except (ValueError, OverflowError) as error:
                    yield from self._without_time(number, error)
                    continue
                last = self._stamp = stamp
            author, extra = known.get(who) or people.person(who)
            if is_flagged and text[:1] in ("+", "-"):
                text, addressee, extra = self._unflagged(text, extra)
            at, written, precision, zone = moment
            nick = author.name
            key = key_of(conversation, written, nick, text)
            answers = answered(nick, key, at, addressee, text)
            # By position, which is faster: this is where most of the time goes.
            yield Message(
                conversation, key, author, at, precision, zone, "message", text, answers,
                None, None, (), (), (), extra,
            )  # fmt: skip
        yield from self._summary()
        yield from repairs.warnings(self._file.name)

    def _unflagged(
        self, text: str, extra: dict[str, Any] | None
    ) -> tuple[str, str | None, dict[str, Any]]:
        """dircproxy says by + or - whether the server knows who wrote."""
        rest = text[1:]
        match = ADDRESSED.match(rest)
        return rest, match and match[1], {**(extra or {}), "identified": text[0] == "+"}

    def _other(self, number: int, line: str) -> Iterator[ReadItem]:
        """A line that is no plain message."""
        if not line or line.isspace() or session_ident(line) is not None:
            return
        if (mark := day_mark(line)) is not None:
            self._clock.mark(mark)
            self._stamp = None
            if self._dialect.form is None:
                self._moment = None
            if mark.kind != "day":
                self._people.forget()
            return
        timed = self._dialect.timed.match(line) if self._dialect.form is not None else None
        body = line if timed is None else line[timed.end() :]
        if not body or (timed is None and not self._is_of_neighbours(line)):
            self._strays += 1
            self._first_stray = self._first_stray or number
            return
        try:
            if timed is not None:
                self._moment = self._clock.moment(timed[1])
                self._stamp = timed[1]
            elif self._moment is None:
                # What has no time of its own happened when its neighbours were written.
                self._moment = self._clock.moment(self._days.first or "")
        except (ValueError, OverflowError) as error:
            yield from self._without_time(number, error)
            return
        yield self._happened(self._event(body), self._moment)

    def _is_of_neighbours(self, line: str) -> bool:
        """Whether a line without a time tells of something, and another line has the time of it."""
        has_time = self._moment is not None or self._days.first is not None
        return is_marked(line) and (has_time or self._dialect.form is None)

    def _event(self, body: str) -> Event:
        if self._dialect.is_tabbed:
            column, tab, text = body.partition("\t")
            if tab:
                return tabbed_event(column, text)
        return event_of(body)

    def _happened(self, event: Event, moment: Moment) -> Message:
        author: Author | None = None
        extra: dict[str, Any] | None = None
        if event.nick:
            author, extra = self._people.person(event.nick)
        name = author.name if author else ""
        key = self._keys.key(self._conversation, moment.written, name, event.text)
        if event.kind == "action":
            self._answers.add(name, key, moment.at, None, event.text)
        elif event.name is not None:
            extra = {**(extra or {}), "event": event.name}
            self._follow(event, name, extra)
        return Message(
            *(self._conversation, key, author, moment.at, moment.precision, moment.zone),
            kind=event.kind,
            text=event.text,
            extra=extra,
        )

    def _follow(self, event: Event, nick: str, extra: dict[str, Any]) -> None:
        if event.new_nick:
            extra["new_nick"] = event.new_nick
            self._people.rename(nick, event.new_nick)
            self._answers.rename(nick, event.new_nick)
        elif event.name in _LEAVING:
            self._people.leave(nick)

    def _without_time(self, number: int, error: Exception) -> Iterator[ReadWarning]:
        self._timeless += 1
        if self._timeless <= _WARNINGS:
            yield ReadWarning(self._file.name, number, f"line skipped: {error}")

    def _summary(self) -> Iterator[ReadWarning]:
        name = self._file.name
        if self._strays:
            what = "a line belongs" if self._strays == 1 else f"{self._strays} lines belong"
            reason = f"{what} to no message and tell of nothing; left out"
            yield ReadWarning(name, self._first_stray, reason)
        if self._timeless > _WARNINGS:
            reason = f"{self._timeless - _WARNINGS} more lines skipped whose time is none"
            yield ReadWarning(name, None, reason)
        for reason in self._doubts():
            yield ReadWarning(name, None, reason)

    def _doubts(self) -> Iterator[str]:
        """What is not certain about the times of the file."""
        begin = self._clock.first_day.isoformat()
        if self._clock.lacks_day:
            yield (
                "neither a line nor the file's name says which day it is: the days were counted "
                f"from {begin} on, which is not true; name the file after its first day, such as "
                "2024-01-31.log, and read it again"
            )
        if self._clock.lacks_year:
            yield (
                f"nothing says which year it is: {NO_YEAR} was taken, which is not true; name the "
                "file after its first day, such as 2024-01-31.log, and read it again"
            )
        if self._clock.is_whole_day:
            yield (
                "the clock has twelve hours; the file begins at midnight and the clock goes "
                "around twice, so that its second round is the afternoon"
            )
        elif self._days.is_twelve_hours:
            yield (
                "the clock has twelve hours, and nothing says which times are before noon; "
                "they were kept as they are written"
            )
