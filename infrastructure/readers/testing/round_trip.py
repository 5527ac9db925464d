"""For readers of formats that somebody can write: what was written is read back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from application.ports.chat_reader import ChatReader
from infrastructure.readers.testing.files import MemoryFile
from infrastructure.readers.testing.running import read_file, require

_START = datetime(2024, 2, 28, 23, 58, tzinfo=UTC)  # before a leap day
TEXTS = (
    "hello",
    "two\nlines, and “quotes”, 'of' \"all\" kinds",
    "👋🏽 Grüße 漢字 עברית é",
    "comma, semicolon; tab\tand | bar",
    "[2024-01-31 10:00] Ann: like a message",
    '{"text": "like JSON"}',
    "From ann@example.org",
    "\\ backslash \\n \\u0041 %41 &amp; <b>no markup</b>",
    "-1",
    "null",
    "x" * 10_000,
)
AUTHORS = ("Ann", "Bób Ünder", "李 小龍")


class Said(NamedTuple):
    author: str
    at: datetime  # in UTC, whole minutes
    text: str


class RoundTripContract:
    """
    Beside ReaderContract: set `texts` if the format cannot hold some of them.

        class TestMine(ReaderContract, RoundTripContract):
            def write(self, said): ...
    """

    reader: ChatReader
    texts: Sequence[str] = TEXTS
    written_name = "export"  # of the file

    @abstractmethod
    def write(self, said: Sequence[Said]) -> bytes:
        """An export of these messages in one conversation, in this order."""
        ...

    def test_what_is_written_is_read_back(self) -> None:
        said = [
            Said(AUTHORS[number % len(AUTHORS)], _START + timedelta(minutes=number), text)
            for number, text in enumerate(self.texts)
        ]
        for count in (1, len(said)):
            expected = said[:count]
            file = MemoryFile(self.write(expected), self.written_name)
            found = read_file(self.reader, file, f"{count} messages")
            require(found.refusal is None, file.name, f"is not read: {found.refusal}")
            got = [
                Said("" if one.author is None else one.author.name, one.sent_at, one.text)
                for one in found.messages
            ]
            for number, (one, other) in enumerate(zip(expected, got, strict=False), start=1):
                require(one == other, f"message {number}", f"{one} is read as {other}")
            require(len(got) == count, file.name, f"{count} messages are read as {len(got)}")
