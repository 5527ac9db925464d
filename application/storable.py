"""What a source says, as it can be stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

# PostgreSQL indexes keys, and refuses a row whose indexed part is longer than 2,704 bytes.
MAX_KEY_CHARACTERS = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# As readers make them of messages that have none, see ContentKeys.
HASH = re.compile(r"(.*:)?[0-9a-f]{32}", re.DOTALL)


def microseconds(at: datetime) -> int:
    """Since 1970, exact: a float of seconds would not be."""
    return (at - EPOCH) // MICROSECOND


def key(source_key: str) -> str:
    """A message's key as it is stored: the source's own, unless that is too long to be indexed."""
    cleaned: str = clean(source_key)
    if len(cleaned) <= MAX_KEY_CHARACTERS:
        return cleaned
    return f"sha256:{sha256(cleaned.encode()).hexdigest()}"


def has_own_key(source_key: str) -> bool:
    """Whether the source itself tells its messages apart."""
    return HASH.fullmatch(source_key) is None


def clean(value: Any) -> Any:
    """
    Make a value storable as PostgreSQL text and as JSON, whatever a reader let through.

    U+0000 cannot be in text there, and a lone surrogate cannot be in UTF-8.
    """
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict) or hasattr(value, "items"):
        return {clean(str(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    return value
