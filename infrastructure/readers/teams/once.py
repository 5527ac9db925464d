"""
Each message once: a chat's messages lie in the files of all who take part in it.

What was read is remembered in 8 bytes a message. Where an export holds more messages than may be
remembered, its files are read several times, for one share of the messages after the other.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b

from application.ports.chat_reader import ExportFile
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.text_stream import as_utf8

_REMEMBERED = 2_000_000  # messages: at most 48 MiB while the table grows
_COUNTED_FROM = 100 * MEBIBYTE  # of files: less cannot hold more messages than that
_TIMES = (b'"CreatedDateTime"', b'"createdDateTime"')  # one in each message


def identity(*parts: str) -> int:
    """64 bits that stand for a message: never 0."""
    digest = blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") or 1


class Once:
    """A set of identities, in a table where each lies at the next free place after its own."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._places = array("Q", bytes(8 * 1024))
        self._mask = len(self._places) - 1
        self._count = 0
        self.has_forgotten = False  # there were more than the limit

    def add(self, identity: int) -> bool:
        """False if it is there already."""
        places, mask = self._places, self._mask
        at = identity & mask
        while found := places[at]:
            if found == identity:
                return False
            at = (at + 1) & mask
        places[at] = identity
        self._count += 1
        if self._count >= self._limit:
            self.has_forgotten = True
            self._resize(1024)
        elif self._count * 2 > mask:
            self._grow()
        return True

    def _resize(self, size: int) -> None:
        self._places = array("Q", bytes(8 * size))
        self._mask = size - 1
        self._count = 0

    def _grow(self) -> None:
        before = self._places
        self._resize(len(before) * 2)
        places, mask = self._places, self._mask
        for identity in before:
            if identity:
                at = identity & mask
                while places[at]:
                    at = (at + 1) & mask
                places[at] = identity
                self._count += 1


def shares_of(files: Sequence[ExportFile], limit: int = _REMEMBERED) -> int:
    """In how many shares the messages of the files can be remembered."""
    if len(files) < 2 or sum(file.size for file in files) < _COUNTED_FROM * limit // _REMEMBERED:
        return 1
    return sum(map(_messages_in, files)) // limit + 1


def is_of_share(identity: int, share: int, shares: int) -> bool:
    return shares == 1 or (identity >> 32) % shares == share


def _messages_in(file: ExportFile) -> int:
    """At least as many as there are."""
    count = 0
    with file.open() as stream:
        source = as_utf8(stream)
        tail = b""
        while data := source.read(MEBIBYTE):
            data = tail + data
            count += sum(data.count(time) for time in _TIMES)
            tail = data[1 - len(_TIMES[0]) :]
    return count
