"""
What a reader has to keep, as tests that pytest collects from a subclass.

    class TestMine(ReaderContract):
        reader = MineReader()
        samples = [Path("tests/samples/export.mine")]

Needs nothing of pytest. A check that fails raises ContractBrokenError with the case that shows it;
cases are the same in each run.
"""

from __future__ import annotations

import errno
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from application.ports.chat_reader import (
    ChatReader,
    Export,
    ExportFile,
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from domain.message import Message
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.promises import is_format_name
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.testing.files import (
    GrownFile,
    MemoryFile,
    PlainExport,
    WatchedFile,
    pieces,
)
from infrastructure.readers.testing.hostile import SAMPLE_BYTES, hostile
from infrastructure.readers.testing.running import (
    ContractBrokenError,
    Pass,
    read_export,
    read_file,
    require,
)

RECOGNITION_BYTES = MEBIBYTE  # read of one file, at most, to recognise it
_FILES_CHANGED = 2  # of an archive: the largest ones
_BESIDE = 16 * 1024  # bytes of the others that stand beside the changed one


class ReaderContract:
    """
    Subclass it with a name that begins with `Test`, and set `reader` and `samples`.

    Takes about a second of processor time for each sample.
    """

    reader: ChatReader
    samples: Sequence[Path | ExportFile] = ()  # small, sound exports: tens of messages
    # Whether a file that is cut off has its first messages; else any of them, and perhaps without
    # the id of their conversation, which comes behind them.
    is_oldest_first = True
    seeds = range(6)  # how often chance damages a sample
    cuts = 16  # how many beginnings of a sample are read
    is_thorough = False  # whether each odd piece is put into every kind of place

    def test_the_name_and_the_version_can_be_kept_for_ever(self) -> None:
        """Events name both."""
        name, version = self.reader.format, self.reader.version
        require(is_format_name(name), repr(name), "is no name of a format, such as “my-chat”")
        is_number = isinstance(version, int) and not isinstance(version, bool)
        require(is_number and version > 0, name, f"version {version!r} is no whole number from 1")

    def test_samples_are_recognised(self) -> None:
        """By content, and the second time like the first."""
        readers = Readers([self.reader])
        for file in self._files():
            with readers.open(file) as export:
                _, first = readers.recognise(export)
                _, second = readers.recognise(export)
            require(first == second, file.name, f"is recognised as {first}, then as {second}")
            require(first.format == self.reader.format, file.name, f"is taken for {first.format}")
            require(0 < first.confidence <= 1, file.name, "the confidence is not from 0 to 1")
            require(first.reason.strip() != "", file.name, "the recognition has no reason")

    def test_recognising_reads_little_of_a_large_file(self) -> None:
        for name, data, rest in self._parts():
            grown = GrownFile(data, data[-SAMPLE_BYTES:] or b" ", 64 * MEBIBYTE, b"", name)
            watched = WatchedFile(grown)
            GuardedReader(self.reader).recognise(rest.with_file(watched))
            require(
                watched.bytes_read <= RECOGNITION_BYTES,
                name,
                f"recognising read {watched.bytes_read:,} bytes of it",
            )

    def test_samples_are_read_whole(self) -> None:
        """Each has messages, nothing fatal, and no two messages with one key."""
        for file, found in self._passes():
            require(found.refusal is None, file.name, f"is not read: {found.refusal}")
            require(bool(found.messages), file.name, "has no messages")
            require(not found.fatal, file.name, f"has a fatal warning: {found.fatal}")
            keys = Counter((message.conversation, message.key) for message in found.messages)
            [(place, count)] = keys.most_common(1)
            require(count == 1, file.name, f"{count} messages have the key {place}")

    def test_the_same_bytes_give_the_same_items(self) -> None:
        """Also after a pass that was given up: a job is killed, and begins again."""
        for file, first in self._passes():
            with Unpacked(file) as export:
                given_up = iter(GuardedReader(self.reader).read(export, ReadOptions(), ReadFacts()))
                list(itertools.islice(given_up, 3))
                second = read_export(self.reader, export, file.name)
                third = read_export(self.reader, export, file.name)
            for again in (second, third):
                if again.items != first.items:
                    raise ContractBrokenError(f"{file.name}: {_difference(first, again)}")
                require(again.facts == first.facts, file.name, "the facts differ from pass to pass")

    def test_streams_are_closed(self) -> None:
        """Whether it is read to the end, or given up in the middle."""
        for file in self._files():
            for items in (None, 3):
                with Unpacked(file) as export:
                    watched = [WatchedFile(one) for one in export.files]
                    seen = PlainExport(export.name, watched, export.is_packed)
                    passing = iter(
                        GuardedReader(self.reader).read(seen, ReadOptions(), ReadFacts())
                    )
                    list(itertools.islice(passing, items))
                    del passing
                    still_open = sum(one.open_streams for one in watched)
                require(still_open == 0, file.name, f"{still_open} streams are still open")

    def test_a_beginning_gives_the_first_messages_and_one_fatal_warning(self) -> None:
        """The message that is cut may be another one or missing; those before it are the same."""
        for file, whole in self._passes():
            with Unpacked(file) as export:
                if export.is_packed:
                    continue
            options = _as_found(whole)
            with file.open() as stream:
                data = stream.read()
            for piece in pieces(data, self.cuts):
                case = f"the first {len(piece):,} bytes of {file.name}"
                found = read_file(self.reader, MemoryFile(piece, file.name), case, options)
                require(len(found.fatal) <= 1, case, f"{len(found.fatal)} fatal warnings")
                self._require_beginning(case, found.messages, whole.messages)

    def test_damage_and_malice_give_warnings_at_most(self) -> None:
        """No other exception, no item that cannot be stored, and no search without an end."""
        for name, data, rest in self._parts():
            for what, changed in hostile(data, self.seeds, everywhere=self.is_thorough):
                file = MemoryFile(changed, name)
                read_export(self.reader, rest.with_file(file), f"{name}: {what}")
                self._recognise(rest.with_file(file), f"{name}: {what}")

    def test_an_empty_file_is_no_crash(self) -> None:
        """Alone it never comes here; in an archive it does."""
        for name, _, rest in self._parts():
            empty = rest.with_file(MemoryFile(b"", name))
            self._recognise(empty, f"{name}, empty")
            read_export(self.reader, empty, f"{name}, empty")

    def test_odd_names_are_no_crash(self) -> None:
        """A name is a hint, and may be any text."""
        for name, data, rest in self._parts():
            for odd in (
                "",
                ".",
                "/",
                "a" * 5000,
                "[x]\n\x1b.txt",
                "..",
                "\u202etxt.\ufffd",
                "a//b",
            ):
                export = rest.with_file(MemoryFile(data, odd))
                self._recognise(export, f"{name}, named {odd[:20]!r}")
                read_export(self.reader, export, f"{name}, named {odd[:20]!r}")

    def test_a_failing_disk_is_no_fault_of_the_file(self) -> None:
        """An OSError comes out as it is: reading again may work."""
        for file, _ in self._passes():
            for calls in (0, 1, 2, 5, 17, 100):
                watched = WatchedFile(file, calls_left=calls)
                try:
                    with Unpacked(watched) as export:
                        list(GuardedReader(self.reader).read(export, ReadOptions(), ReadFacts()))
                except OSError as error:
                    require(error.errno == errno.EIO, file.name, f"another OSError came: {error!r}")
                except UnreadableExportError as error:
                    raise ContractBrokenError(f"{file.name}: a failing disk is {error}") from error
                else:
                    require(not watched.has_failed, file.name, "a failing disk was overlooked")

    def _require_beginning(self, case: str, found: list[Message], whole: list[Message]) -> None:
        require(len(found) <= len(whole) + 1, case, f"{len(found)} messages, {len(whole)} in all")
        if self.is_oldest_first:
            for number, message in enumerate(found[:-1]):
                same = message == whole[number]
                require(same, case, f"message {number + 1} is another one: {message}")
            return
        # What comes behind the messages, and is missing, may say which conversation it is.
        others = Counter(map(_said, found)) - Counter(map(_said, whole))
        require(others.total() <= 1, case, f"messages that the whole file does not have: {others}")

    def _recognise(self, export: Export, case: str) -> None:
        try:
            self.reader.recognise(export)
        except Exception as error:
            raise ContractBrokenError(f"{case}: recognising raised {error!r}") from error

    def _files(self) -> list[ExportFile]:
        files = [LocalFile(one) if isinstance(one, Path) else one for one in self.samples]
        require(bool(files), type(self).__name__, "has no samples")
        return files

    def _passes(self) -> Iterator[tuple[ExportFile, Pass]]:
        for file in self._files():
            yield file, read_file(self.reader, file, file.name)

    def _parts(self) -> Iterator[tuple[str, bytes, _Rest]]:
        """Each file that is worth changing, and what stands beside it."""
        for sample in self._files():
            with Unpacked(sample) as export:
                by_size = sorted(export.files, key=lambda one: one.size)
                changed = by_size[-_FILES_CHANGED:]
                sizes = itertools.accumulate(one.size for one in by_size)
                small = [
                    one for one, so_far in zip(by_size, sizes, strict=True) if so_far < _BESIDE
                ]
                kept = [_beginning(one) for one in export.files if one in [*small, *changed]]
                names = {one.name for one in changed}
            for part in kept:
                if part.name in names:
                    yield part.name, part.data, _Rest(export, kept, part)


def _beginning(file: ExportFile) -> MemoryFile:
    with file.open() as stream:
        return MemoryFile(stream.read(SAMPLE_BYTES), file.name)


class _Rest:
    """An export of which one file is replaced."""

    def __init__(self, export: Export, files: Sequence[ExportFile], part: ExportFile) -> None:
        self._name = export.name
        self._is_packed = export.is_packed
        self._files = files
        self._part = part

    def with_file(self, file: ExportFile) -> PlainExport:
        files = [file if one is self._part else one for one in self._files]
        return PlainExport(self._name, files, self._is_packed)


def _said(message: Message) -> tuple[object, ...]:
    return message.author, message.sent_at, message.kind, message.text


def _as_found(whole: Pass) -> ReadOptions:
    """A person who states what only the whole file says."""
    return ReadOptions(date_order=whole.facts.date_order, columns=whole.facts.columns)


def _difference(first: Pass, again: Pass) -> str:
    if len(first.items) != len(again.items):
        return f"{len(first.items)} items, then {len(again.items)}"
    pairs = zip(first.items, again.items, strict=True)
    number, (one, other) = next((n, pair) for n, pair in enumerate(pairs) if pair[0] != pair[1])
    return f"item {number + 1} is {one}, then {other}"
