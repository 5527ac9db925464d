"""A walk through `rsmf_manifest.json`, of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from application.ports.chat_reader import ExportFile, ReadFacts, ReadItem, ReadWarning
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_ahead import cursor_at
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.rsmf.conversations import Conversations, Place
from infrastructure.readers.rsmf.events import Events, Threads
from infrastructure.readers.rsmf.people import People
from infrastructure.readers.text_stream import as_utf8

VERSIONS = ("1.0.0", "2.0.0")
_LISTS = ("participants", "conversations")
_TOLD_LIMIT = 1_000_000  # conversations; beyond, one may be yielded twice
_NAMED = 5  # of what is missing


@dataclass(slots=True)
class Reading:
    """What the manifests of one export share."""

    clock: LocalClock
    facts: ReadFacts
    is_alone: bool  # whether the export is this one manifest
    keys: ContentKeys = field(default_factory=ContentKeys)
    threads: Threads = field(default_factory=Threads)
    told: set[str] = field(default_factory=set)  # conversations


class Manifest:
    def __init__(
        self,
        file: ExportFile,
        place: str,
        reading: Reading,
        *,
        files: Mapping[str, int] | None = None,
        begins: datetime | None = None,
    ) -> None:
        """
        Args:
            place: the file that warnings name.
            files: sizes in bytes by name, of the files beside it; None: it came alone.
            begins: the time of the first event, as the envelope says.
        """
        self._file = file
        self._place = place
        self._reading = reading
        self._files = files
        self._begins = begins
        self._repairs = Repairs()
        self._people = People(reading.facts)
        self._conversations = Conversations(reading.facts)
        self._seen: set[str] = set()  # keys of the document that were met
        self._element: int | None = None  # where in `events` reading is
        self.is_broken = False  # whether it ended early, which was told

    def read(self) -> Iterator[ReadItem]:
        with self._file.open() as stream:
            cursor = JsonCursor(as_utf8(stream), self._repairs)
            try:
                yield from self._document(cursor)
            except BrokenJsonError as error:
                self.is_broken = True
                yield from self._repairs.warnings(self._place)
                reason = str(error)
                is_alone = self._reading.is_alone
                if not is_alone:
                    reason += "; the rest of this file was not read, the others were"
                yield ReadWarning(self._place, self._element, reason, is_fatal=is_alone)
        yield from self._repairs.warnings(self._place)

    def _document(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            is_list = cursor.peek() == b"["
            if key in self._seen:
                cursor.skip()
            elif key in _LISTS and is_list:
                self._seen.add(key)
                yield from self._listed(cursor, key)
            elif key == "events" and is_list:
                self._seen.add(key)
                if not self._seen.issuperset(_LISTS):
                    yield from self._look_ahead(cursor)
                yield from self._events(cursor)
            elif key == "version":
                yield from self._version(cursor.value())
            else:
                if key != "eventcollectionid":
                    count_key(self._reading.facts.unknown_keys, key)
                cursor.skip()
        if "events" not in self._seen:
            yield ReadWarning(self._place, None, "the manifest has no list of events")

    def _version(self, version: Any) -> Iterator[ReadWarning]:
        if version not in VERSIONS:
            reason = f"the version {str(version)[:20]!r} of RSMF is not known; read as 2.0.0"
            yield ReadWarning(self._place, None, reason)

    def _listed(self, cursor: JsonCursor, key: str) -> Iterator[ReadWarning]:
        """Participants or conversations."""
        add: Callable[[dict[str, Any]], None] = (
            self._people.add if key == "participants" else self._conversations.add
        )
        for element, raw in enumerate(cursor.elements(), start=1):
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._place, element, f"{key}: {raw.reason}")
                continue
            try:
                add(raw)
            except MALFORMED as error:
                reason = f"{key}: {_in_words(error)}; left out"
                yield ReadWarning(self._place, element, reason)

    def _look_ahead(self, cursor: JsonCursor) -> Iterator[ReadWarning]:
        """Participants and conversations that come after the events."""
        with cursor_at(self._file, cursor.position) as ahead:
            try:
                for key in ahead.keys_after():
                    if key in _LISTS and key not in self._seen and ahead.peek() == b"[":
                        self._seen.add(key)
                        yield from self._listed(ahead, key)
                    else:
                        ahead.skip()
            except BrokenJsonError:
                # The same break is met and told of when the events are read.
                return

    def _events(self, cursor: JsonCursor) -> Iterator[ReadItem]:
        reading = self._reading
        yield from self._settled()
        events = Events(
            self._people,
            self._conversations,
            reading.clock,
            reading.facts,
            keys=reading.keys,
            threads=reading.threads,
            files=self._files,
            begins=self._begins,
        )
        self._element = 1
        told = reading.told
        for element, raw in enumerate(cursor.elements(), start=1):
            self._element = element + 1
            if isinstance(raw, Unparsed):
                yield ReadWarning(self._place, element, raw.reason)
                continue
            try:
                place, message = events.message(raw)
            except MALFORMED as error:
                reason = f"an event that is not as RSMF has it ({_in_words(error)}); skipped"
                yield ReadWarning(self._place, element, reason)
                continue
            if message.conversation not in told:
                yield from self._told(place)
            yield message
        self._element = None
        yield from self._missing(events)

    def _settled(self) -> Iterator[ReadItem]:
        try:
            places = self._conversations.settle(self._people)
        except MALFORMED as error:
            reason = f"conversations: {_in_words(error)}; named by their ids"
            yield ReadWarning(self._place, None, reason)
            return
        for place in places:
            yield from self._told(place)

    def _told(self, place: Place) -> Iterator[ReadItem]:
        told = self._reading.told
        if place.conversation.id in told:
            return
        if len(told) < _TOLD_LIMIT:
            told.add(place.conversation.id)
        yield place.conversation

    def _missing(self, events: Events) -> Iterator[ReadWarning]:
        if missing := sorted(self._people.missing):
            shown = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
            reason = f"does not list {len(missing)} participants that events name ({shown})"
            yield ReadWarning(self._place, None, reason)
        if events.missing_files:
            reason = f"lacks the files of {events.missing_files} attachments that events name"
            yield ReadWarning(self._place, None, reason)
        if events.untimed:
            reason = f"{events.untimed} events without a time got that of the event before them"
            yield ReadWarning(self._place, None, reason)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else repr(error)
