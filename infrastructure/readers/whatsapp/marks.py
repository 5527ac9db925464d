"""The invisible characters that WhatsApp and phones put around names, dates and notices."""

from __future__ import annotations

import re

# Marks of direction, embeddings, isolates, and a byte order mark in the middle of a text.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
GENERATED = "\u200e"  # before what the iPhone itself says, and before files
_ANY = re.compile(f"[{MARKS}]")
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


def without_marks(text: str) -> str:
    """Also with plain spaces for those that do not break a line."""
    return text if text.isascii() else _ANY.sub("", text).translate(_SPACES)
