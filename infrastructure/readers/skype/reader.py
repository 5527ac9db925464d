"""Reader of messages.json, which Skype and Teams (free) give to the owner of an account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
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
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.microsoft.ordering import TOO_LARGE, Held, Numbered, hold, rises
from infrastructure.readers.reading import MALFORMED, count_key, files_ending
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.skype.conversations import conversation_of
from infrastructure.readers.skype.messages import ChatMessages
from infrastructure.readers.skype.people import People
from infrastructure.readers.text_stream import as_utf8, sniff

_LIST = re.compile(rb'"MessageList"\s*:\s*(?:\[|null)')
_MESSAGE = re.compile(rb'"(?:originalarrivaltime|messagetype)"\s*:')
_ACCOUNT = re.compile(rb'"userId"\s*:\s*"')
_DATE = re.compile(rb'"exportDate"\s*:\s*"')
_CONVERSATIONS = re.compile(rb'"conversations"\s*:\s*\[')
_HEADER = frozenset({"id", "displayName", "threadProperties"})
_IGNORED = frozenset({"version", "properties", "MessageList", "messages"})
_TOP = frozenset({"userId", "exportDate", "conversations"})
_FILES_ASKED = 20  # of an archive, the shallowest first


class SkypeReader:
    """Times are UTC, to the millisecond. What lies newest first comes oldest first."""

    format = "skype"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        claims = [claim for file in _candidates(export)[:3] if (claim := _claim(file)) is not None]
        if not claims:
            return None
        confidence, reason = max(claims, key=lambda claim: claim[0])
        return Recognition(self.format, confidence, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        for file in _candidates(export):
            if not export.is_packed or _claim(file) is not None:
                yield from _Document(file, clock, facts).read()


def _candidates(export: Export) -> Sequence[ExportFile]:
    """The files that may hold the messages; media may be JSON, too."""
    files = files_ending(export, ".json")
    return sorted(files, key=lambda file: file.name.count("/"))[:_FILES_ASKED]


def _claim(file: ExportFile) -> tuple[float, str] | None:
    head = sniff(file, SNIFF)
    if not head.lstrip().startswith(b"{"):
        return None
    if _LIST.search(head) and (_MESSAGE.search(head) or _DATE.search(head)):
        return 0.95, "JSON with “MessageList”, as Skype and Teams export a person's conversations"
    if _ACCOUNT.search(head) and _DATE.search(head) and _CONVERSATIONS.search(head):
        return 0.9, "JSON with “userId”, “exportDate” and “conversations”, as Skype exports them"
    return None


class _Document:
    def __init__(self, file: ExportFile, clock: LocalClock, facts: ReadFacts) -> None:
        self._file = file
        self._clock = clock
        self._facts = facts
        self._people = People()
        self._repairs = Repairs()
        self._element: int | None = None  # where in a list of messages reading is

    def read(self) -> Iterator[ReadItem]:
        account: Any = None  # whose export it is
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), self._repairs)
            try:
                for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
                    if key == "conversations" and cursor.peek() == b"[":
                        for _ in cursor.each():
                            yield from self._conversation(cursor)
                        continue
                    if key == "userId":
                        account = cursor.value()
                        continue
                    if key not in _TOP:
                        count_key(self._facts.unknown_keys, key)
                    cursor.skip()
            except BrokenJsonError as error:
                yield from self._repairs.warnings(self._file.name)
                yield ReadWarning(self._file.name, self._element, str(error), is_fatal=True)
        if isinstance(account, str) and account:
            self._facts.owner = self._people.name(account)
        yield from self._repairs.warnings(self._file.name)

    def _conversation(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        """
        Messages wait for the conversation's end: what names it may come after them.

        Raises:
            BrokenJsonError: where the file breaks, once the messages before are told.
        """
        header: dict[str, Any] = {}
        held: Held | None = None
        try:
            for key in cursor.keys():  # noqa: SIM118
                if key == "MessageList" and cursor.peek() == b"[" and held is None:
                    elements = enumerate(cursor.elements(), start=1)
                    held = hold(elements, lambda: cursor.position)
                    if held.broken is not None:
                        raise held.broken
                    if not held.is_whole:
                        first, held = held, None
                        yield from self._large(header, first, elements)
                elif key in _HEADER:
                    header[key] = cursor.value()
                else:
                    if key not in _IGNORED:
                        count_key(self._facts.unknown_keys, f"conversations.{key}")
                    cursor.skip()
        except BrokenJsonError:
            if held is not None:
                yield from self._small(header, held)
                self._element = None if held.broken is None else held.next_number
            raise
        if held is not None:
            yield from self._small(header, held)

    def _small(self, header: dict[str, Any], held: Held) -> Iterator[ReadItem]:
        elements = held.elements
        is_rising = rises(_stamps(elements)) > 0
        yield from self._messages(header, elements if is_rising else reversed(elements), elements)

    def _large(
        self, header: dict[str, Any], held: Held, others: Iterator[Numbered]
    ) -> Iterator[ReadItem]:
        """
        Raises:
            BrokenJsonError: where the file breaks.
        """
        if rises(_stamps(held.elements)) <= 0:
            yield ReadWarning(self._file.name, None, TOO_LARGE)
        yield from self._messages(header, chain(held.elements, others), held.elements)
        self._element = None

    def _messages(
        self, header: dict[str, Any], elements: Iterable[Numbered], first: list[Numbered]
    ) -> Iterator[ReadItem]:
        self._learn(first)
        places = (raw.get("conversationid") for _, raw in first if isinstance(raw, dict))
        conversation = conversation_of(header, next(places, None), self._people)
        if conversation.kind == "direct":
            self._people.learn(conversation.id, header.get("displayName"))
        messages = ChatMessages(conversation.id, self._people, self._clock, self._facts)
        is_told = False
        for number, raw in elements:
            self._element = number + 1
            if not is_told:
                is_told = True
                yield conversation
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._file.name, number, f"{conversation.title}: {raw.reason}")
                continue
            try:
                yield messages.message(raw)
            except MALFORMED as error:
                reason = f"{conversation.title}: a message that is not as Skype writes it"
                yield ReadWarning(self._file.name, number, f"{reason} ({error!r}); skipped")
        self._element = None

    def _learn(self, elements: list[Numbered]) -> None:
        """Who is named by one message is known to those before it, too."""
        for _, raw in elements:
            if isinstance(raw, dict) and isinstance(sender := raw.get("from"), str):
                self._people.learn(sender.rpartition("/")[2], raw.get("displayName"))


def _stamps(elements: list[Numbered]) -> Iterator[tuple[None, str]]:
    for _, raw in elements:
        if isinstance(raw, dict) and isinstance(stamp := raw.get("originalarrivaltime"), str):
            yield None, stamp
