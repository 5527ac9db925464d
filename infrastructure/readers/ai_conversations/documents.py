"""
The conversations of one JSON document, one at a time: a list of them, an object with such a list,
or a single conversation. So lie the exports of AI chats.

A conversation is parsed whole. One that is too long for that, nested too deeply or broken is
walked through, message by message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple

import orjson

from application.ports.chat_reader import ExportFile, ReadItem, ReadWarning
from infrastructure.readers.ai_conversations.cutting import ConversationCursor
from infrastructure.readers.ai_conversations.rereading import Rereading
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.json_values import storable
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8, sniff

_CHUNK = 4 * MEBIBYTE  # most conversations fit in, and are cut out of it fast
_AT_ONCE = 4 * MEBIBYTE  # bytes of a document that is one object and parsed as a whole
CONVERSATION_LIMIT = 128 * MEBIBYTE  # bytes of the messages of one conversation
MESSAGES_HELD = 200_000  # of one conversation
_BREAKS_OFF = "a conversation that breaks off in its middle was read up to there"


class Found(NamedTuple):
    element: int | None  # 1-based; None if the document is the conversation
    raw: Any  # a value inside its part that could not be parsed is an Unparsed
    left_out: int = 0  # messages beyond the limits
    breaks_off: bool = False  # but what follows it can be read


class _Packed(NamedTuple):
    """A parsed value as JSON again: thousands of messages take several times less memory so."""

    data: bytes


def unpacked(value: Any) -> Any:
    """A value of a conversation's part, in whichever form it is held."""
    return orjson.loads(value.data) if isinstance(value, _Packed) else value


def read_conversations(
    file: ExportFile,
    part: str,
    items_of: Callable[[Found], Iterator[ReadItem]],
    *,
    is_alone: bool,
) -> Iterator[ReadItem]:
    """
    Yield the items of each conversation, and what was wrong with the document.

    Args:
        part: the key of the object or list that holds a conversation's messages.
        is_alone: whether nothing else is read from the export, so that a break is its end.
    """
    repairs = Repairs()
    document = _Document(file, part, repairs)
    broken: str | None = None
    try:
        for found in document.conversations():
            yield from items_of(found)
            if found.left_out:
                reason = (
                    f"a conversation of more than {MESSAGES_HELD} messages or "
                    f"{CONVERSATION_LIMIT} bytes; {found.left_out} messages are left out"
                )
                yield ReadWarning(file.name, found.element, reason)
            if found.breaks_off:
                yield ReadWarning(file.name, found.element, _BREAKS_OFF)
    except BrokenJsonError as error:
        broken = str(error)
    yield from repairs.warnings(file.name)
    if broken is not None:
        if not is_alone:
            broken = f"{broken}; the rest of this file was not read, the others were"
        yield ReadWarning(file.name, document.element, broken, is_fatal=is_alone)


