"""
A folder on this machine's disk, as the one file that is kept of it: a tar archive.

The archive is made while it is read and takes no room. It depends on the names and bytes of the
files only: the same files give the same archive, whenever they were copied and whoever owns them.
"""

from __future__ import annotations

import bisect
import io
import itertools
import tarfile
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from application.ports.chat_reader import ReadWarning
from infrastructure.readers.containers.contents import LIMITS, ContainerLimits
from infrastructure.readers.containers.tar_archive import BLOCK
from infrastructure.readers.containers.walking import Folder, Found

_END = 2 * BLOCK  # of zeros
_MODE = 0o644


class _Piece(NamedTuple):
    """A stretch of the archive: a header, then a file with zeros up to a whole block."""

    header: bytes
    file: Found

    @property
    def size(self) -> int:
        return len(self.header) + _padded(self.file.size)


class PackedFolder:
    """
    An ExportFile. Its files are those that were there when it was made; they are looked at again
    when they are read, so that a folder that changes meanwhile is told of, and never kept by half.
    """

    def __init__(self, path: Path, limits: ContainerLimits = LIMITS) -> None:
        """
        Raises:
            UnreadableExportError: if it is empty or too large, or something in it cannot be read.
        """
        self._folder = Folder(path, limits)
        self._pieces = [_Piece(_header(file), file) for file in self._folder.files]
        self._starts = [0, *itertools.accumulate(piece.size for piece in self._pieces)]

    @property
    def name(self) -> str:
        return f"{self._folder.name}.tar"

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return self._starts[-1] + _END

    @property
    def warnings(self) -> list[ReadWarning]:
        """What of the folder is left out, and why."""
        return self._folder.warnings

    def open(self) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_FolderStream(self), 256 * 1024))

    def read(self, position: int, wanted: int, held: _Held) -> bytes:
        """
        Some bytes of the archive from there on; none at its end.

        Raises:
            UnreadableExportError: if the file that is there has changed.
            OSError: if the disk fails.
        """
        if position >= self._starts[-1]:
            return bytes(max(0, min(wanted, self.size - position)))
        number = bisect.bisect_right(self._starts, position) - 1
        header, file = self._pieces[number]
        at = position - self._starts[number]
        if at < len(header):
            return header[at : at + wanted]
        at -= len(header)
        if at < file.size:
            return self._content(number, file, at, min(wanted, file.size - at), held)
        return bytes(min(wanted, _padded(file.size) - at))

    def _content(self, number: int, file: Found, at: int, wanted: int, held: _Held) -> bytes:
        if held.number != number:
            held.close()
            held.stream, held.number = self._folder.open(file), number
        stream = held.stream
        if stream.tell() != at:
            stream.seek(at)
        data = stream.read(wanted)
        if len(data) < wanted or at + len(data) == file.size:
            self._folder.require_unchanged(file, stream, is_short=len(data) < wanted)
        return data


class _Held:
    """The one file of a folder that a stream has open."""

    def __init__(self) -> None:
        self.number = -1
        self.stream: BinaryIO = io.BytesIO()

    def close(self) -> None:
        self.stream.close()


class _FolderStream(io.RawIOBase):
    def __init__(self, packed: PackedFolder) -> None:
        super().__init__()
        self._packed = packed
        self._held = _Held()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        data = self._packed.read(self._position, len(buffer), self._held)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origins = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._packed.size,
        }
        self._position = max(0, origins[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


def _header(file: Found) -> bytes:
    info = tarfile.TarInfo(file.name)
    info.size, info.mode, info.mtime = file.size, _MODE, 0
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
