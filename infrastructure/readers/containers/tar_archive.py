"""Tar archives from strangers, opened without trust and never unpacked to disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile, UnreadableExportError
from infrastructure.readers.containers.contents import (
    LIMITS,
    BrokenFileError,
    ContainerLimits,
    is_clutter,
    leads_out,
    require_distinct,
)
from infrastructure.readers.limits import MEBIBYTE

BLOCK = 512  # bytes
_LONGEST_HEADER = MEBIBYTE  # of one entry, its long names included
_DAMAGE = (tarfile.TarError, EOFError, ValueError, OverflowError)


def is_tar(file: ExportFile) -> bool:
    """By the checksum of its first header: old archives have no other mark."""
    with file.open() as stream:
        head = stream.read(BLOCK)
    if len(head) < BLOCK or not head.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class TarMember:
    """A file inside an archive, itself an ExportFile."""

    def __init__(self, archive: ExportFile, name: str, start: int, size: int) -> None:
        self._archive = archive
        self._start = start
        self.name = name  # the path inside the archive, with slashes
        self.size = size  # bytes, as the archive declares

    def open(self) -> BinaryIO:
        return cast("BinaryIO", TarStream(self.name, self._archive.open(), self._start, self.size))


class TarStream(io.RawIOBase):
    """A stretch of the archive's bytes."""

    def __init__(self, name: str, source: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._name = name
        self._source = source
        self._start = start
        self._size = size
        self._position = 0
        source.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        data = self._source.read(wanted)
        if not data:
            raise BrokenFileError(self._name, "the tar archive is cut off inside this file")
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = max(0, origins[whence] + offset)
        self._source.seek(self._start + self._position)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class TarArchive:
    """
    The files of a tar archive that holds nothing suspicious.

    One that is cut off is read as far as it goes; `warning` says so then.
    """

    def __init__(self, file: ExportFile, limits: ContainerLimits = LIMITS) -> None:
        """
        Raises:
            UnreadableExportError: with the entry and what is wrong with it.
        """
        self.name = file.name
        self.warning: str | None = None
        self._limits = limits
        with file.open() as stream:
            self.files = [
                TarMember(file, _shown(info.name), info.offset_data, info.size)
                for info in self._infos(stream)
                if not is_clutter(info.name)
            ]
        require_distinct(self.name, (one.name for one in self.files))

    def close(self) -> None:
        """Nothing is kept open."""

    def _infos(self, stream: BinaryIO) -> Iterator[tarfile.TarInfo]:
        headers = cast("BinaryIO", HeaderStream(stream))
        count = 0
        try:
            with tarfile.open(fileobj=headers, mode="r:") as archive:
                while (info := archive.next()) is not None:
                    archive.members.clear()  # type: ignore[attr-defined] # it would keep them all
                    count += 1
                    self._require_harmless(info, count)
                    if info.isreg():
                        yield info
        except _DAMAGE as error:
            if not count:
                reason = f"the tar archive is cut off or damaged ({error}); copy it again"
                raise UnreadableExportError(file=self.name, reason=reason) from error
            self.warning = f"the tar archive is cut off or damaged ({error})"

    def _require_harmless(self, info: tarfile.TarInfo, count: int) -> None:
        reason = None
        if count > self._limits.entries:
            reason = f"more than {self._limits.entries} files"
        elif leads_out(info.name):
            reason = "its path leads out of the archive; this is no honest export"
        elif info.issym() or info.islnk():
            reason = "is a link; links are not followed"
        elif info.issparse():
            reason = "is a file with holes, which may be larger than any disk"
        elif not (info.isreg() or info.isdir()):
            reason = "is neither a file nor a folder"
        if reason is not None:
            raise UnreadableExportError(file=f"{self.name}/{info.name}", reason=reason)


def _shown(name: str) -> str:
    """A name that is no UTF-8 is one of Windows: old systems packed their own."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return name


class HeaderStream:
    """What tarfile uses of a stream. It reads a long name as a whole, whatever its length."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if size > _LONGEST_HEADER:
            raise ValueError(f"a header of {size:,} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
