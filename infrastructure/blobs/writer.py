"""Bytes on their way in: hashed, sealed and written as they come, in bounded memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from application.ports.blobs import BlobTooLargeError, StoredBlob
from infrastructure.blobs.files import locked_new_file, room, write_all
from infrastructure.blobs.keyfile import FILE_ID_SIZE, BlobKey
from infrastructure.blobs.stream import ChunkCipher


class Home(Protocol):
    """Of the store, what a writer needs."""

    def require_room(self) -> None: ...

    def address_of(self, workspace_id: UUID, content_hash: bytes) -> str: ...

    def adopt(self, written: Path, address: str, key: BlobKey) -> bool: ...


class DiskBlobWriter:
    def __init__(
        self, home: Home, folder: Path, workspace_id: UUID, max_bytes: int, chunk_bits: int
    ) -> None:
        self.received = 0
        self._home = home
        self._folder = folder
        self._workspace_id = workspace_id
        self._max_bytes = max_bytes
        self._secret = os.urandom(32)
        self._file_id = os.urandom(FILE_ID_SIZE).hex()
        self._cipher = ChunkCipher.create(self._secret, chunk_bits)
        self._hash = hashlib.sha256()
        self._pending = bytearray()  # the last chunk is sealed as such, so one is held back
        self._number = 0
        self._stored: StoredBlob | None = None
        self._path = folder / f"{self._file_id}.part"
        home.require_room()
        with room(folder):
            self._descriptor = locked_new_file(self._path)
        self._is_open = True
        self._put(self._cipher.header)

    @property
    def address(self) -> str:
        return self._home.address_of(self._workspace_id, self._hash.digest())

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        if not self._is_open:
            raise ValueError("this blob is finished; nothing can be added")
        if self.received + len(chunk) > self._max_bytes:
            raise BlobTooLargeError(self._max_bytes)
        self.received += len(chunk)
        self._hash.update(chunk)
        rest = memoryview(chunk)
        while rest:
            if len(self._pending) == self._cipher.chunk_size:
                self._seal(is_last=False)
            taken = self._cipher.chunk_size - len(self._pending)
            self._pending += rest[:taken]
            rest = rest[taken:]

    def commit(self) -> StoredBlob:
        if self._stored is not None:
            return self._stored
        if not self._is_open:
            raise ValueError("this blob was given up")
        self._seal(is_last=True)
        try:
            with room(self._folder):
                os.fsync(self._descriptor)
            address = self.address
            key = BlobKey(self._file_id, self.received, self._secret)
            is_new = self._home.adopt(self._path, address, key)
        finally:
            self.close()
        self._stored = StoredBlob(
            address=address, size=self.received, sha256=self.sha256, is_new=is_new
        )
        return self._stored

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._path.unlink(missing_ok=True)  # gone from here if the store has adopted it
        os.close(self._descriptor)
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _seal(self, *, is_last: bool) -> None:
        sealed = self._cipher.seal(self._number, self._pending, is_last=is_last)
        self._number += 1
        self._pending.clear()
        self._put(sealed)

    def _put(self, sealed: bytes) -> None:
        try:
            self._home.require_room()
            with room(self._folder):
                write_all(self._descriptor, sealed)
        except BaseException:
            self.close()  # the file has a hole now; and what it takes up is needed at once
            raise
