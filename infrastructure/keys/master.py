"""The master key: 32 bytes outside the database, from which every other secret follows."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32  # bytes


class MasterKeyError(Exception):
    """The master key is missing or malformed. Without it sealed data cannot be read."""

    is_quotable = True


class MasterKey:
    """Never logged, never rendered, never stored beside what it protects."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_SIZE:
            raise MasterKeyError(f"the master key must be {KEY_SIZE} bytes, not {len(secret)}")
        self._secret = secret

    def __repr__(self) -> str:
        return "MasterKey(…)"

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; knowing it tells nothing about the others."""
        kdf = HKDF(
            algorithm=SHA256(), length=KEY_SIZE, salt=None, info=b"chatledger/" + purpose.encode()
        )
        return kdf.derive(self._secret)

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """From base64, as an environment variable or a secret store holds it."""
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except ValueError as error:
            raise MasterKeyError("the master key is not base64") from error
        return cls(secret)

    @classmethod
    def from_file(cls, path: Path) -> MasterKey:
        try:
            return cls.from_text(path.read_text("ascii"))
        except FileNotFoundError as error:
            raise MasterKeyError(
                f"no master key at {path}: restore it from your backup; "
                "without it nothing that is sealed can be read"
            ) from error

    @classmethod
    def create_file(cls, path: Path) -> MasterKey:
        """
        Make a new key, readable by its owner only. Never overwrites one.

        Raises:
            FileExistsError: if there is a file already.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = base64.b64encode(secrets.token_bytes(KEY_SIZE))
        # Complete before it is visible: a key half written would be a key lost.
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        finally:
            temporary.unlink()
        return cls.from_text(text.decode())
