"""What IRC clients put between the characters of a text: colours and styles."""

from __future__ import annotations

import re

# Colour (3) and hexadecimal colour (4) have numbers; the others stand alone: bold (2), reset (f),
# monospace (11), reverse (16), italic (1d), strike-through (1e) and underline (1f).
_CODES = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?"
    r"|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    r"|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)


def without_codes(line: str) -> str:
    return _CODES.sub("", line)
