"""The small file beside a blob that alone can open it: destroying it erases the blob."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ports.blobs import BlobDamagedError
from infrastructure.blobs.files import new_file, write_all

MAGIC = b"CHATKEY\x01"  # the last byte is the format's version
LAYOUT = struct.Struct(">8s8sQ12s48s")  # magic, file id, size, nonce, wrapped key with its tag
FILE_ID_SIZE = 8  # bytes
NONCE_SIZE = 12  # bytes


@dataclass(frozen=True, slots=True)
class BlobKey:
    """
    A blob's own key, what it opens and how large that is.

    It names the file it opens: of two processes that store the same bytes at once each has a key
    of its own, and whichever key file stays fits the file that it names.
    """

    file_id: str  # 16 hex digits
    size: int  # bytes of content
    secret: bytes

    def __repr__(self) -> str:
        return f"BlobKey({self.file_id}, {self.size})"


class KeyFiles:
    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapper = AESGCM(wrapping_key)

    def write(self, path: Path, address: str, key: BlobKey) -> None:
        """Durable once the folder is. There must be no such file yet."""
        nonce = os.urandom(NONCE_SIZE)
        file_id = bytes.fromhex(key.file_id)
        bound = _bound(address, file_id, key.size)
        wrapped = self._wrapper.encrypt(nonce, key.secret, bound)
        descriptor = new_file(path)
        try:
            write_all(descriptor, LAYOUT.pack(MAGIC, file_id, key.size, nonce, wrapped))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, path: Path, address: str) -> BlobKey:
        """
        Raises:
            FileNotFoundError: if there is none.
            BlobDamagedError: if it does not open.
        """
        try:
            magic, file_id, size, nonce, wrapped = LAYOUT.unpack(path.read_bytes())
        except struct.error as error:
            raise BlobDamagedError(f"blob {address}: its key file is cut off") from error
        if magic != MAGIC:
            raise BlobDamagedError(f"blob {address}: its key file is not one of this version")
        try:
            secret = self._wrapper.decrypt(nonce, wrapped, _bound(address, file_id, size))
        except InvalidTag as error:
            raise BlobDamagedError(
                f"blob {address}: its key does not open; the key file was changed, or the master "
                "key is not the one that the blob was stored with"
            ) from error
        return BlobKey(file_id.hex(), size, secret)


def file_id_of(path: Path) -> str:
    """Which file a key file names, without opening the key. Empty if that cannot be told."""
    content = path.read_bytes()
    if len(content) != LAYOUT.size or not content.startswith(MAGIC):
        return ""
    return content[len(MAGIC) : len(MAGIC) + FILE_ID_SIZE].hex()


def destroy(path: Path) -> None:
    """Overwrite, then unlink: a journal or a copy-on-write disk may still hold the old bytes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write_all(descriptor, bytes(LAYOUT.size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()


def _bound(address: str, file_id: bytes, size: int) -> bytes:
    """What the wrapped key is good for; it opens nothing else."""
    return MAGIC + bytes.fromhex(address) + file_id + size.to_bytes(8, "big")
