"""The kit finds what is wrong with a reader: each flaw that it promises to find is shown to it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from application.ports.chat_reader import (
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
    UnreadableExportError,
)
from domain.message import Author, Conversation, Message
from infrastructure.readers.testing.contract import ReaderContract
from infrastructure.readers.testing.files import GrownFile, MemoryFile
from infrastructure.readers.testing.heavy import HeavyReaderContract
from infrastructure.readers.testing.measuring import measured
from infrastructure.readers.testing.running import ContractBrokenError

LINE = re.compile(rb"(\d{1,9})\|(.{0,200})")
SAMPLE = MemoryFile(b"".join(b"%d|hello\n" % n for n in range(100, 140)), "chat.txt")


class Lines:
    """Lines of seconds and a text. Sound, unless a flaw is named."""

    format = "lines"
    version = 1
    flaw = ""

    def recognise(self, export: Export) -> Recognition | None:
        if self.flaw == "recognises by chance":
            return Recognition(self.format, random.random() or 0.1, "who knows")
        with export.files[0].open() as stream:
            head = stream.read(8 * 1024**2 if self.flaw == "recognises all of it" else 100)
        if self.flaw == "recognises no empty file":
            assert head[0]
        return Recognition(self.format, 0.9, "numbers") if LINE.match(head) else None

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        try:
            yield from self._read(export)
        except OSError:
            if self.flaw != "swallows errors of the disk":
                raise
            yield ReadWarning(export.name, None, "broken", is_fatal=True)

    def _read(self, export: Export) -> Iterator[ReadItem]:
        file = export.files[0]
        if self.flaw != "tells no conversation":
            yield Conversation("Rome", "Rome", "group")
        zone = None if self.flaw == "has no time zone" else UTC
        stream = file.open()
        if self.flaw == "reads all at once":
            assert len(stream.read()) == file.size
            stream.seek(0)
        text = b""
        for number in range(1, 10**9):
            if not (line := stream.readline(1000)):
                break
            match = LINE.fullmatch(line.rstrip(b"\n"))
            if match is None:
                if self.flaw == "breaks on an odd line":
                    raise ValueError(line)
                yield ReadWarning(file.name, number, "no message")
                continue
            if self.flaw == "depends on the past":
                self.past = getattr(self, "past", 0) + 1
            text = match[2]
            if self.flaw == "depends on what follows":
                text += b"%d" % file.size
            key = str(number)
            if self.flaw == "repeats keys":
                key = match[2].decode("cp1252", "replace")
            elif self.flaw == "depends on the past":
                key = f"{self.past}"
            elif self.flaw == "depends on the process":
                key = f"{hash(key)}"
            codec, errors = (
                "utf-8",
                "surrogateescape" if self.flaw == "half characters" else "replace",
            )
            said = text.decode(codec, errors).replace("\0", "")
            at = datetime.fromtimestamp(int(match[1]), zone)
            author = Author("Ann", "Ann")
            yield Message("Rome", key, author, at, "second", "stated", "message", said)
        if self.flaw == "takes its time":
            while file.size > 2000:
                pass
        if self.flaw != "leaves streams open":
            stream.close()
        else:
            OPEN.append(stream)
        if self.flaw == "is hasty" and number < 41:
            yield from [ReadWarning(file.name, number, "it ends here", is_fatal=True)] * 2


OPEN: list[object] = []


def contract(flaw: str = "") -> ReaderContract:
    found = ReaderContract()
    reader = Lines()
    reader.flaw = flaw
    found.reader, found.samples = reader, [SAMPLE]
    return found


CHECKS = [name for name in vars(ReaderContract) if name.startswith("test_")]


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_reader_passes(check: str) -> None:
    getattr(contract(), check)()


@pytest.mark.parametrize(
    ("flaw", "check", "said"),
    [
        ("recognises by chance", "samples_are_recognised", "is recognised as"),
        ("recognises all of it", "recognising_reads_little", "recognising read"),
        ("recognises no empty file", "an_empty_file", "IndexError"),
        ("tells no conversation", "samples_are_read_whole", "comes before its conversation"),
        ("has no time zone", "samples_are_read_whole", "sent_at that is no aware time"),
        ("repeats keys", "samples_are_read_whole", "40 messages have the key"),
        ("depends on the past", "the_same_bytes", "item 2 is"),
        ("leaves streams open", "streams_are_closed", "1 streams are still open"),
        ("depends on what follows", "a_beginning_gives", "message 1 is another one"),
        ("is hasty", "a_beginning_gives", "2 fatal warnings"),
        ("breaks on an odd line", "damage_and_malice", "raised ValueError"),
        ("half characters", "damage_and_malice", "domain.message says: text"),
        ("swallows errors of the disk", "a_failing_disk", "failing disk"),
    ],
)
def test_a_flaw_is_found(flaw: str, check: str, said: str) -> None:
    [name] = [name for name in CHECKS if name.startswith(f"test_{check}")]
    with pytest.raises(ContractBrokenError, match=said):
        getattr(contract(flaw), name)()


@pytest.mark.parametrize(
    ("format", "version"), [("Lines", 1), ("li nes", 1), ("", 1), ("lines", 0), ("lines", True)]
)
def test_a_name_or_version_that_events_cannot_keep_is_found(format: str, version: int) -> None:
    found = contract()
    found.reader.format, found.reader.version = format, version  # type: ignore[misc]
    with pytest.raises(ContractBrokenError):
        found.test_the_name_and_the_version_can_be_kept_for_ever()


class Idle(Lines):
    flaw = "takes its time"


class Greedy(Lines):
    flaw = "reads all at once"


class Moody(Lines):
    flaw = "depends on the process"


class Refusing(Lines):
    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        raise UnreadableExportError(file=export.name, reason="not today")


def test_a_pass_without_an_end_is_ended_and_told_of() -> None:
    file = GrownFile(b"1|x\n", b"2|y\n", 1024**2, b"", "chat.txt")
    with pytest.raises(ContractBrokenError, match=r"took more than 2 s of processor time"):
        measured(Idle(), file, "long")


def test_memory_that_grows_with_the_file_is_found() -> None:
    thorough = HeavyReaderContract()
    thorough.reader, thorough.samples = Greedy(), [SAMPLE]
    with pytest.raises(ContractBrokenError, match=r"bytes of memory; 67,108,864 are allowed"):
        thorough.test_a_large_file_takes_little_memory()


def test_what_depends_on_the_process_is_found() -> None:
    thorough = HeavyReaderContract()
    thorough.reader, thorough.samples = Moody(), [SAMPLE]
    with pytest.raises(ContractBrokenError, match="another process reads it otherwise"):
        thorough.test_another_process_reads_the_same()


def test_a_file_that_is_refused_is_no_broken_contract() -> None:
    found = measured(Refusing(), GrownFile(b"x", b"y", 10, b"z", "chat.txt"), "refused")
    assert found.items == 0


def test_a_contract_without_samples_is_told_of() -> None:
    found = contract()
    found.samples = []
    with pytest.raises(ContractBrokenError, match="has no samples"):
        found.test_samples_are_recognised()


def test_a_grown_file_is_what_it_says() -> None:
    file = GrownFile(b"head", b"abc", 100_000, b"tail", "x")
    expected = b"head" + (b"abc" * 34_000)[:100_000] + b"tail"
    with file.open() as stream:
        assert (stream.read(), file.size) == (expected, len(expected))
        stream.seek(70_001)
        assert stream.read(10) == expected[70_001:70_011]
