"""The part of the contract that takes minutes: exports of 100 MiB, and other processes."""

from __future__ import annotations

from collections.abc import Iterator

from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.testing.contract import ReaderContract
from infrastructure.readers.testing.files import GrownFile
from infrastructure.readers.testing.hostile import SAMPLE_BYTES, huge
from infrastructure.readers.testing.measuring import measured
from infrastructure.readers.testing.running import require

MEMORY = 64 * MEBIBYTE  # bytes that a pass may take, beyond what the process had before
_ENVIRONMENTS = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"},
)


class HeavyReaderContract(ReaderContract):
    """
    All of ReaderContract, more of its chance, and what only large files show. Linux only.

    The reader's class must be importable by its name, and be made without arguments.
    """

    seeds = range(100)
    cuts = 200
    is_thorough = True
    length = 100 * MEBIBYTE  # of a large file
    memory = MEMORY

    def test_another_process_reads_the_same(self) -> None:
        """Whatever its hash seed, time zone and locale."""
        for name, data, _ in self._parts():
            file = GrownFile(data, b"", 0, b"", name)
            one, other = (measured(self.reader, file, name, given) for given in _ENVIRONMENTS)
            same = (one.items, one.digest) == (other.items, other.digest)
            require(same, name, "another process reads it otherwise")

    def test_a_large_file_takes_little_memory(self) -> None:
        """However it is large: one line without an end, or messages without an end."""
        for name, data in self._largest():
            for what, file in huge(data, self.length, name):
                case = f"{name}: {file.length:,} bytes of {what}"
                found = measured(self.reader, file, case)
                require(
                    found.grown <= self.memory,
                    case,
                    f"{found.grown:,} bytes of memory; {self.memory:,} are allowed",
                )

    def _largest(self) -> Iterator[tuple[str, bytes]]:
        """Of each sample the largest file."""
        for sample in self._files():
            with Unpacked(sample) as export:
                largest = max(export.files, key=lambda file: file.size)
                with largest.open() as stream:
                    yield largest.name, stream.read(SAMPLE_BYTES)
