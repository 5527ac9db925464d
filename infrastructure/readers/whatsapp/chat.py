"""The second pass over a chat: its messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from application.ports.chat_reader import DateOrder, ExportFile, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message, Precision
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.date_order import place
from infrastructure.readers.drafts import Draft
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines
from infrastructure.readers.whatsapp.headers import Header, Shape, parse_header
from infrastructure.readers.whatsapp.notices import interpret, split_author


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
        has_seconds = any(shape.has_seconds for shape in shapes)
        self._precision: Precision = "second" if has_seconds else "minute"

    def read(self) -> Iterator[ReadItem]:
        """Messages in file order; warnings at the line they are about."""
        repairs = Repairs()
        draft: Draft | None = None
        is_bracketed = False
        orphans = 0  # lines that belong to no message
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            header = parse_header(line)
            if header is None or header.shape not in self._shapes:
                if draft is not None:
                    draft.add(line)
                elif line.strip():
                    orphans += 1
                    if orphans == 1:
                        yield self._warning(number, "text that belongs to no message, left out")
                continue
            if draft is not None:
                yield from self._finish(draft, is_bracketed=is_bracketed)
            draft, is_bracketed = None, header.shape.is_bracketed
            try:
                local = self._local(header)
            except (ValueError, OverflowError) as error:
                reason = f"a date that does not exist ({error}); message skipped"
                yield self._warning(number, reason)
                orphans = 1  # its further lines were told of with it
                continue
            draft = Draft(number, local, line[header.end :])
        if draft is not None:
            yield from self._finish(draft, is_bracketed=is_bracketed)
        yield from repairs.warnings(self._file.name)

    def _local(self, header: Header) -> datetime:
        return datetime(*place(header.date, self._order), *header.clock)  # noqa: DTZ001

    def _warning(self, line: int, reason: str) -> ReadWarning:
        return ReadWarning(self._file.name, line, reason)

    def _finish(self, draft: Draft, *, is_bracketed: bool) -> Iterator[ReadItem]:
        if draft.cut_lines:
            yield self._warning(draft.line, f"a message too long: {draft.cut_lines} lines left out")
        raw = draft.text
        name, text = split_author(raw.partition("\n")[0], is_bracketed=is_bracketed)
        if name is None:
            yield self._message(draft, None, "", raw)
            return
        text += raw[len(raw.partition("\n")[0]) :]
        yield self._message(draft, Author(name, name), name, text)

    def _message(self, draft: Draft, author: Author | None, name: str, text: str) -> Message:
        conversation = self._conversation
        key = self._keys.key(conversation.id, draft.local.isoformat(), name, text)
        sent_at = self._clock.utc(draft.local)
        precision = self._precision
        zone = self._clock.zone
        if author is None:
            return Message(
                conversation.id, key, None, sent_at, precision, zone, "system", text.strip()
            )
        content = interpret(text)
        if content.kind == "system" and name == conversation.title:
            author = None  # the iPhone puts notices under the chat's own name
        return Message(
            conversation=conversation.id,
            key=key,
            author=author,
            sent_at=sent_at,
            precision=precision,
            zone=zone,
            kind=content.kind,
            text=content.text,
            attachments=content.attachments,
            extra={"edited": True} if content.is_edited else None,
        )
