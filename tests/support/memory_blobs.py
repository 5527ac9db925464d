"""A blob store without a disk, for tests of what is above it."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

from application.ports.blobs import (
    BlobMissingError,
    BlobTooLargeError,
    NoRoomError,
    StoredBlob,
)


class MemoryBlobStore:
    def __init__(self, room: int | None = None) -> None:
        """`room` is how many bytes fit; None is no limit."""
        self.blobs: dict[str, bytes] = {}
        self.room = room
        self.open_writers = 0
        self._claim = threading.Lock()

    def writing(self, *, workspace_id: UUID, max_bytes: int) -> MemoryBlobWriter:
        return MemoryBlobWriter(self, workspace_id, max_bytes)

    def open(self, address: str) -> BinaryIO:
        return io.BytesIO(self._content(address))

    def size(self, address: str) -> int:
        return len(self._content(address))

    def exists(self, address: str) -> bool:
        return address in self.blobs

    @contextmanager
    def claimed(self, address: str) -> Iterator[None]:
        with self._claim:
            yield

    def delete(self, address: str) -> None:
        self.blobs.pop(address, None)

    def _content(self, address: str) -> bytes:
        try:
            return self.blobs[address]
        except KeyError:
            raise BlobMissingError(f"there is no blob {address}") from None


class MemoryBlobWriter:
    def __init__(self, store: MemoryBlobStore, workspace_id: UUID, max_bytes: int) -> None:
        self._store = store
        self._workspace_id = workspace_id
        self._max_bytes = max_bytes
        self._content = bytearray()
        self._stored: StoredBlob | None = None
        self._is_open = True
        store.open_writers += 1

    @property
    def received(self) -> int:
        return len(self._content)

    @property
    def address(self) -> str:
        return hashlib.sha256(self._workspace_id.bytes + self._content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._content).hexdigest()

    def write(self, chunk: bytes) -> None:
        if not self._is_open:
            raise ValueError("this blob is finished; nothing can be added")
        if self.received + len(chunk) > self._max_bytes:
            raise BlobTooLargeError(self._max_bytes)
        if self._store.room is not None and self.received + len(chunk) > self._store.room:
            self.close()
            raise NoRoomError("the disk is full")
        self._content += chunk

    def commit(self) -> StoredBlob:
        if self._stored is not None:
            return self._stored
        if not self._is_open:
            raise ValueError("this blob was given up")
        is_new = self.address not in self._store.blobs
        self._store.blobs[self.address] = bytes(self._content)
        self._stored = StoredBlob(
            address=self.address, size=self.received, sha256=self.sha256, is_new=is_new
        )
        self.close()
        return self._stored

    def close(self) -> None:
        self._store.open_writers -= self._is_open
        self._is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
