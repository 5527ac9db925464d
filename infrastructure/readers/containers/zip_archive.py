"""Zip archives from strangers, opened without trust and never unpacked to disk."""

from __future__ import annotations

import errno
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO, Self, cast

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

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_END_RECORD = struct.Struct("<4s4H2LH")
# All that the standard library raises for archives that are not as they should be. An OSError is
# none of it: it says something of the machine (see SourceStream).
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError),
    *(NotImplementedError, RuntimeError, IndexError),
)
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def is_zip(file: ExportFile) -> bool:
    with file.open() as stream:
        return stream.read(4) in SIGNATURES


class SourceStream:
    """
    The archive's own bytes. Remembers that they could not be read.

    `zipfile` takes an OSError for a bad archive in places, and says so in other words.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            self._failure = error
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._stream.seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                self._failure = error
            elif whence == 0:  # before the first byte: the directory lies
                raise ValueError("a place outside the archive") from error
            raise  # from the end, zipfile knows what it means: the archive is small

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()

    def require_readable(self) -> None:
        """
        Raises:
            OSError: if that is what really happened.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


class Member:
    """A file inside an archive, itself an ExportFile."""

    def __init__(self, archive: ZipArchive, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._info = info

    @property
    def name(self) -> str:
        """The path inside the archive, with slashes."""
        return self._info.filename

    @property
    def size(self) -> int:
        """Bytes once unpacked, as the archive declares."""
        return self._info.file_size

    def open(self) -> BinaryIO:
        # Readers only read forward, rewind and close: what MemberStream offers.
        return cast("BinaryIO", MemberStream(self._archive, self._info))


class ZipArchive:
    """The members of a zip file whose directory holds nothing suspicious."""

    def __init__(self, file: ExportFile, limits: ContainerLimits = LIMITS) -> None:
        """
        Raises:
            UnreadableExportError: with the entry and what is wrong with it.
        """
        self.name = file.name
        self.limits = limits
        self.bytes_read = 0  # unpacked, over all members
        self._source = SourceStream(file.open())
        self._stream = cast("BinaryIO", self._source)  # as much of it as zipfile uses
        try:
            _check_directory_size(self._stream, file, self.limits)
            self._zip = zipfile.ZipFile(self._stream)
            self._source.require_readable()
            self.files = self._checked(file.size)
        except _DAMAGE as error:
            self._stream.close()
            self._source.require_readable()
            reason = f"the zip archive is cut off or damaged ({error}); export or copy it again"
            raise UnreadableExportError(file=file.name, reason=reason) from error
        except BaseException:
            self._stream.close()
            raise

    def _checked(self, packed_size: int) -> list[Member]:
        infos = [i for i in self._zip.infolist() if not i.is_dir() and not is_clutter(i.filename)]
        total = 0
        for info in infos:
            reason = _what_is_wrong(info)
            if reason is not None:
                place = f"{self.name}/{info.filename}"
                raise UnreadableExportError(file=place, reason=reason)
            total += info.file_size
        require_distinct(self.name, (info.filename for info in infos))
        self.limits.require_honest(self.name, unpacked=total, packed=packed_size)
        return [Member(self, info) for info in infos]

    def unpack(self, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
        return cast("zipfile.ZipExtFile", self._zip.open(info))

    def require_readable(self) -> None:
        self._source.require_readable()

    def close(self) -> None:
        self._zip.close()
        self._stream.close()


class MemberStream:
    """Reads one member forward and counts what really comes out."""

    def __init__(self, archive: ZipArchive, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._info = info
        self._source: zipfile.ZipExtFile | None = None
        self._given = 0

    def read(self, size: int = -1) -> bytes:
        """
        Raises:
            BrokenFileError: wrong checksum, damaged or truncated data, or too much of it.
        """
        try:
            if self._source is None:
                self._source = self._archive.unpack(self._info)
            data = self._source.read(size)
        except _DAMAGE as error:
            self._archive.require_readable()
            reason = f"damaged inside the archive ({error}); the rest of this file was not read"
            raise BrokenFileError(self._info.filename, reason) from error
        archive = self._archive
        archive.bytes_read += len(data)
        self._given += len(data)
        # Every member may be read twice: once to decide on dates, once for the messages.
        if archive.bytes_read > 4 * archive.limits.total_bytes:
            raise BrokenFileError(self._info.filename, "more data than the archive declares")
        return data

    def seek(self, position: int) -> int:
        """Forward, or back: then everything before is unpacked again."""
        if position < self._given:
            self.close()
            self._source, self._given = None, 0
        while self._given < position:
            if not self.read(min(position - self._given, MEBIBYTE)):
                break
        return self._given

    def close(self) -> None:
        if self._source is not None:
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _what_is_wrong(info: zipfile.ZipInfo) -> str | None:
    if leads_out(info.orig_filename):
        return "its path leads out of the archive; this is no honest export"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a symbolic link; links are not followed"
    if info.flag_bits & 0x1:
        return "is encrypted; unpack the archive with its password and zip it again without one"
    if info.compress_type not in _METHODS:
        return f"is packed by method {info.compress_type}; zip it again with the usual one"
    return None


def _check_directory_size(stream: BinaryIO, file: ExportFile, limits: ContainerLimits) -> None:
    """The directory is read into memory as a whole, so its size is looked at before."""
    start = max(0, file.size - 65_557)  # the end record and the longest comment
    stream.seek(start)
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD.size:
        raise zipfile.BadZipFile("the end of the archive is missing")
    *_, entries, directory_bytes, _offset, _comment = _END_RECORD.unpack_from(tail, at)
    # A longer form of the record stands before it in large archives, and wins.
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        entries, directory_bytes = struct.unpack_from("<2Q", tail, at - 76 + 32)
    if entries > limits.entries or directory_bytes > limits.directory_bytes:
        reason = f"holds {entries} files; the limit is {limits.entries}"
        raise UnreadableExportError(file=file.name, reason=reason)
