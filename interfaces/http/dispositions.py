"""How a browser is told to save an answer, under a name that may have any characters."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

# RFC 8187: what may stand as it is in an extended value, beyond what `quote` always leaves.
ATTRIBUTE_CHARACTERS = "!#$&+^`|"
UNSAFE = frozenset('"\\%;/')


def attachment(filename: str) -> str:
    """The value of Content-Disposition (RFC 6266): for clients of every age."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    fallback = "".join("_" if c in UNSAFE or not c.isprintable() else c for c in plain).strip()
    stem = fallback.partition(".")[0]
    if not stem:
        fallback = f"file{fallback}"
    name = f'attachment; filename="{fallback}"'
    if fallback == filename:
        return name
    encoded = quote(filename.encode("utf-8", "replace"), safe=ATTRIBUTE_CHARACTERS)
    return f"{name}; filename*=UTF-8''{encoded}"
