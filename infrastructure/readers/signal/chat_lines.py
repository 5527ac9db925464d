"""`chat.md` of signal-export, and the text of its first versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from application.ports.chat_reader import ExportFile, ReadItem, ReadWarning
from domain.message import Author, Conversation, Message, MessageKind
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.drafts import Draft
from infrastructure.readers.local_time import LineClock, LocalClock
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.signal.markdown import Parts, parts_of
from infrastructure.readers.signal.replies import QuotedTexts
from infrastructure.readers.text_stream import read_lines

HEAD = re.compile(
    r"\[(\d{4}-\d{2}-\d{2})(,?) (\d{2}:\d{2})(:\d{2})?\] ([^\n]{1,200}?):(?: |$)", re.MULTILINE
)
NOBODY = "No-Sender"  # where the exporter did not find out who wrote
UNTOLD = "An event that the export does not describe"


class _Head(NamedTuple):
    written: str  # date and time, local
    has_seconds: bool
    name: str


class ChatLines:
    """Lines that do not begin like a message continue the one before."""

    def __init__(self, file: ExportFile, conversation: Conversation, clock: LocalClock) -> None:
        self._file = file
        self._conversation = conversation
        self._clock = LineClock(clock)
        self._keys = ContentKeys()
        self._texts = QuotedTexts()

    def read(self) -> Iterator[ReadItem]:
        repairs = Repairs()
        draft: Draft | None = None
        head: _Head | None = None
        orphans = 0
        yield self._conversation
        for number, line in enumerate(read_lines(self._file, repairs), start=1):
            match = HEAD.match(line)
            if match is None:
                if draft is not None:
                    draft.add(line)
                elif line.strip():
                    orphans += 1
                    if orphans == 1:
                        reason = "text that belongs to no message, left out"
                        yield ReadWarning(self._file.name, number, reason)
                continue
            if draft is not None and head is not None:
                yield from self._finish(draft, head)
            day, _, minutes, seconds, name = match.groups()
            head = _Head(f"{day}T{minutes}{seconds or ''}", seconds is not None, name)
            draft = Draft(number, line[match.end() :])
        if draft is not None and head is not None:
            yield from self._finish(draft, head)
        if orphans > 1:
            reason = f"{orphans} lines belong to no message and were left out"
            yield ReadWarning(self._file.name, None, reason)
        yield from repairs.warnings(self._file.name)

    def _finish(self, draft: Draft, head: _Head) -> Iterator[ReadItem]:
        if draft.cut_lines:
            reason = f"a message too long: {draft.cut_lines} lines left out"
            yield ReadWarning(self._file.name, draft.line, reason)
        try:
            at = self._clock.utc(datetime.fromisoformat(head.written))
        except (ValueError, OverflowError) as error:
            reason = f"a date that does not exist ({error}); message skipped"
            yield ReadWarning(self._file.name, draft.line, reason)
            return
        parts = parts_of(draft.head + draft.continuation)
        key = self._keys.key(self._conversation.id, head.written, head.name, parts.text)
        author = None if head.name == NOBODY else Author(head.name, head.name)
        kind: MessageKind = "message" if author else "system"
        yield Message(
            *(self._conversation.id, key, author, at),
            precision="second" if head.has_seconds else "minute",
            zone=self._clock.zone,
            kind="deleted" if parts.is_deleted else kind,
            text=UNTOLD if kind == "system" and not parts.text else parts.text,
            reply_to=self._texts.key_of(parts.quote),
            reactions=parts.reactions,
            attachments=parts.attachments,
            extra=_extra(parts),
        )
        if parts.text:
            self._texts.add(parts.text, key)


def _extra(parts: Parts) -> dict[str, str] | None:
    kept = {"quote": parts.quote} if parts.quote else {}
    if parts.sticker:
        kept["sticker"] = parts.sticker
    return kept or None
