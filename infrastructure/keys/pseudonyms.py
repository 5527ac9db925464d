"""Pseudonyms by HMAC-SHA256 under keys that follow from the master key."""

from __future__ import annotations

import hmac
from functools import lru_cache
from uuid import UUID

from infrastructure.keys.master import MasterKey

VERSION_8 = 8 << 76  # RFC 9562: a UUID whose content is the application's own
VARIANT = 2 << 62
KEEP = ~((0xF << 76) | (3 << 62))


def as_uuid(digest: bytes) -> UUID:
    number = int.from_bytes(digest[:16], "big")
    return UUID(int=(number & KEEP) | VERSION_8 | VARIANT)


class HmacPseudonyms:
    """Implements the port Pseudonyms."""

    def __init__(self, master: MasterKey) -> None:
        self._subjects = master.derive("pseudonym/subject")
        self._texts = master.derive("pseudonym/text")
        self._cached = lru_cache(maxsize=65_536)(self._subject)

    def conversation(self, workspace_id: UUID, format: str, source_id: str) -> UUID:
        return self._cached("conversation", workspace_id, format, source_id)

    def author(self, workspace_id: UUID, format: str, source_id: str) -> UUID:
        return self._cached("author", workspace_id, format, source_id)

    def text(self, workspace_id: UUID, text: str) -> UUID:
        message = workspace_id.bytes + text.encode("utf-8", "surrogatepass")
        return as_uuid(hmac.digest(self._texts, message, "sha256"))

    def _subject(self, kind: str, workspace_id: UUID, format: str, source_id: str) -> UUID:
        # Length-prefixed: no two different triples give the same message.
        parts = [kind.encode(), format.encode(), source_id.encode("utf-8", "surrogatepass")]
        message = workspace_id.bytes + b"".join(len(p).to_bytes(4, "big") + p for p in parts)
        return as_uuid(hmac.digest(self._subjects, message, "sha256"))
