"""
One message file, read into memory: what names a thread comes after its messages, and the newest
message first. Files too large for that are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from application.ports.chat_reader import ExportFile
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import ByteStream, as_utf8, sniff

# Meta puts 10,000 messages into a file: 3 to 10 MiB, and at most 300,000 values.
_HELD_BYTES = 16 * MEBIBYTE
_HELD_VALUES = 400_000  # text is compact in memory, but an empty object of two bytes is not
_AT_ONCE = 4 * MEBIBYTE  # parsed as a whole: faster, but orjson reserves thirteen times as much
_HEADER = frozenset(
    {
        *("participants", "title", "is_still_participant", "thread_type", "thread_path"),
        "threadName",
    }
)
_IGNORED = frozenset({"magic_words", "image", "joinable_mode", "is_pending", "messages"})


@dataclass(slots=True)
class Document:
    """What a file holds, as far as it could be read."""

    header: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)  # keys beside the messages
    elements: list[Any] = field(default_factory=list)  # of `messages`, in the file's order
    has_messages: bool = False
    broken: str | None = None  # where and why reading ended early
    repairs: Repairs = field(default_factory=Repairs)

    def add(self, key: str, value: Any) -> None:
        if key in _HEADER:
            self.header[key] = value
        elif key not in _IGNORED:
            self.unknown.append(key)


class _Measured:
    """A stream that knows how much of it has passed."""

    def __init__(self, source: ByteStream) -> None:
        self._source = source
        self._bytes = 0
        self._values = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._bytes += len(data)
        self._values += _values_in(data)
        return data

    @property
    def is_too_much(self) -> bool:
        return self._bytes > _HELD_BYTES or self._values > _HELD_VALUES


def _values_in(data: bytes) -> int:
    """At least as many as there are; commas in texts count, too."""
    return data.count(b",") + data.count(b"{") + data.count(b"[")


def load(file: ExportFile) -> Document | None:
    """The file's content; None if it is too large to be held."""
    if file.size > _HELD_BYTES:
        return None
    if file.size <= _AT_ONCE and (whole := _load_at_once(file)) is not None:
        return whole
    document = Document()
    with file.open() as stream:
        source = _Measured(as_utf8(stream))
        cursor = JsonCursor(source, document.repairs)
        try:
            for _ in _keys(cursor, document):
                document.has_messages = True
                for element in cursor.elements():
                    document.elements.append(element)
                    if source.is_too_much:
                        return None
        except BrokenJsonError as error:
            document.broken = str(error)
    return document


def _load_at_once(file: ExportFile) -> Document | None:
    """None unless everything about the file is as it should be."""
    data = sniff(file, _AT_ONCE + 1)
    if len(data) > _AT_ONCE or b"\\u0000" in data or _values_in(data) > _HELD_VALUES:
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return None
    document = Document(elements=value["messages"], has_messages=True)
    for key, inner in value.items():
        document.add(key, inner)
    return document


def _keys(cursor: JsonCursor, document: Document) -> Iterator[str]:
    """
    Fill the document's header; yields "messages" where their list begins, which must be taken.
    """
    for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
        if key == "messages" and cursor.peek() == b"[":
            yield key
        elif key in _HEADER:
            document.add(key, cursor.value())
        else:
            document.add(key, None)
            cursor.skip()


def header_of(file: ExportFile) -> Document:
    """What stands around the messages, which are passed over."""
    document = Document()
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), Repairs())
        try:
            for _ in _keys(cursor, document):
                document.has_messages = True
                cursor.skip()
        except BrokenJsonError as error:
            document.broken = str(error)
    return document


def stream_elements(file: ExportFile, repairs: Repairs) -> Iterator[Any]:
    """
    The elements of `messages`, one at a time.

    Raises:
        BrokenJsonError: where the file breaks.
    """
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), repairs)
        for _ in _keys(cursor, Document()):
            yield from cursor.elements()


def are_newest_first(elements: list[Any]) -> bool:
    """As Meta writes them; those that somebody made or merged may be the other way round."""
    step = max(1, len(elements) // 256)
    times = [time for one in elements[::step] if (time := _time_of(one)) is not None]
    rising = falling = 0
    for earlier, later in pairwise(times):
        rising += earlier < later
        falling += earlier > later
    return falling >= rising


def _time_of(element: Any) -> int | None:
    if not isinstance(element, dict):
        return None
    time = element.get("timestamp_ms", element.get("timestamp"))
    return time if isinstance(time, int) else None
