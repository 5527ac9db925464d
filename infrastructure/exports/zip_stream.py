"""
A zip file as a stream: stored files one after the other, and at the end where each of them is.

Python's own writes no second half of a zip whose first half was sent an hour ago; this does. Each
file is known in full when its header is written, so that every tool can read it, also as a stream.
Zip64 only where it is needed.
"""

from __future__ import annotations

import struct
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator, Sequence

IN_MEMORY = 256 * 1024  # bytes of a directory; a longer one is on the disk
PIECE = 256 * 1024
DATE = (1 << 5) | 1  # 1980-01-01: the same bytes for the same files
MADE_BY = (3 << 8) | 45  # Unix, version 4.5 of the format
MODE = 0o100644 << 16
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
UTF_8 = 1 << 11
FACTS = 22  # bytes that the header and the directory say alike of a file


def local_header(name: str, content: Sequence[bytes]) -> tuple[bytes, bytes, int]:
    """
    What stands before the file.

    Args:
        content: less than 4 GiB, in pieces.

    Returns:
        the header, what the directory has to say of the file, and the file's size with its header.

    Raises:
        ValueError: if it is too large.
    """
    encoded = name.encode()
    check, size = 0, 0
    for piece in content:
        check = zlib.crc32(piece, check)
        size += len(piece)
    if size >= MAX_32:
        raise ValueError("a file of 4 GiB or more")
    facts = struct.pack("<HHHHHIII", 20, UTF_8, 0, 0, DATE, check, size, size)
    header = b"PK\x03\x04" + facts + struct.pack("<HH", len(encoded), 0) + encoded
    return header, facts + encoded, len(header) + size


def directory_entry(facts: bytes, offset: int) -> bytes:
    """
    Args:
        facts: as `local_header` gives them.
        offset: of the file's header.
    """
    extra = struct.pack("<HHQ", 1, 8, offset) if offset >= MAX_32 else b""
    known, name = facts[:FACTS], facts[FACTS:]
    if extra:
        known = struct.pack("<H", 45) + known[2:]  # the version of the format that it needs
    return b"".join(
        (
            b"PK\x01\x02",
            struct.pack("<H", MADE_BY),
            known,
            struct.pack("<HHHHHI", len(name), len(extra), 0, 0, 0, MODE),
            struct.pack("<I", min(offset, MAX_32)),
            name,
            extra,
        )
    )


def ending(count: int, size: int, offset: int) -> bytes:
    """
    What stands after the directory.

    Args:
        count: of files.
        size: of the directory, in bytes.
        offset: of the directory.
    """
    end = struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        min(count, MAX_16),
        min(count, MAX_16),
        min(size, MAX_32),
        min(offset, MAX_32),
        0,
    )
    if count < MAX_16 and size < MAX_32 and offset < MAX_32:
        return end
    large = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, MADE_BY, 45, 0, 0, count, count, size, offset
    )
    where = struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1)
    return large + where + end


class Directory:
    """
    The entries of a zip, kept until its end. It may be continued from any entry on, also by
    several at once: whoever makes the same zip writes the same bytes in the same places.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives with this
        weakref.finalize(self, self._file.close)
        self._lock = threading.Lock()

    def put(self, offset: int, entry: bytes) -> None:
        with self._lock:
            self._file.seek(offset)
            self._file.write(entry)

    def pieces(self, size: int) -> Iterator[bytes]:
        """The first `size` bytes."""
        for start in range(0, size, PIECE):
            with self._lock:
                self._file.seek(start)
                piece = self._file.read(min(PIECE, size - start))
            yield piece
