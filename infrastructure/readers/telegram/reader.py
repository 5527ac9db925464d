"""Reader of Telegram Desktop's JSON: one chat, or a whole account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
from domain.message import Conversation, ConversationKind
from infrastructure.readers.json_ahead import cursor_at
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, count_key, files_ending, name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.telegram.messages import ChatMessages
from infrastructure.readers.text_stream import as_utf8, sniff

_KINDS: dict[str, ConversationKind] = {
    "saved_messages": "direct",
    "replies": "direct",
    "verify_codes": "direct",
    "personal_chat": "direct",
    "bot_chat": "direct",
    "private_group": "group",
    "private_supergroup": "group",
    "public_supergroup": "group",
    "private_channel": "channel",
    "public_channel": "channel",
}
_TITLES = {
    "saved_messages": "Saved messages",
    "replies": "Replies",
    "verify_codes": "Verification codes",
}
_CHAT_TYPE = re.compile(rb'"type"\s*:\s*"(' + "|".join(_KINDS).encode() + rb')"')
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_MESSAGE = re.compile(rb'"type"\s*:\s*"(?:message|service)"')
_FIELDS = re.compile(rb'"(?:date_unixtime|from_id|actor_id|text_entities)"\s*:')
_ACCOUNT = re.compile(rb'"(?:chats|left_chats)"\s*:\s*\{\s*"about"')
_HEADER_KEYS = {"id", "name", "type"}
_CHAT_KEYS = _HEADER_KEYS | {"messages", "about", "chats", "left_chats"}
_LOOKS_AHEAD = 20  # chats whose header comes after their messages: each costs another pass
_FILES_ASKED = 20  # of an archive


class TelegramReader:
    """Times are UTC where the file has them (`date_unixtime`), else the exporter's local time."""

    format = "telegram"
    version = 2

    def recognise(self, export: Export) -> Recognition | None:
        reason = next(filter(None, map(_what_says_telegram, _results(export))), None)
        return None if reason is None else Recognition(self.format, 0.95, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        for file in _results(export):
            if not export.is_packed or _what_says_telegram(file) is not None:
                yield from _Document(file, clock, facts, _sizes(export, file)).read()


def _results(export: Export) -> Sequence[ExportFile]:
    """The files that may be exports of chats; media may be JSON, too."""
    return files_ending(export, ".json")[:_FILES_ASKED]


def _sizes(export: Export, result: ExportFile) -> dict[str, int]:
    """Bytes of the files beside a result, by their paths as it writes them."""
    if not export.is_packed:
        return {}
    root = result.name.removesuffix(name_of(result))
    return {
        file.name.removeprefix(root): file.size
        for file in export.files
        if file.name.startswith(root)
    }


def _what_says_telegram(file: ExportFile) -> str | None:
    head = sniff(file, SNIFF)
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
    def __init__(
        self, file: ExportFile, clock: LocalClock, facts: ReadFacts, sizes: Mapping[str, int]
    ) -> None:
        self._file = file
        self._clock = clock
        self._facts = facts
        self._sizes = sizes
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
            elif is_document and key == "personal_information":
                self._facts.owner = _owner(cursor.value())
            else:
                if not is_document and key not in _CHAT_KEYS:
                    count_key(self._facts.unknown_keys, f"chats.{key}")
                cursor.skip()

    def _messages(self, cursor: JsonCursor, header: dict[str, Any]) -> Iterator[ReadItem]:
        self._chats += 1
        conversation = _conversation(header, f"Chat {self._chats}")
        yield conversation
        messages = ChatMessages(conversation, self._clock, self._facts, self._sizes)
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
        with cursor_at(self._file, cursor.position) as ahead:
            try:
                for key in ahead.keys_after():
                    if isinstance(key, str) and key in _HEADER_KEYS:
                        found[key] = ahead.value()
                    else:
                        ahead.skip()
            except BrokenJsonError:
                # The same break is met and told of when the messages are read.
                return found
        return found


def _owner(about: Any) -> str | None:
    """The name in an account's own export."""
    if not isinstance(about, dict):
        return None
    names = [about.get("first_name"), about.get("last_name")]
    return " ".join(name for name in names if isinstance(name, str) and name) or None


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