class _Document:
    def __init__(self, file: ExportFile, part: str, repairs: Repairs) -> None:
        self._file = file
        self._part = part
        self._repairs = repairs
        self._again: Rereading | None = None
        self._left_out = 0
        self.element: int | None = None  # where in the list reading is

    def conversations(self) -> Iterator[Found]:
        """
        Raises:
            BrokenJsonError: where the document breaks, after all that could be read.
        """
        whole = self._whole()
        if whole is not None:
            yield from self._inside(whole)
            return
        with ExitStack() as streams:
            source = as_utf8(streams.enter_context(self._file.open()))
            cursor = ConversationCursor(source, self._repairs, chunk=_CHUNK)
            if cursor.peek() == b"[":
                yield from self._list(cursor, streams)
            else:
                yield from self._object(cursor, streams)

    def _whole(self) -> dict[str, Any] | None:
        """The document, if it is one object of moderate size and as it should be."""
        if self._file.size > _AT_ONCE or not sniff(self._file, 64).lstrip().startswith(b"{"):
            return None
        data = sniff(self._file, _AT_ONCE + 1)
        if len(data) > _AT_ONCE or b"\\u0000" in data:
            return None
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None

    def _inside(self, document: dict[str, Any]) -> Iterator[Found]:
        inner = document.get("conversations")
        if isinstance(inner, list):
            yield from (self._found(number, raw) for number, raw in enumerate(inner, start=1))
        else:
            yield self._found(None, document)

    def _found(self, element: int | None, raw: Any) -> Found:
        """A conversation that was parsed whole, with as many messages as are held of any."""
        messages = raw.get(self._part) if isinstance(raw, dict) else None
        if not isinstance(messages, dict | list) or len(messages) <= MESSAGES_HELD:
            return Found(element, raw)
        held: Any
        if isinstance(messages, dict):
            held = dict(islice(messages.items(), MESSAGES_HELD))
        else:
            held = messages[:MESSAGES_HELD]
        return Found(element, {**raw, self._part: held}, len(messages) - MESSAGES_HELD)

    def _list(self, cursor: JsonCursor, streams: ExitStack) -> Iterator[Found]:
        start = cursor.position
        self.element = 1
        try:
            for element, raw in enumerate(cursor.elements(), start=1):
                if isinstance(raw, Unparsed):
                    again, is_whole = self._look_again(start, cursor.position, streams)
                    breaks_off = not is_whole and again is not None
                    yield Found(element, again or raw, self._left_out, breaks_off)
                else:
                    yield self._found(element, raw)
                self.element = element + 1
                start = cursor.position
        except BrokenJsonError:
            again, _ = self._look_again(start, None, streams)
            if again is not None and again.get(self._part):
                yield Found(self.element, again, self._left_out)
            raise

    def _object(self, cursor: JsonCursor, streams: ExitStack) -> Iterator[Found]:
        raw: dict[str, Any] = {}
        has_list = False
        self._left_out = 0
        try:
            for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
                if key == "conversations" and cursor.peek() == b"[":
                    has_list = True
                    yield from self._list(cursor, streams)
                else:
                    self._take(cursor, key, raw)
        except BrokenJsonError:
            if raw.get(self._part):
                yield Found(None, raw, self._left_out)
            raise
        if not has_list:
            yield Found(None, raw, self._left_out)

    def _look_again(
        self, start: int, end: int | None, streams: ExitStack
    ) -> tuple[dict[str, Any] | None, bool]:
        """
        The element that begins at a byte, walked through; and whether it could be to its end.

        Args:
            start: where the one before it ended.
        """
        if self._again is None:
            self._again = Rereading(as_utf8(streams.enter_context(self._file.open())))
        cursor = JsonCursor(self._again.part(start, end), self._repairs)
        self._left_out = 0
        if not cursor.follow(b"["):
            cursor.follow(b",")
        if cursor.peek() != b"{":
            return None, False
        raw: dict[str, Any] = {}
        try:
            for key in cursor.keys():  # noqa: SIM118
                self._take(cursor, key, raw)
        except BrokenJsonError:
            return raw, False
        return raw, True

    def _take(self, cursor: JsonCursor, key: str, raw: dict[str, Any]) -> None:
        """Take the value of a conversation's key; where it breaks, what came before is kept."""
        opening = cursor.peek()
        if key != self._part or opening not in (b"{", b"["):
            raw[key] = _value(cursor)
            return
        begin = cursor.position

        def is_too_much(count: int) -> bool:
            return count >= MESSAGES_HELD or cursor.position - begin > CONVERSATION_LIMIT

        if opening == b"{":
            named: dict[str, Any] = {}
            raw[key] = named
            for name in cursor.keys():  # noqa: SIM118
                if is_too_much(len(named)):
                    self._left_out += 1
                    cursor.skip()
                else:
                    named[name] = _packed(_value(cursor))
        else:
            listed: list[Any] = []
            raw[key] = listed
            for value in cursor.elements():
                if is_too_much(len(listed)):
                    self._left_out += 1
                else:
                    listed.append(_packed(value))


def _value(cursor: JsonCursor) -> Any:
    """
    The next value, or an Unparsed where it is too long or too deep.

    Raises:
        BrokenJsonError: if the document breaks here.
    """
    cursor.peek()
    before = cursor.position
    try:
        return cursor.value()
    except BrokenJsonError:
        # Past a value that it does not take the cursor goes on; at a break it stays.
        if cursor.position == before:
            raise
        return Unparsed(f"longer than {MESSAGE_LIMIT} bytes or nested too deeply, left out")


def _packed(value: Any) -> Any:
    if isinstance(value, Unparsed):
        return value
    try:
        return _Packed(orjson.dumps(value))
    except orjson.JSONEncodeError:  # whole numbers and depths that reading takes, not writing
        return _Packed(orjson.dumps(storable(value)))
