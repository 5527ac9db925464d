"""Export files that a test makes: in memory, endless, counted, or on a disk that fails."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile, ReadWarning


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """An ExportFile of a few bytes."""

    data: bytes
    name: str = "export.bin"

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class PlainExport:
    """An Export of these files, without an archive around them."""

    name: str
    files: Sequence[ExportFile]
    is_packed: bool
    warnings: Sequence[ReadWarning] = ()
    breaks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GrownFile:
    """`unit`, repeated up to `length` bytes, between `head` and `tail`; takes no room anywhere."""

    head: bytes
    unit: bytes
    length: int  # bytes of the repetition
    tail: bytes
    name: str

    @property
    def size(self) -> int:
        return len(self.head) + self.length + len(self.tail)

    def open(self) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_GrownStream(self), 64 * 1024))


class _GrownStream(io.RawIOBase):
    def __init__(self, file: GrownFile) -> None:
        super().__init__()
        self._file = file
        self._position = 0
        self._block = file.unit * (64 * 1024 // max(1, len(file.unit)) + 2)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        data = self._piece(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _piece(self, wanted: int) -> bytes:
        file, at = self._file, self._position
        if at < len(file.head):
            return file.head[at : at + wanted]
        at -= len(file.head)
        if at < file.length:
            start = at % len(file.unit)
            return self._block[start : start + min(wanted, 64 * 1024, file.length - at)]
        at -= file.length
        return file.tail[at : at + wanted]

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origins = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._file.size,
        }
        self._position = max(0, origins[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position


class WatchedFile:
    """
    Another file, with what a reader does to it.

    Args:
        calls_left: after so many calls of `read` and `seek` each one fails, as on a broken disk.
    """

    def __init__(self, file: ExportFile, *, calls_left: int | None = None) -> None:
        self.name = file.name
        self.size = file.size
        self.bytes_read = 0  # by all who have opened it
        self.open_streams = 0
        self.has_failed = False
        self._file = file
        self._calls_left = calls_left

    def open(self) -> BinaryIO:
        self.open_streams += 1
        return cast("BinaryIO", io.BufferedReader(_WatchedStream(self, self._file.open()), 8192))

    def called(self) -> None:
        """
        Raises:
            OSError: when it is time to fail.
        """
        if self._calls_left is None:
            return
        self._calls_left -= 1
        if self._calls_left < 0:
            self.has_failed = True
            raise OSError(errno.EIO, "Input/output error")


class _WatchedStream(io.RawIOBase):
    def __init__(self, file: WatchedFile, source: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._source = source

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        self._file.called()
        data = self._source.read(len(buffer))
        self._file.bytes_read += len(data)
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._file.called()
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def close(self) -> None:
        if not self.closed:
            self._file.open_streams -= 1
            self._source.close()
        super().close()


def pieces(data: bytes, number: int) -> Iterator[bytes]:
    """Beginnings of the data, about so many, the shortest first; never all of it."""
    last = 0
    for step in range(1, number + 1):
        length = len(data) * step // (number + 1)
        if length > last:
            yield data[:length]
            last = length
