"""The second pass over a LINE file: its messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from application.ports.chat_reader import DateOrder, ExportFile, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.date_order import Triple, place
from infrastructure.readers.drafts import Draft
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.line.contents import Content, content_of, taken_back_by
from infrastructure.readers.line.headings import day_of
from infrastructure.readers.line.lines import Head, QuotedText, head_of, opens, unquoted
from infrastructure.readers.local_time import LineClock, LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

_AUTHORS_KEPT = 10_000


class _Begun(NamedTuple):
    """A message whose lines are still coming."""

    head: Head
    day: Triple | None  # year, month, day
    draft: Draft


class ChatLines:
    """Reads the messages of one text file."""

    def __init__(
        self,
        file: ExportFile,
        conversation: Conversation,
        *,
        order: DateOrder,
        clock: LocalClock,
    ) -> None:
        self._file = file
        self._conversation = conversation
        self._order = order
        self._clock = LineClock(clock)
        self._keys = ContentKeys()
        self._authors: dict[str, Author] = {}
        self._day: Triple | None = None
        self._begun: _Begun | None = None
        self._quoted: QuotedText | None = None  # begun, and perhaps only its own quotation mark
        self._after_blank = True
        self._left_out = 0  # lines
        self._is_told = False

    def read(self) -> Iterator[ReadItem]:
        """The conversation, messages in file order, and warnings at the line they are about."""
        repairs = Repairs()
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            head = head_of(line)
            if self._quoted is not None:
                if head is None and self._quoted.size < MESSAGE_LIMIT:
                    if self._quoted.add(line):
                        yield from self._finish(self._quoted.text)
                    continue
                yield from self._unquote()
            if head is None:
                yield from self._continue(line)
                continue
            yield from self._finish()
            text = line[head.end :]
            self._begun = _Begun(head, self._day, Draft(number, text))
            self._quoted = QuotedText(text) if opens(text) else None
            self._after_blank = False
        if self._quoted is not None and "\n" in self._quoted.text:
            yield from self._finish(self._quoted.text)
            reason = "the file ends within a text of several lines"
            yield ReadWarning(self._file.name, None, reason, is_fatal=True)
        yield from self._unquote()
        yield from self._finish()
        if self._left_out > 1:
            reason = f"{self._left_out} lines have no date or belong to no message; left out"
            yield ReadWarning(self._file.name, None, reason)
        yield from repairs.warnings(self._file.name)

    def _unquote(self) -> Iterator[ReadItem]:
        """The mark was the text's own: what was taken for its other lines is looked at again."""
        if self._quoted is not None:
            lines = self._quoted.lines[1:]
            self._quoted = None
            for line in lines:
                yield from self._continue(line)

    def _continue(self, line: str) -> Iterator[ReadItem]:
        """A line that begins no message."""
        day = day_of(line)
        if day is not None and (day.weekday is not None or self._after_blank):
            yield from self._finish()
            self._day = place(day.fields, "ymd" if day.is_year_first else self._order)
        elif self._begun is not None:
            self._begun.draft.add(line)
        elif line.strip() and self._day is not None:
            self._left_out += 1
            if self._left_out == 1:
                yield ReadWarning(self._file.name, None, "text of no message, left out")
        self._after_blank = not line.strip()

    def _finish(self, text: str | None = None) -> Iterator[ReadItem]:
        """
        The message that was begun, if there is one.

        Args:
            text: as it is, where it was in quotation marks; else it is made of the lines.
        """
        begun, self._begun, self._quoted = self._begun, None, None
        if begun is None:
            return
        draft = begun.draft
        try:
            local = _local(begun)
            at = self._clock.utc(local)
        except (ValueError, OverflowError) as error:
            yield ReadWarning(self._file.name, draft.line, f"message skipped: {error}")
            return
        if draft.cut_lines:
            reason = f"a message too long: {draft.cut_lines} lines left out"
            yield ReadWarning(self._file.name, draft.line, reason)
        if text is None:
            text = draft.head + draft.continuation if draft.continuation else unquoted(draft.head)
        if not self._is_told:
            self._is_told = True
            yield self._conversation
        name = begun.head.name or ""
        author, content = self._understood(name, text)
        conversation = self._conversation.id
        key = self._keys.key(conversation, local.isoformat(), name, text)
        yield Message(
            *(conversation, key, author, at, "minute", self._clock.zone),
            kind=content.kind,
            text=content.text,
            attachments=content.attachments,
        )

    def _understood(self, name: str, text: str) -> tuple[Author | None, Content]:
        if name:
            return self._author(name), content_of(text, name)
        who = taken_back_by(text)
        if who is None:
            return None, Content("system", text.strip())
        # Only somebody who has written: the words around the name differ by language.
        return self._authors.get(who), Content("deleted", "")

    def _author(self, name: str) -> Author:
        author = self._authors.get(name)
        if author is None:
            if len(self._authors) >= _AUTHORS_KEPT:
                self._authors.clear()
            author = self._authors[name] = Author(name, name)
        return author


def _local(begun: _Begun) -> datetime:
    """
    Raises:
        ValueError: if there is no such time.
    """
    if begun.day is None:
        raise ValueError("no date stands before it")
    return datetime(*begun.day, begun.head.hour, begun.head.minute)  # noqa: DTZ001 - placed by the clock
