"""The second pass over a chat: its messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from application.ports.chat_reader import DateOrder, ExportFile, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message, Precision
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.date_order import place
from infrastructure.readers.drafts import Draft
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines
from infrastructure.readers.whatsapp.headers import Header, HeaderParser, Shape
from infrastructure.readers.whatsapp.notices import interpret, split_author

_AUTHORS_KEPT = 10_000


class _Moment(NamedTuple):
    written: str  # as it goes into keys: local
    at: datetime  # UTC


_NEVER = _Moment("", datetime(1970, 1, 1, tzinfo=UTC))


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
    ) -> None:
        self._file = file
        self._conversation = conversation
        self._shapes = shapes
        self._order = order
        self._clock = clock
        self._keys = ContentKeys()
        self._authors: dict[str, Author] = {}
        has_seconds = any(shape.has_seconds for shape in shapes)
        self._precision: Precision = "second" if has_seconds else "minute"

    def read(self) -> Iterator[ReadItem]:
        """Messages in file order; warnings at the line they are about."""
        repairs = Repairs()
        parse = HeaderParser().parse
        shapes = self._shapes
        draft: Draft | None = None
        last: Header | None = None
        moment = _NEVER
        orphans = 0  # lines that belong to no message
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            header = parse(line)
            if header is None or header.shape not in shapes:
                if draft is not None:
                    draft.add(line)
                elif line.strip():
                    orphans += 1
                    if orphans == 1:
                        yield self._warning(number, "text that belongs to no message, left out")
                continue
            if draft is not None and last is not None:
                if draft.cut_lines:
                    yield self._cut(draft)
                yield self._message(draft, moment, is_bracketed=last.shape.is_bracketed)
                draft = None
            if header is not last:
                try:
                    moment = self._moment(header)
                except (ValueError, OverflowError) as error:
                    reason = f"a date that does not exist ({error}); message skipped"
                    yield self._warning(number, reason)
                    continue
                last = header
            draft = Draft(number, line[header.end :])
        if draft is not None and last is not None:
            if draft.cut_lines:
                yield self._cut(draft)
            yield self._message(draft, moment, is_bracketed=last.shape.is_bracketed)
        if orphans > 1:
            yield self._warning(None, f"{orphans} lines belong to no message and were left out")
        yield from repairs.warnings(self._file.name)

    def _moment(self, header: Header) -> _Moment:
        local = datetime(*place(header.date, self._order), *header.clock)  # noqa: DTZ001
        return _Moment(local.isoformat(), self._clock.utc(local))

    def _warning(self, line: int | None, reason: str) -> ReadWarning:
        return ReadWarning(self._file.name, line, reason)

    def _cut(self, draft: Draft) -> ReadWarning:
        return self._warning(draft.line, f"a message too long: {draft.cut_lines} lines left out")

    def _message(self, draft: Draft, moment: _Moment, *, is_bracketed: bool) -> Message:
        name, text = split_author(draft.head, is_bracketed=is_bracketed)
        text += draft.continuation
        conversation = self._conversation
        key = self._keys.key(conversation.id, moment.written, name or "", text)
        if name is None:
            return Message(
                *(conversation.id, key, None, moment.at, self._precision, self._clock.zone),
                kind="system",
                text=text.strip(),
            )
        author: Author | None = self._author(name)
        content = interpret(text)
        if content.kind == "system" and name == conversation.title:
            author = None  # the iPhone puts notices under the chat's own name
        return Message(
            *(conversation.id, key, author, moment.at, self._precision, self._clock.zone),
            kind=content.kind,
            text=content.text,
            attachments=content.attachments,
            extra={"edited": True} if content.is_edited else None,
        )

    def _author(self, name: str) -> Author:
        author = self._authors.get(name)
        if author is None:
            if len(self._authors) >= _AUTHORS_KEPT:
                self._authors.clear()
            author = self._authors[name] = Author(name, name)
        return author
