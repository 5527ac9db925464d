"""
An archive that lies inside another one, laid out on the disk, because it is read here and there.

It is sealed with a key that nobody keeps, in a file without a name: whoever reads the disk later
reads nothing, and a killed process leaves nothing behind.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from application.ports.chat_reader import ExportFile
from infrastructure.blobs.disk import KEEP_FREE
from infrastructure.blobs.files import require_room, write_all
from infrastructure.blobs.stream import ChunkCipher, SealedReader
from infrastructure.readers.containers.contents import Budget

KEY_SIZE = 32  # bytes


class Spooled:
    """A file that can be read from any place."""

    def __init__(self, file: ExportFile, budget: Budget) -> None:
        """
        Args:
            budget: what is laid out is counted in it.

        Raises:
            UnreadableExportError: if it is a bomb.
            BrokenFileError: if it is damaged.
            NoRoomError, OSError: if there is no room for it.
        """
        self.name = file.name
        self.size = 0
        self._cipher = ChunkCipher.create(os.urandom(KEY_SIZE))
        self._file = tempfile.TemporaryFile(prefix="chatledger-")  # noqa: SIM115 - closed in `close`
        try:
            self._fill(file, budget)
        except BaseException:
            self._file.close()
            raise

    def _fill(self, file: ExportFile, budget: Budget) -> None:
        descriptor, cipher = self._file.fileno(), self._cipher
        write_all(descriptor, cipher.header)
        number, held = 0, b""
        disk = Path(tempfile.gettempdir())
        with file.open() as stream:
            while data := stream.read(cipher.chunk_size):
                self.size += len(data)
                budget.spend(len(data))
                require_room(disk, keep_free=KEEP_FREE)
                held += data
                while len(held) > cipher.chunk_size:
                    chunk, held = held[: cipher.chunk_size], held[cipher.chunk_size :]
                    write_all(descriptor, cipher.seal(number, chunk, is_last=False))
                    number += 1
        write_all(descriptor, cipher.seal(number, held, is_last=True))

    def open(self) -> BinaryIO:
        descriptor = os.dup(self._file.fileno())
        reader = SealedReader(descriptor, self._cipher, size=self.size, address=self.name)
        return cast("BinaryIO", io.BufferedReader(reader, 64 * 1024))

    def close(self) -> None:
        self._file.close()
