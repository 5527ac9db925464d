"""Reader of Telegram Desktop's JSON: one chat, or a whole account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import (
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation, ConversationKind
from infrastructure.readers.archive import Archive, BrokenMemberError, Member, is_archive
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import MEBIBYTE, SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, count_key, or_unreadable
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.telegram.messages import ChatMessages
from infrastructure.readers.text_stream import as_utf8, sniff

_KINDS: dict[str, ConversationKind] = {
    "saved_messages": "direct",
    "replies": "direct",
    "personal_chat": "direct",
    "bot_chat": "direct",
    "private_group": "group",
    "private_supergroup": "group",
    "public_supergroup": "group",
    "private_channel": "channel",
    "public_channel": "channel",
}
_TITLES = {"saved_messages": "Saved messages", "replies": "Replies"}
_CHAT_TYPE = re.compile(rb'"type"\s*:\s*"(' + "|".join(_KINDS).encode() + rb')"')
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_MESSAGE = re.compile(rb'"type"\s*:\s*"(?:message|service)"')
_FIELDS = re.compile(rb'"(?:date_unixtime|from_id|actor_id|text_entities)"\s*:')
_ACCOUNT = re.compile(rb'"(?:chats|left_chats)"\s*:\s*\{\s*"about"')
_HEADER_KEYS = {"id", "name", "type"}
_CHAT_KEYS = _HEADER_KEYS | {"messages", "about", "chats", "left_chats"}
_LOOKS_AHEAD = 20  # chats whose header comes after their messages: each costs another pass
_ARCHIVE_MEMBERS = 20


class TelegramReader:
    """Times are UTC where the file has them (`date_unixtime`), else the exporter's local time."""

    format = "telegram"
    version = 1

    def recognise(self, file: ExportFile) -> Recognition | None:
        if is_archive(file):
            with Archive(file) as archive:
                members = _results(archive)
                return self._recognise(members[0]) if members else None
        return self._recognise(file)

    def _recognise(self, file: ExportFile) -> Recognition | None:
        reason = _what_says_telegram(file)
        return None if reason is None else Recognition(self.format, 0.95, reason)

    def read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        yield from or_unreadable(self._read(file, options, facts), file)

    def _read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=file.name)
        if not is_archive(file):
            yield from _Document(file, clock, facts).read()
            return
        with Archive(file) as archive:
            for member in _results(archive):
                yield from _Document(member, clock, facts).read()


def _results(archive: Archive) -> list[Member]:
    members = [m for m in archive.members if m.name.lower().endswith(".json")]
    return [m for m in members[:_ARCHIVE_MEMBERS] if _what_says_telegram(m) is not None]


def _what_says_telegram(file: ExportFile) -> str | None:
    try:
        head = sniff(file, SNIFF)
    except BrokenMemberError:
        return None
    if not head.lstrip().startswith(b"{"):
        return None
    if _ACCOUNT.search(head):
        return "a JSON object with “chats”, as Telegram Desktop exports an account"
    has_messages = _MESSAGES.search(head) is not None
    if has_messages and _CHAT_TYPE.search(head):
        return "a JSON object with Telegram's kinds of chat and a list of messages"
    if has_messages and _MESSAGE.search(head) and _FIELDS.search(head):
        return "a JSON object whose messages have Telegram's fields"
    return None


class _Document:
    def __init__(self, file: ExportFile, clock: LocalClock, facts: ReadFacts) -> None:
        self._file = file
        self._clock = clock
        self._facts = facts
        self._repairs = Repairs()
        self._looks = 0
        self._chats = 0
        self._element: int | None = None  # where in `messages` reading is

    def read(self) -> Iterator[ReadItem]:
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), self._repairs)
            try:
                yield from self._chat(cursor, is_document=True)
            except BrokenJsonError as error:
                yield from self._repairs.warnings(self._file.name)
                yield ReadWarning(self._file.name, self._element, str(error), is_fatal=True)
        yield from self._repairs.warnings(self._file.name)

    def _chat(self, cursor: JsonCursor, *, is_document: bool = False) -> Iterator[ReadItem]:
        header: dict[str, Any] = {}
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            if key == "messages" and cursor.peek() == b"[":
                if not _is_complete(header):
                    header = self._look_ahead(cursor, header)
                yield from self._messages(cursor, header)
            elif is_document and key in {"chats", "left_chats"} and cursor.peek() == b"{":
                for inner in cursor.keys():  # noqa: SIM118
                    if inner == "list" and cursor.peek() == b"[":
                        for _ in cursor.each():
                            yield from self._chat(cursor)
                    else:
                        cursor.skip()
            elif key in _HEADER_KEYS:
                header[key] = cursor.value()
            else:
                if not is_document and key not in _CHAT_KEYS:
                    count_key(self._facts.unknown_keys, f"chats.{key}")
                cursor.skip()

    def _messages(self, cursor: JsonCursor, header: dict[str, Any]) -> Iterator[ReadItem]:
        self._chats += 1
        conversation = _conversation(header, f"Chat {self._chats}")
        yield conversation
        messages = ChatMessages(conversation, self._clock, self._facts)
        self._element = 1
        for element, raw in enumerate(cursor.elements(), start=1):
            self._element = element + 1
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._file.name, element, f"{conversation.title}: {raw.reason}")
                continue
            try:
                yield messages.message(raw)
            except MALFORMED as error:
                reason = f"{conversation.title}: a message that is not as Telegram writes it"
                yield ReadWarning(self._file.name, element, f"{reason} ({error!r}); skipped")
        self._element = None

    def _look_ahead(self, cursor: JsonCursor, header: dict[str, Any]) -> dict[str, Any]:
        """The header's keys that come after the messages."""
        self._looks += 1
        if self._looks > _LOOKS_AHEAD:
            return header
        found = dict(header)
        with self._file.open() as stream:
            source = as_utf8(stream)
            left = cursor.position
            while left and (data := source.read(min(left, MEBIBYTE))):
                left -= len(data)
            ahead = JsonCursor(source, Repairs())
            try:
                ahead.skip()
                while ahead.follow(b","):
                    key = ahead.value()
                    ahead.follow(b":")
                    if key in _HEADER_KEYS:
                        found[key] = ahead.value()
                    else:
                        ahead.skip()
            except BrokenJsonError:
                # The same break is met and told of when the messages are read.
                return found
        return found


def _is_complete(header: dict[str, Any]) -> bool:
    return "id" in header and ("name" in header or header.get("type") in _TITLES)


def _conversation(header: dict[str, Any], fallback: str) -> Conversation:
    kind = header.get("type")
    kind = kind if isinstance(kind, str) else ""
    name = header.get("name")
    title = name if isinstance(name, str) and name else _TITLES.get(kind, fallback)
    number = header.get("id")
    known = str(number) if isinstance(number, int | str) else title
    return Conversation(known, title, _KINDS.get(kind, "unknown"))
