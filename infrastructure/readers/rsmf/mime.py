"""The zip archive inside an e-mail message, found and decoded as a stream of any size."""

from __future__ import annotations

import binascii
import io
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message as Headers
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile
from infrastructure.readers.containers.contents import BrokenFileError
from infrastructure.readers.limits import CHUNK
from infrastructure.readers.mbox.byte_lines import ByteLines
from infrastructure.readers.mbox.parsing import parsed_headers

_HEADER_LIMIT = 64 * 1024  # bytes of the headers of a message or part; more are not looked at
_PARTS_LIMIT = 10_000
_NAME = "rsmf.zip"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_IN_ALPHABET = bytes(set(range(256)) - set(_ALPHABET))


@dataclass(frozen=True, slots=True)
class Envelope:
    headers: Headers
    archive: EnvelopedArchive | None  # the attachment rsmf.zip, else the first zip there is


def open_envelope(file: ExportFile) -> Envelope:
    """
    Look through a message for its archive, without decoding anything.

    Raises:
        BrokenFileError: if the archive is there in an encoding that RSMF does not have.
    """
    with file.open() as stream:
        lines = _Lines(stream)
        headers = parsed_headers(lines.headers())
        boundaries: set[bytes] = set()
        _add_boundary(boundaries, headers)
        if not boundaries:
            return Envelope(headers, _archive(file, lines.position, headers))
        found: EnvelopedArchive | None = None
        parts = 0
        while (line := lines.line()) and parts < _PARTS_LIMIT:
            if line[:2] != b"--" or line.strip()[2:] not in boundaries:
                continue
            parts += 1
            part = parsed_headers(lines.headers())
            _add_boundary(boundaries, part)
            archive = _archive(file, lines.position, part, boundaries)
            if archive is not None and (found is None or _filename(part) == _NAME):
                found = archive
                if _filename(part) == _NAME:
                    break
        return Envelope(headers, found)


def _add_boundary(boundaries: set[bytes], headers: Headers) -> None:
    boundary = headers.get_boundary()
    if boundary is not None and headers.get_content_maintype() == "multipart":
        boundaries.add(boundary.encode("utf-8", "surrogateescape"))


def _filename(part: Headers) -> str:
    return (part.get_filename() or "").strip().lower()


def _archive(
    file: ExportFile, offset: int, part: Headers, boundaries: Iterable[bytes] = ()
) -> EnvelopedArchive | None:
    name = _filename(part)
    if not name.endswith(".zip"):
        return None
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding != "base64":
        if name != _NAME:
            return None
        reason = f"the attachment rsmf.zip is not encoded as base64 but as {encoding or '7bit'}"
        raise BrokenFileError(file.name, reason[:200])
    return EnvelopedArchive(file, offset, tuple(b"--" + one for one in boundaries))


class EnvelopedArchive:
    """An ExportFile: the decoded attachment. Its size is known only once it was read."""

    def __init__(self, file: ExportFile, offset: int, delimiters: tuple[bytes, ...]) -> None:
        self._file = file
        self._offset = offset
        self.name = file.name
        self.size = file.size
        self.delimiters = delimiters
        # Once it was read: whether a boundary was met behind it. Without parts there is none.
        self.is_closed = not delimiters

    def open(self) -> BinaryIO:
        # It is only read forward, by whoever lays it out on the disk.
        return cast("BinaryIO", _Decoded(self, self._file.open(), self._offset))


class _Decoded(io.RawIOBase):
    """
    Base64 up to the first hyphen, which its alphabet does not have: there a boundary begins.

    Raises, when it is read:
        BrokenFileError: if it is no base64.
    """

    def __init__(self, archive: EnvelopedArchive, source: BinaryIO, offset: int) -> None:
        super().__init__()
        self._archive = archive
        self._source = source
        self._held = b""
        self._has_ended = False
        while offset and (data := source.read(min(offset, CHUNK))):
            offset -= len(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """About three quarters of `size` bytes, or fewer; empty at the end."""
        while not self._has_ended:
            data = self._source.read(CHUNK if size < 0 else max(size, 4))
            end = data.find(b"-")
            if end >= 0:
                rest = data[end:] + self._source.read(_HEADER_LIMIT)
                self._archive.is_closed = rest.startswith(self._archive.delimiters)
                data = data[:end]
            self._has_ended = end >= 0 or not data
            held = self._held + data.translate(None, _NOT_IN_ALPHABET)
            whole = len(held) - len(held) % 4
            held, self._held = held[:whole], held[whole:]
            if self._has_ended and len(self._held) > 1:
                held += self._held.ljust(4, b"=")
            try:
                plain = binascii.a2b_base64(held)
            except binascii.Error as error:
                reason = f"the attachment rsmf.zip is damaged ({error})"
                raise BrokenFileError(self._archive.name, reason) from error
            if plain:
                return plain
        return b""

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class _Lines(ByteLines):
    def headers(self) -> bytes:
        """The lines up to the next empty one, which is taken too."""
        found: list[bytes] = []
        size = 0
        while (line := self.line()).strip():
            size += len(line)
            if size <= _HEADER_LIMIT:
                found.append(line)
        return b"".join(found)
