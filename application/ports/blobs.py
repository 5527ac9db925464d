"""Port: the bytes of uploaded files, encrypted, each kept once in its workspace."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Protocol, Self
from uuid import UUID


class BlobTooLargeError(Exception):
    """More bytes came than may be stored. Nothing of them is kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit:,} bytes")
        self.limit = limit  # bytes


class NoRoomError(Exception):
    """The disk is full, or would be too full for the database beside it. Nothing is kept."""

    is_quotable = True


class BlobMissingError(Exception):
    """No blob has this address, or it was deleted."""

    is_quotable = True


class BlobDamagedError(Exception):
    """The stored bytes are not the ones that were stored: truncated, tampered with, or rotten."""

    is_quotable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    address: str  # 64 hex digits; a keyed hash, so that it confirms no guess about the content
    size: int  # bytes
    sha256: str  # of the content, 64 hex digits: personal, for it does confirm guesses
    is_new: bool  # False: the same bytes were stored already


class BlobWriter(Protocol):
    """
    Takes bytes of unknown length. Leaving its `with` block without commit removes all of them.

    It belongs to one caller, who may call from one thread after the other.
    """

    @property
    def received(self) -> int:
        """Bytes so far."""
        ...

    @property
    def address(self) -> str:
        """Where the blob will be if nothing more is written."""
        ...

    @property
    def sha256(self) -> str:
        """Of the bytes so far, 64 hex digits."""
        ...

    def write(self, chunk: bytes) -> None:
        """
        Raises:
            BlobTooLargeError: if this would exceed the limit.
            NoRoomError: if the disk is full.
        """
        ...

    def commit(self) -> StoredBlob:
        """
        Make the blob durable and visible, both or neither. Repeating it gives the same answer.

        Bytes that are stored already are verified, and replaced if they are damaged.

        Raises:
            NoRoomError: if the disk is full.
        """
        ...

    def close(self) -> None:
        """Remove what was not committed. Harmless to repeat."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class BlobStore(Protocol):
    """
    Safe for many threads and processes at once.

    The same bytes in the same workspace are stored once. Workspaces share nothing, so that a
    blob belongs to the uploads of these bytes in one workspace, of which all but the last are
    withdrawn.
    """

    def writing(self, *, workspace_id: UUID, max_bytes: int) -> BlobWriter:
        """
        Raises:
            NoRoomError: if the disk is full.
        """
        ...

    def open(self, address: str) -> BinaryIO:
        """
        A seekable, read-only stream of the content; the caller closes it.

        Only what is read is decrypted and verified, so that a damaged place is found on the way:
        every read may raise BlobDamagedError.

        Raises:
            BlobMissingError: if there is none.
            BlobDamagedError: if its key or its length is wrong.
        """
        ...

    def size(self, address: str) -> int:
        """
        Bytes of content.

        Raises:
            BlobMissingError, BlobDamagedError: as in `open`.
        """
        ...

    def exists(self, address: str) -> bool: ...

    def claimed(self, address: str) -> AbstractContextManager[None]:
        """
        Hold off everybody else who asks for this, in whatever process: who records an upload of
        a blob, and who deletes what no upload needs any more.
        """
        ...

    def delete(self, address: str) -> None:
        """Destroy its key, then its bytes. Harmless to repeat."""
        ...
