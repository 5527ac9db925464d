"""How a blob is encrypted: chunk by chunk, so that any part of it can be read and verified alone.

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015) over AES-256-GCM:
a chunk's nonce says which one it is and whether it is the last, so that chunks which were
reordered, dropped or added do not open. The header is authenticated with every chunk.
"""

from __future__ import annotations

import io
import os
import struct
from collections import OrderedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ports.blobs import BlobDamagedError

MAGIC = b"CHATBLB\x01"  # the last byte is the format's version
HEADER = struct.Struct(">8sB7s")  # magic, chunk size as a power of two, nonce prefix
NONCE = struct.Struct(">7sIB")  # prefix, number of the chunk, 1 for the last one
PREFIX_SIZE = 7  # bytes
TAG_SIZE = 16  # bytes
CHUNK_BITS = 20  # 1 MiB
CHUNK_BITS_ALLOWED = range(6, 25)  # small ones make tests thorough
CHUNKS_KEPT = 4  # decrypted, per open stream: a zip's directory and the member being read


class ChunkCipher:
    """One blob's key and header."""

    def __init__(self, key: bytes, header: bytes) -> None:
        """
        Raises:
            ValueError: if the header is not one of ours.
        """
        if len(header) != HEADER.size:
            raise ValueError("its header is cut off")
        magic, bits, self._prefix = HEADER.unpack(header)
        if magic != MAGIC or bits not in CHUNK_BITS_ALLOWED:
            raise ValueError("its header is not one that this version writes")
        self.header = header
        self.chunk_size: int = 1 << bits
        self._aead = AESGCM(key)

    @classmethod
    def create(cls, key: bytes, chunk_bits: int = CHUNK_BITS) -> ChunkCipher:
        return cls(key, HEADER.pack(MAGIC, chunk_bits, os.urandom(PREFIX_SIZE)))

    def seal(self, number: int, chunk: bytes | bytearray, *, is_last: bool) -> bytes:
        return self._aead.encrypt(self._nonce(number, is_last=is_last), chunk, self.header)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """
        Raises:
            cryptography.exceptions.InvalidTag: if it is not this chunk of this blob.
        """
        return self._aead.decrypt(self._nonce(number, is_last=is_last), sealed, self.header)

    def chunks(self, size: int) -> int:
        """How many chunks hold `size` bytes. Nothing at all is one empty chunk."""
        return max(1, -(-size // self.chunk_size))

    def require_sealed_size(self, actual: int, size: int) -> None:
        """
        Raises:
            ValueError: if a file of `actual` bytes does not hold `size` bytes of content.
        """
        expected = HEADER.size + size + self.chunks(size) * TAG_SIZE
        if actual != expected:
            raise ValueError(f"it has {actual:,} bytes on the disk, not {expected:,}")

    def _nonce(self, number: int, *, is_last: bool) -> bytes:
        return NONCE.pack(self._prefix, number, is_last)


class SealedReader(io.RawIOBase):
    """Content of a sealed file, decrypted where it is read. Owns the descriptor."""

    def __init__(self, descriptor: int, cipher: ChunkCipher, *, size: int, address: str) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._cipher = cipher
        self._size = size
        self._address = address
        self._position = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        target = origins[whence] + offset
        if target < 0:
            raise ValueError(f"cannot seek to {target}")
        self._position = target
        return target

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # narrower than "any writable buffer", which Python 3.11 has no public name for
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, self._cipher.chunk_size)
        part = memoryview(self._chunk(number))[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
            self._kept.clear()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        chunk = self._decrypt(number)
        self._kept[number] = chunk
        if len(self._kept) > CHUNKS_KEPT:
            self._kept.popitem(last=False)
        return chunk

    def _decrypt(self, number: int) -> bytes:
        sealed_chunk_size = self._cipher.chunk_size + TAG_SIZE
        is_last = number == self._cipher.chunks(self._size) - 1
        position = HEADER.size + number * sealed_chunk_size
        sealed = os.pread(self._descriptor, sealed_chunk_size, position)
        try:
            return self._cipher.open(number, sealed, is_last=is_last)
        except InvalidTag as error:
            raise BlobDamagedError(
                f"blob {self._address}: the bytes from {number * self._cipher.chunk_size:,} on "
                "are not the ones that were stored; upload the file again or restore the blob "
                "from a backup"
            ) from error
