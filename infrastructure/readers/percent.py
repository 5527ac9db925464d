"""Parts of addresses and of file names, with their percent signs resolved."""

from __future__ import annotations

from urllib.parse import unquote


def unescaped(part: str) -> str:
    """`%20` as the blank it stands for; without NUL, which cannot be stored."""
    return unquote(part).replace("\0", "")
