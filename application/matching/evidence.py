"""Texts that an export and the archive have in common: collected in bounded memory."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

MAX_ANCHORS = 200_000  # about 60 MB
MAX_PROBES = 1_000_000


class Anchor(NamedTuple):
    """The same text in both."""

    at: int  # in the export, microseconds since 1970
    known_at: int
    unit: int  # see domain.clock
    known_unit: int
    author: UUID | None  # as the export's source ids make it
    known_author: UUID | None
    text: int  # a number that stands for the text
    is_same_key: bool


class Evidence:
    """
    What speaks for each pair of conversations, of the export and of the archive.

    Beyond the limits only some texts count, chosen by the texts themselves: the shares stay right.
    """

    def __init__(self, *, max_anchors: int = MAX_ANCHORS, max_probes: int = MAX_PROBES) -> None:
        self._max_anchors, self._max_probes = max_anchors, max_probes
        self._anchors: defaultdict[UUID, defaultdict[UUID, list[Anchor]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._probes: defaultdict[UUID, array[int]] = defaultdict(lambda: array("q"))
        self._texts: defaultdict[UUID, array[int]] = defaultdict(lambda: array("Q"))
        self._count = self._asked = 0
        self._stride = 1

    def ask(self, own: UUID, at: int, text: int) -> None:
        """A text of the export was looked up."""
        if text % self._stride:
            return
        self._probes[own].append(at)
        self._texts[own].append(text)
        self._asked += 1
        self._thin_out()

    def add(self, own: UUID, known: UUID, anchor: Anchor) -> None:
        if anchor.text % self._stride:
            return
        self._anchors[own][known].append(anchor)
        self._count += 1
        self._thin_out()

    def candidates(self, own: UUID) -> Mapping[UUID, Sequence[Anchor]]:
        return self._anchors.get(own, {})

    def conversations(self) -> list[UUID]:
        return list(self._anchors)

    def asked(self, own: UUID, first: int, last: int) -> int:
        """Texts of the export from one time to another."""
        return sum(first <= at <= last for at in self._probes[own])

    def _thin_out(self) -> None:
        while self._count > self._max_anchors or self._asked > self._max_probes:
            self._stride *= 2
            for known in self._anchors.values():
                for id, anchors in known.items():
                    known[id] = [anchor for anchor in anchors if not anchor.text % self._stride]
            for own, texts in self._texts.items():
                kept = [place for place, text in enumerate(texts) if not text % self._stride]
                probes = self._probes[own]
                self._probes[own] = array("q", (probes[place] for place in kept))
                self._texts[own] = array("Q", (texts[place] for place in kept))
            self._count = sum(len(a) for known in self._anchors.values() for a in known.values())
            self._asked = sum(map(len, self._texts.values()))
