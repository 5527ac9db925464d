"""The files that hold messages are read, once for each share of the messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from application.ports.chat_reader import Export, ExportFile, ReadItem, ReadWarning
from domain.message import Conversation
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import Unparsed
from infrastructure.readers.microsoft.ordering import TOO_LARGE, Numbered, hold, rises
from infrastructure.readers.reading import MALFORMED
from infrastructure.readers.teams.directory import Directory
from infrastructure.readers.teams.documents import Document
from infrastructure.readers.teams.elements import (
    Found,
    author_name,
    chat_of,
    messages_of,
    spelled,
    stamp_of,
)
from infrastructure.readers.teams.messages import MessageConverter
from infrastructure.readers.teams.once import Once, identity, is_of_share
from infrastructure.readers.teams.places import Place, place_around, place_of
from infrastructure.readers.teams.spelling import flat

_OF_A_CHAT = frozenset({"chatType", "topic", "ChatType", "Topic"})


class Passes:
    """Reads one file after the other, and remembers which messages and conversations were told."""

    def __init__(self, export: Export, directory: Directory, converter: MessageConverter) -> None:
        self._export = export
        self._directory = directory
        self._converter = converter
        self._told = Once()
        self._first: list[Numbered] = []  # the file's elements, as far as they are held
        self._names: dict[str, dict[str, None]] | None = None  # who writes, by chats
        self.begin(0, 1)

    def begin(self, share: int, shares: int) -> None:
        """Of the messages only a share is told. What is wrong with files, with the first alone."""
        self._share = share
        self._shares = shares
        self._seen = Once()
        self._converter.begin()

    @property
    def has_forgotten(self) -> bool:
        """Whether a share was more than can be remembered."""
        return self._seen.has_forgotten

    def read(self, file: ExportFile) -> Iterator[ReadItem]:
        document = Document(file)
        elements = document.elements()
        held = hold(elements, lambda: document.position)
        self._first = held.elements
        self._names = None
        yield from self._describe(file, document)
        ordered: Iterable[Numbered] = held.elements
        is_falling = rises(_stamps(held.elements)) < 0
        if not held.is_whole:
            ordered = chain(held.elements, elements)
            if is_falling:
                yield from self._once(ReadWarning(file.name, None, TOO_LARGE))
        elif is_falling:
            ordered = reversed(held.elements)
        number = 0
        try:
            for number, raw in ordered:
                yield from self._element(file, number, raw, document)
        except BrokenJsonError as error:
            yield from self._once(self._break(file, number + 1, error))
        if held.broken is not None:
            yield from self._once(self._break(file, held.next_number, held.broken))
        for warning in document.repairs.warnings(file.name):
            yield from self._once(warning)

    def _once(self, warning: ReadWarning) -> Iterator[ReadItem]:
        if not self._share:
            yield warning

    def _break(self, file: ExportFile, line: int, error: BrokenJsonError) -> ReadWarning:
        if self._export.is_packed and file.name not in self._export.breaks:
            reason = f"{error}; the rest of this file was not read, the others were"
            return ReadWarning(file.name, line, reason)
        return ReadWarning(file.name, line, str(error), is_fatal=True)

    def _describe(self, file: ExportFile, document: Document) -> Iterator[ReadItem]:
        """A chat may be described where its messages are."""
        if document.header.keys() & _OF_A_CHAT:
            try:
                self._directory.take_chat(flat(document.header))
            except MALFORMED as error:
                reason = f"a chat that is not as Teams writes it ({error!r})"
                yield from self._once(ReadWarning(file.name, None, reason))

    def _element(
        self, file: ExportFile, number: int, raw: Any, document: Document
    ) -> Iterator[ReadItem]:
        if isinstance(raw, Unparsed):
            yield from self._once(ReadWarning(file.name, number, raw.reason))
            return
        around = place_around(document.header) if document.header else None
        try:
            for found in messages_of(raw, around, self._directory):
                yield from self._message(file, number, found)
        except TypeError as error:
            yield from self._once(_skipped(file, number, error))

    def _message(self, file: ExportFile, number: int, found: Found) -> Iterator[ReadItem]:
        """The message, if it is of this share and was not told yet."""
        try:
            raw = spelled(found)
            place = place_of(raw, found.around) or _place_by_name(file)
            key = self._converter.key(place.id, raw)
        except MALFORMED as error:
            yield from self._once(_skipped(file, number, error))
            return
        known = identity(place.id, key)
        if not is_of_share(known, self._share, self._shares) or not self._seen.add(known):
            return
        try:
            message = self._converter.message(place.id, key, raw)
        except MALFORMED as error:
            yield _skipped(file, number, error)
            return
        if self._told.add(identity(place.id)):
            yield self._conversation(place)
        yield message

    def _conversation(self, place: Place) -> Conversation:
        if place.is_channel:
            return self._directory.channel(place.id, place.team)
        if self._names is None:
            self._names = {}
            for _, raw in self._first:
                if isinstance(raw, dict) and (name := author_name(raw)):
                    self._names.setdefault(chat_of(raw), {})[name] = None
        # Without an id are those that stand where their page says.
        names = self._names.get(place.id) or self._names.get("", {})
        return self._directory.chat(place.id, list(names))


def _skipped(file: ExportFile, number: int, error: Exception) -> ReadWarning:
    reason = f"a message that is not as Teams writes it ({error!r}); skipped"
    return ReadWarning(file.name, number, reason)


def _place_by_name(file: ExportFile) -> Place:
    folder, _, name = file.name.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem.lower().startswith(("messages", "msg")) and folder:
        stem = folder.rpartition("/")[2]
    return Place(stem)


def _stamps(elements: list[Numbered]) -> Iterator[tuple[str, str]]:
    for _, raw in elements:
        if stamp := stamp_of(raw):
            yield chat_of(raw), stamp
