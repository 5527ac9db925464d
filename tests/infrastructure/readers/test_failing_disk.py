"""A disk that fails for a moment: no fault of the file, so nothing of it may be left out."""

from __future__ import annotations

import errno
import io
import itertools
from pathlib import Path
from typing import BinaryIO

import pytest

from application.ports.chat_reader import UnreadableExportError
from tests.infrastructure.readers.support import MemoryFile, Read, read, text_file, zip_file

CHAT = "".join(f"31/12/23, 21:{n // 60:02}:{n % 60:02} - Ann: hello {n}\n" for n in range(3000))
EXPORTS = {"a text": text_file(CHAT, "chat.txt"), "an archive": zip_file({"_chat.txt": CHAT})}


class FailingFile:
    """After so many calls one fails, on whatever stream it is made; the next would succeed."""

    def __init__(self, file: MemoryFile, calls: int) -> None:
        self.data, self.name, self.size = file.data, file.name, file.size
        self.calls = calls
        self.has_failed = False

    def open(self) -> BinaryIO:
        return FailingStream(self)

    def fail_once(self) -> None:
        self.calls -= 1
        if self.calls < 0 and not self.has_failed:
            self.has_failed = True
            raise OSError(errno.EIO, "Input/output error")


class FailingStream(io.BytesIO):
    def __init__(self, file: FailingFile) -> None:
        super().__init__(file.data)
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        self._file.fail_once()
        return super().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._file.fail_once()
        return super().seek(offset, whence)


@pytest.mark.parametrize("kind", EXPORTS)
def test_a_read_that_fails_is_no_damage(kind: str) -> None:
    """Wherever it happens, while the format is recognised or while it is read."""
    whole = read(EXPORTS[kind])
    assert (len(whole.messages), whole.warnings) == (3000, [])
    for calls in itertools.count():
        file = FailingFile(EXPORTS[kind], calls)
        try:
            found = read(file)
        except OSError:
            continue
        assert not file.has_failed
        assert summary(found) == summary(whole)
        break
    assert calls > 10


def summary(found: Read) -> tuple[list[str], list[str]]:
    return found.texts, found.reasons


@pytest.mark.parametrize("length", [0xFFFFFFFE, 100_000])
def test_a_directory_that_lies_outside_of_a_file_on_disk_is_damage(
    tmp_path: Path, length: int
) -> None:
    """There, unlike in memory, it is an OSError to look before the first byte."""
    data = bytearray(EXPORTS["an archive"].data)
    at = data.rindex(b"PK\x05\x06") + 12
    data[at : at + 4] = length.to_bytes(4, "little")
    path = tmp_path / "export.zip"
    path.write_bytes(data)
    with pytest.raises(UnreadableExportError):
        read(path)
