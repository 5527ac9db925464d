"""A file of a damaged archive, which ends where the damage is."""

from __future__ import annotations

import io
from collections.abc import MutableMapping
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile
from infrastructure.readers.containers.contents import BrokenFileError


class EndingFile:
    """
    Args:
        breaks: where it is noted, by the file's name, what the damage is.
    """

    def __init__(self, file: ExportFile, breaks: MutableMapping[str, str]) -> None:
        self.name = file.name
        self.size = file.size
        self._file = file
        self._breaks = breaks

    def open(self) -> BinaryIO:
        # Readers only read forward, rewind and close.
        return cast("BinaryIO", EndingStream(self.name, self._file.open(), self._breaks))


class EndingStream(io.RawIOBase):
    def __init__(self, name: str, source: BinaryIO, breaks: MutableMapping[str, str]) -> None:
        super().__init__()
        self._name = name
        self._source = source
        self._breaks = breaks
        self._has_ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._has_ended:
            return b""
        try:
            return self._source.read(size)
        except BrokenFileError as error:
            self._note(error)
            return b""

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("where the end is, is known when it is reached")
        self._has_ended = False
        try:
            return self._source.seek(offset)
        except BrokenFileError as error:
            self._note(error)
            return self._source.tell()

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _note(self, error: BrokenFileError) -> None:
        self._breaks.setdefault(self._name, error.reason)
        self._has_ended = True
