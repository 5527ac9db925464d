"""Whether text without a byte order mark is UTF-16, and which of the two."""

from __future__ import annotations

import codecs
import unicodedata

GUESSED_FROM = 4096  # bytes
_LATIN = 64  # bytes of the head that is looked at first
_ODD = frozenset({"Cc", "Cn", "Co"})  # control characters, unassigned ones, private ones
_CONTROLS = bytes({*range(1, 32)} - set(b"\t\n\r"))
_PLAIN = 3
_BLANKS = frozenset("\t\n\r")


def utf16_without_bom(head: bytes) -> str | None:
    """
    The encoding, or None if it is not UTF-16 or cannot be told.

    In Latin text every second byte is zero. Other scripts have such pairs only at their line
    ends, digits and blanks, but make no UTF-8 such as anybody writes.
    """
    beginning = head[:_LATIN]
    if len(beginning) < 8:
        return None
    even, odd = beginning[0::2].count(0), beginning[1::2].count(0)
    if even + odd >= len(beginning) * 0.3:
        if even == 0:
            return "utf-16-le"
        if odd == 0:
            return "utf-16-be"
    if b"\0" not in head or _is_utf8_text(head):
        return None
    found = [one for one in ("utf-16-le", "utf-16-be") if _is_plausible(head, one)]
    return found[0] if len(found) == 1 else None


def _is_utf8_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # it may end within a character
    except UnicodeDecodeError:
        return False
    # Arabic or Cyrillic in UTF-16 is valid, but every second byte is 4 or 6.
    return (len(head) - len(head.translate(None, _CONTROLS))) * 10 <= len(head)


def _is_plausible(head: bytes, encoding: str) -> bool:
    """Whether nearly all characters exist, and some are of the kinds that every text has."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    plain = sum(c in _BLANKS or " " <= c <= "~" for c in text)
    odd = sum(c not in _BLANKS and unicodedata.category(c) in _ODD for c in text)
    return plain >= max(_PLAIN, len(text) / 50) and odd * 100 <= len(text)
