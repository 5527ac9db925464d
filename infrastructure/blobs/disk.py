"""Blobs as files: `ab/<address>.<file id>` is the sealed content, `ab/<address>.key` its key.

A blob exists exactly when its key file does, and the key file names the content's file. So the
rename of the key file is the one moment at which a blob appears, and destroying the key file the
one moment at which it is erased; content that no key file names is left over and swept.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from application.ports.blobs import BlobDamagedError, BlobMissingError
from infrastructure.blobs.files import (
    locked,
    make_folder,
    remove_if_abandoned,
    require_room,
    room,
    sync_folder,
)
from infrastructure.blobs.keyfile import BlobKey, KeyFiles, destroy, file_id_of
from infrastructure.blobs.stream import CHUNK_BITS, HEADER, ChunkCipher, SealedReader
from infrastructure.blobs.writer import DiskBlobWriter
from infrastructure.keys.master import MasterKey

ADDRESS = re.compile(r"[0-9a-f]{64}")
INCOMING = "incoming"
LOCK = ".lock"
CLAIM = ".claim"
MIB = 1024 * 1024
KEEP_FREE = 256 * MIB  # so that a full disk never stops the database


class DiskBlobStore:
    """The folder may be shared by processes and containers on one machine."""

    def __init__(
        self,
        root: Path,
        master: MasterKey,
        *,
        keep_free: int = KEEP_FREE,
        chunk_bits: int = CHUNK_BITS,
    ) -> None:
        """Removes what killed processes left. Never touches what living ones are writing."""
        self._root = root
        self._keep_free = keep_free
        self._chunk_bits = chunk_bits
        self._address_key = master.derive("blob-address")
        self._keys = KeyFiles(master.derive("blob-key"))
        with room(root):
            make_folder(root / INCOMING)
        self._sweep()

    def writing(self, *, workspace_id: UUID, max_bytes: int) -> DiskBlobWriter:
        return DiskBlobWriter(
            self, self._root / INCOMING, workspace_id, max_bytes, self._chunk_bits
        )

    def open(self, address: str) -> BinaryIO:
        return io.BufferedReader(self._open_raw(address), 64 * 1024)

    def size(self, address: str) -> int:
        return self._read_key(address).size

    def exists(self, address: str) -> bool:
        return ADDRESS.fullmatch(address) is not None and self._key_path(address).exists()

    @contextmanager
    def claimed(self, address: str) -> Iterator[None]:
        """Blocks the blobs of one folder of 256: too few share it to be kept waiting."""
        folder = self._folder(address)
        with room(folder):
            make_folder(folder)
            claim = locked(folder / CLAIM)
        with claim:
            yield

    def delete(self, address: str) -> None:
        folder = self._folder(address)
        if not folder.is_dir():
            return
        with locked(folder / LOCK):
            key_path = self._key_path(address)
            if key_path.exists():
                # Under this name it is no blob any more, and a kill from here on is swept up.
                destroy(key_path.rename(key_path.with_suffix(".part")))
                sync_folder(folder)
            self._remove_contents(address)

    # What the writer needs of its store.

    def require_room(self) -> None:
        require_room(self._root, keep_free=self._keep_free)

    def address_of(self, workspace_id: UUID, content_hash: bytes) -> str:
        """Bound to the workspace: nobody learns by uploading what another workspace holds."""
        message = workspace_id.bytes + content_hash
        return hmac.new(self._address_key, message, hashlib.sha256).hexdigest()

    def adopt(self, written: Path, address: str, key: BlobKey) -> bool:
        """
        Make a completely written file the blob's content.

        Returns:
            False if the same content is there already and sound: then the file is not needed.
        """
        folder = self._folder(address)
        with room(folder):
            make_folder(folder)
            with locked(folder / LOCK):
                if self._is_sound(address):
                    return False
                self._publish(written, address, key)
        return True

    def _publish(self, written: Path, address: str, key: BlobKey) -> None:
        key_path = self._key_path(address)
        draft = key_path.with_suffix(".part")
        draft.unlink(missing_ok=True)  # of somebody who was killed here
        content = self._content_path(address, key.file_id)
        try:
            self._keys.write(draft, address, key)
            written.rename(content)
            draft.rename(key_path)
        except OSError:
            draft.unlink(missing_ok=True)
            content.unlink(missing_ok=True)
            raise
        sync_folder(content.parent)
        self._remove_contents(address, but=key.file_id)

    def _is_sound(self, address: str) -> bool:
        """Read all of it: the moment at which the right bytes are at hand is the one to repair."""
        try:
            with self._open_locked(address) as blob:
                buffer = bytearray(MIB)
                while blob.readinto(buffer):
                    pass
        except (BlobMissingError, BlobDamagedError):
            return False
        return True

    def _open_raw(self, address: str) -> SealedReader:
        folder = self._folder(address)
        if not folder.is_dir():
            raise BlobMissingError(f"there is no blob {address}")
        with locked(folder / LOCK, shared=True):
            return self._open_locked(address)

    def _open_locked(self, address: str) -> SealedReader:
        key = self._read_key(address)
        try:
            descriptor = os.open(
                self._content_path(address, key.file_id), os.O_RDONLY | os.O_CLOEXEC
            )
        except FileNotFoundError as error:
            raise BlobDamagedError(
                f"blob {address}: its content is gone, its key is not"
            ) from error
        try:
            cipher = ChunkCipher(key.secret, os.pread(descriptor, HEADER.size, 0))
            cipher.require_sealed_size(os.fstat(descriptor).st_size, key.size)
        except ValueError as error:
            os.close(descriptor)
            raise BlobDamagedError(f"blob {address}: {error}") from error
        return SealedReader(descriptor, cipher, size=key.size, address=address)

    def _read_key(self, address: str) -> BlobKey:
        try:
            return self._keys.read(self._key_path(address), address)
        except FileNotFoundError:
            raise BlobMissingError(f"there is no blob {address}") from None

    def _folder(self, address: str) -> Path:
        if not ADDRESS.fullmatch(address):
            raise BlobMissingError("an address is 64 hex digits")
        return self._root / address[:2]

    def _key_path(self, address: str) -> Path:
        return self._folder(address) / f"{address}.key"

    def _content_path(self, address: str, file_id: str) -> Path:
        return self._folder(address) / f"{address}.{file_id}"

    def _remove_contents(self, address: str, *, but: str = "") -> None:
        folder = self._folder(address)
        for path in folder.glob(f"{address}.*"):
            if path.suffix not in {".key", f".{but}"}:
                path.unlink()
        sync_folder(folder)

    def _sweep(self) -> None:
        for path in (self._root / INCOMING).iterdir():
            remove_if_abandoned(path)
        for folder in self._root.glob("[0-9a-f][0-9a-f]"):
            with locked(folder / LOCK):
                _sweep_folder(folder)


def _sweep_folder(folder: Path) -> None:
    for draft in folder.glob("*.part"):
        destroy(draft)
    keys = {path.stem: file_id_of(path) for path in folder.glob("*.key")}
    for path in folder.glob("*.????????????????"):
        named = keys.get(path.stem)
        # A key file that cannot be read names nothing we know: then it is not ours to judge.
        if named is None or (named and path.suffix != f".{named}"):
            path.unlink()
