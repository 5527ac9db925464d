"""A file packed by gzip, as the file that is in it."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile
from infrastructure.readers.containers.contents import BrokenFileError, Budget

SIGNATURE = b"\x1f\x8b"
_DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error)


def is_gzip(file: ExportFile) -> bool:
    with file.open() as stream:
        return stream.read(2) == SIGNATURE


class GzipFile:
    """
    Unpacked anew each time it is opened; nothing of it is kept.

    Args:
        budget: what comes out of the file is counted in it, once.
    """

    def __init__(self, file: ExportFile, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self._furthest = 0  # bytes, of all who have read it

    @property
    def name(self) -> str:
        name = self._file.name
        for ending, plain in ((".tgz", ".tar"), (".gz", ""), (".gzip", "")):
            if name.lower().endswith(ending):
                return name[: -len(ending)] + plain
        return name

    @property
    def size(self) -> int:
        """Bytes while packed: how many there are unpacked is not known before."""
        return self._file.size

    def open(self) -> BinaryIO:
        # Readers only read forward, rewind and close.
        return cast("BinaryIO", GzipStream(self, self._file))

    def reached(self, position: int) -> None:
        """
        Raises:
            UnreadableExportError: if it is a bomb.
        """
        if position > self._furthest:
            self._budget.spend(position - self._furthest)
            self._furthest = position


class GzipStream(io.RawIOBase):
    """
    Raises, when it is read:
        BrokenFileError: wrong checksum, damaged or cut off.
        UnreadableExportError: if it is a bomb.
        OSError: as it came from the packed stream.
    """

    def __init__(self, file: GzipFile, packed: ExportFile) -> None:
        super().__init__()
        self._file = file
        self._source = packed.open()
        self._unpacked = gzip.GzipFile(fileobj=self._source, mode="rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            # One step at a time: what comes before the damage is given, and not lost with it.
            data = self._unpacked.read1(size) if size >= 0 else self._unpacked.read()
        except _DAMAGE as error:
            reason = f"its gzip data is cut off or damaged ({error})"
            raise BrokenFileError(self._file.name, reason) from error
        self._file.reached(self._unpacked.tell())
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the end of a gzip file is known when it is reached")
        try:
            return self._unpacked.seek(offset)
        except _DAMAGE as error:
            reason = f"its gzip data is cut off or damaged ({error})"
            raise BrokenFileError(self._file.name, reason) from error

    def tell(self) -> int:
        return self._unpacked.tell()

    def close(self) -> None:
        if not self.closed:
            self._unpacked.close()
            self._source.close()
        super().close()
