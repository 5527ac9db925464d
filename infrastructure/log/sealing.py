"""Seals values with a subject's key, bound to the place they stand in."""

from __future__ import annotations

import base64
import os
import zlib
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_SIZE = 12  # bytes
COMPRESS_FROM = 512  # bytes; below that it does not pay

# The first byte of the plaintext says how to read the rest.
JSON, JSON_DEFLATED, RAW = b"j", b"z", b"b"


class Slot(NamedTuple):
    """The place of a stored event, down to its topic."""

    stream: UUID
    version: int
    topic: str

    def of(self, field: str, subject: UUID) -> bytes:
        """The associated data: a ciphertext moved to any other place does not open."""
        return f"{self.stream}|{self.version}|{self.topic}|{field}|{subject}".encode()


def seal(key: AESGCM, value: Any, slot: bytes) -> str:
    """
    Args:
        value: bytes, or anything JSON can hold.

    Returns:
        Nonce and ciphertext in base64.
    """
    if isinstance(value, bytes):
        plaintext = RAW + value
    else:
        plaintext = orjson.dumps(value)
        if len(plaintext) >= COMPRESS_FROM:
            plaintext = JSON_DEFLATED + zlib.compress(plaintext, 1)
        else:
            plaintext = JSON + plaintext
    nonce = os.urandom(NONCE_SIZE)
    return base64.b64encode(nonce + key.encrypt(nonce, plaintext, slot)).decode()


def unseal(key: AESGCM, sealed: str, slot: bytes) -> Any:
    """
    Raises:
        cryptography.exceptions.InvalidTag: if it was altered, moved, or sealed with another key.
    """
    data = base64.b64decode(sealed)
    plaintext = key.decrypt(data[:NONCE_SIZE], data[NONCE_SIZE:], slot)
    kind, value = plaintext[:1], plaintext[1:]
    if kind == RAW:
        return value
    return orjson.loads(zlib.decompress(value) if kind == JSON_DEFLATED else value)
