"""Longer texts of an export are looked up in the archive as the export is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from application.matching.evidence import Anchor, Evidence
from application.ports.chat_reader import ReadItem
from application.ports.keys import Pseudonyms
from application.ports.known_messages import KnownMessages, Occurrence
from application.storable import clean, has_own_key, key, microseconds
from domain.clock import UNITS
from domain.message import Conversation, Message

LOOKED_UP = 2_000  # texts at once
# A text that the archive has more often tells nothing. One more is asked for.
RARE = 8
LONG = 12  # letters; a sign of Chinese, Japanese or Korean counts for two
LONGEST_UNIT = UNITS["minute"]
TOLD = frozenset({"message", "action"})
CONVERSATIONS_KEPT = 10_000


@dataclass(slots=True)
class Told:
    """A conversation as the export tells of it."""

    source: str
    own: UUID
    title: str
    messages: int = 0
    with_ids: int = 0  # of them: with an id of the source's own

    @property
    def has_ids(self) -> bool:
        return self.with_ids * 2 > self.messages


class Probe(NamedTuple):
    own: UUID
    text_key: UUID
    at: int
    unit: int
    author: UUID | None
    key: str


class Prober:
    """Passes items on; afterwards `evidence` holds what they have in common with the archive."""

    def __init__(
        self, known: KnownMessages, pseudonyms: Pseudonyms, *, workspace_id: UUID, format: str
    ) -> None:
        self.evidence = Evidence()
        self.told: dict[str, Told] = {}  # by the export's id, as far as they are kept
        self._known = known
        self._pseudonyms = pseudonyms
        self._workspace_id = workspace_id
        self._format = format
        self._waiting: list[Probe] = []

    def watch(self, items: Iterable[ReadItem]) -> Iterator[ReadItem]:
        for item in items:
            if isinstance(item, Message):
                self._add(item)
            elif isinstance(item, Conversation):
                self._tell(item.id, item.title)
            yield item
        self._look_up()

    def _tell(self, source: str, title: str) -> Told | None:
        told = self.told.get(source)
        if told is None and len(self.told) < CONVERSATIONS_KEPT:
            own = self._pseudonyms.conversation(self._workspace_id, self._format, source)
            told = self.told[source] = Told(source, own, title)
        elif told is not None:
            told.title = title
        return told

    def _add(self, message: Message) -> None:
        told = self.told.get(message.conversation) or self._tell(
            message.conversation, message.conversation
        )
        if told is None:
            return
        told.messages += 1
        told.with_ids += has_own_key(message.key)
        unit = UNITS[message.precision]
        if message.kind not in TOLD or unit > LONGEST_UNIT or not is_long(message.text):
            return
        author = message.author
        self._waiting.append(
            Probe(
                told.own,
                self._pseudonyms.text(self._workspace_id, clean(message.text)),
                microseconds(message.sent_at),
                unit,
                None if author is None else self._author(author.id),
                key(message.key),
            )
        )
        if len(self._waiting) >= LOOKED_UP:
            self._look_up()

    def _author(self, source: str) -> UUID:
        return self._pseudonyms.author(self._workspace_id, self._format, source)

    def _look_up(self) -> None:
        probes, self._waiting = self._waiting, []
        keys = {probe.text_key for probe in probes}
        if not keys:
            return
        found: dict[UUID, list[Occurrence]] = {}
        for one in self._known.occurrences(self._workspace_id, keys, at_most=RARE + 1):
            found.setdefault(one.text_key, []).append(one)
        here = Counter((probe.own, probe.text_key) for probe in probes)
        for probe in probes:
            there = found.get(probe.text_key, ())
            if len(there) > RARE or here[probe.own, probe.text_key] > RARE:
                continue
            text = probe.text_key.int >> 64
            self.evidence.ask(probe.own, probe.at, text)
            for one in there:
                self.evidence.add(probe.own, one.conversation_id, anchor(probe, one, text))


def anchor(probe: Probe, known: Occurrence, text: int) -> Anchor:
    return Anchor(
        at=probe.at,
        known_at=known.sent_at,
        unit=probe.unit,
        known_unit=UNITS[known.precision],
        author=probe.author,
        known_author=known.author_id,
        text=text,
        is_same_key=known.key == probe.key,
    )


def is_long(text: str) -> bool:
    if len(text) >= LONG * 2:
        return True
    return sum(2 if sign > "\u2e80" else 1 for sign in text if sign.isalnum()) >= LONG
