"""A terminal, and what somebody else wrote on its way to it."""

from __future__ import annotations

import re
import sys

# What would move the cursor, change colours or turn the direction of a terminal. One for one,
# so that highlights stay where they are.
CONTROLS = dict.fromkeys(
    (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)
del CONTROLS[ord("\n")]
CONTROLS[ord("\t")] = " "


# The same in UTF-8. A JSON encoder escapes those below 32 only.
IN_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


def clean(text: str) -> str:
    """What an export holds must not speak to the terminal."""
    return text.translate(CONTROLS)


def clean_line(text: str) -> str:
    """Of a title, a name or a reason: it must not look like a second line of ours either."""
    return clean(text).replace("\n", " ")


def has_terminal() -> bool:
    """Whether somebody can be asked and sees the question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def clean_json(encoded: bytes) -> bytes:
    """The same values; what would drive a terminal stands in it as an escape."""
    return IN_JSON.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), encoded)
