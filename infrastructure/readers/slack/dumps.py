"""
Conversations as slackdump's “dump” mode writes them: a JSON object each, in which a message that
begins a thread holds its answers.

Keys as in slackdump's source (types.Conversation, types.Message): `channel_id`, `thread_ts` (of a
thread's file), `name` and `messages`; the first versions write the ids behind the messages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Conversation, ConversationKind
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import count_key, name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.slack.answers import Answers, Numbered
from infrastructure.readers.slack.people import People
from infrastructure.readers.text_stream import as_utf8, sniff

_HEADER = frozenset({"channel_id", "thread_ts", "name"})
_LOOKS_AHEAD = 20  # files whose ids come after their messages: each costs another pass
_KINDS: dict[str, ConversationKind] = {"C": "channel", "D": "direct", "G": "channel"}
_ID = re.compile(r"[CDG][A-Z0-9]+")
_FILE = re.compile(r"(?P<id>[CDG][A-Z0-9]{7,})(?:-(?P<thread>\d+\.\d+))?\.json")
_OBJECTS = re.compile(rb"\s*\[\s*\{")
_NOTHING = re.compile(rb"\s*(?:\[\s*\]|null)")
_TYPE = re.compile(rb'"type"\s*:\s*"message"')
_TIME = re.compile(rb'"ts"\s*:\s*"\d+\.\d+"')
_EXACT_TIME = re.compile(rb'"ts"\s*:\s*"\d{9,10}\.\d{6}"')
_ANSWERS = re.compile(rb'"slackdump_thread_replies"\s*:\s*\[')
_USER = re.compile(rb'"user"\s*:\s*"([UW][A-Z0-9]+)"')


@dataclass(frozen=True, slots=True)
class Dump:
    """One file, and of which conversation or thread it is."""

    file: ExportFile
    channel: str
    name: str
    thread: str  # empty: the whole conversation
    users: Sequence[str]  # ids of people who take part, where it has no name

    def conversation(self, people: People) -> Conversation:
        names = [name for user in self.users if (name := people.known_name(user))]
        kind: ConversationKind = "unknown"
        if _ID.fullmatch(self.channel):
            kind = "group" if self.name.startswith("mpdm-") else _KINDS[self.channel[0]]
        return Conversation(self.channel, self.name or ", ".join(names) or self.channel, kind)


@dataclass(slots=True)
class _Head:
    """What the beginning of a file shows."""

    header: dict[str, Any] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)  # up to the messages
    messages: bytes | None = None  # from there on
    broken: BrokenJsonError | None = None  # before the messages

    @property
    def is_of_slackdump(self) -> bool:
        if self.messages is None:
            return False
        id = self.header.get("channel_id")
        has_id = isinstance(id, str) and _ID.fullmatch(id) is not None
        if _NOTHING.match(self.messages):
            return has_id and len(str(id)) > 8 and _HEADER.issuperset(self.keys)
        if not _OBJECTS.match(self.messages) or not _TYPE.search(self.messages):
            return False
        if has_id or _ANSWERS.search(self.messages):
            return _TIME.search(self.messages) is not None
        return self.keys == ["name"] and _EXACT_TIME.search(self.messages) is not None


def is_dump(file: ExportFile) -> bool:
    return _look(sniff(file, SNIFF)).is_of_slackdump


def looks_named(file: ExportFile) -> bool:
    """Whether its name is that of a dump."""
    return _FILE.fullmatch(name_of(file)) is not None


def dumps_of(export: Export, files: Sequence[ExportFile]) -> Iterator[Dump | ReadWarning]:
    """Those among the files of an export, and what of it seems to be one, but cannot be read."""
    looks = 0
    for file in files:
        head = sniff(file, SNIFF)
        found = _look(head)
        if found.is_of_slackdump or (not export.is_packed and found.messages is not None):
            if "channel_id" not in found.header and looks < _LOOKS_AHEAD:
                looks += 1
                found.header |= _header(file)
            yield _dump(file, found.header, head)
        elif not export.is_packed and found.broken is not None and head.lstrip()[:1] == b"{":
            yield ReadWarning(file.name, None, str(found.broken), is_fatal=True)
        elif looks_named(file):
            reason = "not a conversation as slackdump dumps it, or broken at once; not read"
            yield ReadWarning(file.name, None, reason)


class DumpReading:
    """One pass through a file."""

    def __init__(self, file: ExportFile, unknown: dict[str, int], *, is_alone: bool) -> None:
        """
        Args:
            unknown: counts of keys that nobody understands.
            is_alone: whether there are no other messages.
        """
        self._file = file
        self._unknown = unknown
        self._is_alone = is_alone
        self._answers = Answers()
        self._element: int | None = None  # where in `messages` reading is

    def read(self) -> Iterator[Numbered | ReadWarning]:
        """
        Messages and answers in the order of their times, with the number of the element that they
        stand in, and warnings.
        """
        name = self._file.name
        repairs = Repairs()
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), repairs)
            try:
                yield from self._document(cursor)
            except BrokenJsonError as error:
                yield from self._answers.all()
                yield from repairs.warnings(name)
                reason = str(error)
                if not self._is_alone:
                    reason += "; the rest of this file was not read, the others were"
                yield ReadWarning(name, self._element, reason, is_fatal=self._is_alone)
        yield from repairs.warnings(name)

    def _document(self, cursor: JsonCursor) -> Iterator[Numbered | ReadWarning]:
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            if key == "messages" and cursor.peek() == b"[":
                yield from self._elements(cursor)
                continue
            if key not in _HEADER and key != "messages":
                count_key(self._unknown, key)
            cursor.skip()

    def _elements(self, cursor: JsonCursor) -> Iterator[Numbered | ReadWarning]:
        answers = self._answers
        self._element = 1
        begin = cursor.position
        for element, raw in enumerate(cursor.elements(), start=1):
            self._element = element + 1
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._file.name, element, raw.reason)
            else:
                yield from answers.before(raw)
                waiting = answers.of(raw)
                yield element, raw
                yield from answers.hold(element, waiting, cursor.position - begin)
            begin = cursor.position
        yield from answers.all()
        self._element = None


def _look(head: bytes) -> _Head:
    found = _Head()
    if head.lstrip()[:1] != b"{":
        return found
    cursor = JsonCursor(io.BytesIO(head), Repairs())
    try:
        for key in cursor.keys():  # noqa: SIM118
            if key == "messages":
                found.messages = head[cursor.position :]
            elif found.messages is None:
                found.keys.append(key)
            if key in _HEADER:
                found.header[key] = cursor.value()
            else:
                cursor.skip()
    except BrokenJsonError as error:
        # Mostly the end of what is looked at; a break behind it is told of when it is read.
        found.broken = error
    return found


def _header(file: ExportFile) -> dict[str, Any]:
    """Also of what comes after the messages."""
    found: dict[str, Any] = {}
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), Repairs())
        try:
            for key in cursor.keys():  # noqa: SIM118
                if key in _HEADER:
                    found[key] = cursor.value()
                else:
                    cursor.skip()
        except BrokenJsonError:
            # The same break is met and told of when the messages are read.
            return found
    return found


def _dump(file: ExportFile, header: dict[str, Any], head: bytes) -> Dump:
    stated = {key: value for key, value in header.items() if isinstance(value, str)}
    name = name_of(file)
    match = _FILE.fullmatch(name)
    channel = stated.get("channel_id") or (match["id"] if match else name.removesuffix(".json"))
    thread = stated.get("thread_ts") or (match["thread"] if match else None) or ""
    title = stated.get("name", "").strip()
    users = () if title else tuple(dict.fromkeys(id.decode() for id in _USER.findall(head)))
    return Dump(file, channel, title, thread, users)
