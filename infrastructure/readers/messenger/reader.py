"""Readers of the message files that Meta's “Download your information” gives."""

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
from domain.message import Conversation, Message
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import Unparsed
from infrastructure.readers.messenger.conversations import conversation_of
from infrastructure.readers.messenger.documents import (
    Document,
    are_newest_first,
    header_of,
    load,
    stream_elements,
)
from infrastructure.readers.messenger.messages import EncryptedMessages, ThreadMessages
from infrastructure.readers.messenger.recognition import Platform, recognise
from infrastructure.readers.messenger.threads import Thread, threads_of
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs


class MessengerReader:
    """
    Facebook Messenger. Times are UTC, to the millisecond.

    Neither messages nor people have ids: a message is known by thread, time, sender and text, a
    person by the name.
    """

    format: Platform = "messenger"
    version = 1
    nameless = "Facebook user"  # as Meta calls people who deleted their account

    def recognise(self, export: Export) -> Recognition | None:
        return recognise(export, self.format)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        del options  # these times and keys leave nothing to decide
        facts.timezone = "UTC"
        told: set[str] = set()
        for thread in threads_of(export, self.format):
            for copy in thread.copies:
                reading = _Reading(export, thread, facts, told, self.nameless)
                for file in copy:
                    yield from reading.read(file)


class InstagramReader(MessengerReader):
    """Direct messages of Instagram, which Meta exports as those of Messenger."""

    format: Platform = "instagram"
    nameless = "Instagram User"


class _Reading:
    """The files of one copy of a thread."""

    def __init__(
        self, export: Export, thread: Thread, facts: ReadFacts, told: set[str], nameless: str
    ) -> None:
        self._export = export
        self._place = thread.place
        self._facts = facts
        self._told = told
        self._nameless = nameless
        self._converters: dict[tuple[str, bool], ThreadMessages] = {}  # nearly always one

    def read(self, file: ExportFile) -> Iterator[ReadItem]:
        document = load(file)
        if document is None:
            yield from self._read_large(file)
        elif not document.has_messages and document.broken is None:
            yield ReadWarning(file.name, None, "JSON without a list of messages; left out")
        else:
            yield from self._read_held(file, document)

    def _read_held(self, file: ExportFile, document: Document) -> Iterator[ReadItem]:
        elements = document.elements
        if elements or document.broken is None:
            conversation, messages = self._begin(file, document, elements[:1])
            yield from conversation
            numbers = range(1, len(elements) + 1)
            for number in reversed(numbers) if are_newest_first(elements) else numbers:
                yield _item(file, number, elements[number - 1], messages)
        if document.broken is not None:
            yield self._break(file, len(elements) + 1, document.broken)
        yield from document.repairs.warnings(file.name)

    def _read_large(self, file: ExportFile) -> Iterator[ReadItem]:
        reason = "too large to be turned round: its messages stay as they are, the newest first"
        yield ReadWarning(file.name, None, reason)
        around = header_of(file)
        repairs = Repairs()
        number = 0
        messages: ThreadMessages | None = None
        try:
            for number, raw in enumerate(stream_elements(file, repairs), start=1):
                if messages is None:
                    conversation, messages = self._begin(file, around, [raw])
                    yield from conversation
                yield _item(file, number, raw, messages)
        except BrokenJsonError as error:
            yield self._break(file, number + 1, str(error))
        yield from repairs.warnings(file.name)

    def _begin(
        self, file: ExportFile, document: Document, first: list[Any]
    ) -> tuple[list[Conversation], ThreadMessages]:
        """The conversation, unless it was told before, and what converts its messages."""
        for key in document.unknown:
            count_key(self._facts.unknown_keys, f"threads.{key}")
        is_encrypted = "threadName" in document.header or any(
            isinstance(raw, dict) and "senderName" in raw for raw in first
        )
        conversation = conversation_of(
            document.header, self._place, file, is_encrypted=is_encrypted
        )
        is_told = conversation.id in self._told
        self._told.add(conversation.id)
        known = conversation.id, is_encrypted
        messages = self._converters.get(known)
        if messages is None:
            form = EncryptedMessages if is_encrypted else ThreadMessages
            messages = form(conversation.id, self._nameless, self._facts)
            self._converters[known] = messages
        return ([] if is_told else [conversation]), messages

    def _break(self, file: ExportFile, number: int, reason: str) -> ReadWarning:
        if self._export.is_packed:
            reason = f"{reason}; the rest of this file was not read, the others were"
            return ReadWarning(file.name, number, reason)
        return ReadWarning(file.name, number, reason, is_fatal=True)


def _item(
    file: ExportFile, number: int, raw: Any, messages: ThreadMessages
) -> Message | ReadWarning:
    if isinstance(raw, Unparsed):
        return ReadWarning(file.name, number, raw.reason)
    try:
        return messages.message(raw)
    except MALFORMED as error:
        reason = f"a message that is not as Meta writes it ({error!r}); skipped"
        return ReadWarning(file.name, number, reason)
