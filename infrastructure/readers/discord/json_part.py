"""Reading one JSON file of DiscordChatExporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from infrastructure.readers.discord.exports import Part
from infrastructure.readers.discord.messages import ChannelMessages
from infrastructure.readers.discord.snowflakes import SeenIds
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8

# Of these there is no place in a Conversation; the channel's name and kind are known already.
_HEADER: dict[str, frozenset[str]] = {
    "guild": frozenset({"id", "name", "iconUrl"}),
    "channel": frozenset({"id", "type", "categoryId", "category", "name", "topic", "iconUrl"}),
    "dateRange": frozenset({"after", "before"}),
    "exportedAt": frozenset(),
}


class JsonPart:
    """Messages that were read already, from another part of the channel, are passed over."""

    def __init__(
        self, part: Part, messages: ChannelMessages, seen: SeenIds, facts: ReadFacts
    ) -> None:
        self._file = part.file
        self._messages = messages
        self._seen = seen
        self._unknown = facts.unknown_keys
        self._repairs = Repairs()
        self._count = 0
        self._element: int | None = None  # where in `messages` reading is

    def read(self) -> Iterator[ReadItem]:
        """Messages in file order, and warnings by the element they are about."""
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), self._repairs)
            try:
                yield from self._document(cursor)
            except BrokenJsonError as error:
                yield from self._repairs.warnings(self._file.name)
                yield ReadWarning(self._file.name, self._element, str(error), is_fatal=True)
        yield from self._repairs.warnings(self._file.name)

    def _document(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        stated: Any = None
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            if key == "messages" and cursor.peek() == b"[":
                yield from self._elements(cursor)
            elif key == "messageCount":
                stated = cursor.value()
            elif key in _HEADER:
                self._note_unknown(key, cursor.value())
            else:
                count_key(self._unknown, key)
                cursor.skip()
        if isinstance(stated, int) and stated != self._count:
            reason = f"it says that it holds {stated} messages, but holds {self._count}"
            yield ReadWarning(self._file.name, None, reason)

    def _note_unknown(self, key: str, value: Any) -> None:
        if isinstance(value, dict):
            for name in sorted(value.keys() - _HEADER[key]):
                count_key(self._unknown, f"{key}.{name}")

    def _elements(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        convert, is_new = self._messages.message, self._seen.add
        self._element = 1
        for element, raw in enumerate(cursor.elements(), start=1):
            self._element = element + 1
            self._count = element
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._file.name, element, raw.reason)
                continue
            try:
                message = convert(raw)
            except MALFORMED as error:
                reason = "a message that is not as DiscordChatExporter writes it"
                yield ReadWarning(self._file.name, element, f"{reason} ({error!r}); skipped")
                continue
            if is_new(message.key):
                yield message
        self._element = None
