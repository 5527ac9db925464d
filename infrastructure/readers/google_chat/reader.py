"""Reader of Google Chat in Google Takeout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import (
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation, Message
from infrastructure.readers.google_chat.groups import Group, asked, explore, looks_like_messages
from infrastructure.readers.google_chat.messages import GroupMessages
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8

_FILES_ASKED = 8


class GoogleChatReader:
    """Times are UTC, in words; people are known by their email addresses."""

    format = "google_chat"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        if not any(looks_like_messages(file) for file in asked(export, _FILES_ASKED)):
            return None
        reason = "messages with “creator”, “created_date” and “topic_id”, as Takeout has them"
        return Recognition(self.format, 0.95, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        space = explore(export)
        facts.owner = space.owner_name
        yield from space.warnings
        told: set[str] = set()
        for group in space.groups:
            reading = _Reading(group, space.owner, clock, facts, told)
            yield from reading.read(is_alone=not export.is_packed)


class _Reading:
    """The message file of one group."""

    def __init__(
        self,
        group: Group,
        owner: str | None,
        clock: LocalClock,
        facts: ReadFacts,
        told: set[str],
    ) -> None:
        self._group = group
        self._owner = owner
        self._clock = clock
        self._facts = facts
        self._told = told  # conversations that were yielded already
        self._number = 0  # elements read

    def read(self, *, is_alone: bool) -> Iterator[ReadItem]:
        file = self._group.file
        repairs = Repairs()
        has_messages = False
        broken: str | None = None
        with file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), repairs)
            try:
                for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
                    if key == "messages" and cursor.peek() == b"[":
                        has_messages = True
                        yield from self._messages(cursor)
                    else:
                        count_key(self._facts.unknown_keys, f"groups.{key}")
                        cursor.skip()
            except BrokenJsonError as error:
                broken = str(error)
        yield from repairs.warnings(file.name)
        if broken is not None:
            if not is_alone:
                broken = f"{broken}; the rest of this file was not read, the others were"
            yield ReadWarning(file.name, self._number + 1, broken, is_fatal=is_alone)
        elif not has_messages:
            yield ReadWarning(file.name, None, "JSON without a list of messages; left out")

    def _messages(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        messages: GroupMessages | None = None
        for self._number, raw in enumerate(cursor.elements(), start=1):
            if messages is None:
                conversation = self._group.conversation(raw, self._owner)
                yield from self._untold(conversation)
                names = self._group.names
                messages = GroupMessages(conversation.id, names, self._clock, self._facts)
            yield self._item(raw, messages)
        if messages is None:
            yield from self._untold(self._group.conversation(None, self._owner))

    def _untold(self, conversation: Conversation) -> Iterator[Conversation]:
        if conversation.id not in self._told:
            self._told.add(conversation.id)
            yield conversation

    def _item(self, raw: Any, messages: GroupMessages) -> Message | ReadWarning:
        file = self._group.file
        if isinstance(raw, Unparsed):
            return ReadWarning(file.name, self._number, raw.reason)
        try:
            return messages.message(raw)
        except MALFORMED as error:
            reason = f"a message that is not as Takeout writes it ({error!r}); skipped"
            return ReadWarning(file.name, self._number, reason)
