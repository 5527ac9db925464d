"""When two texts are the same to people, though not to the letter."""

from __future__ import annotations

import unicodedata

# What one exporter writes and another leaves out: marks of reading direction, joiners at the end of
# a line, variation selectors, the byte order mark. Not U+200D: it makes one emoji of several.
_UNSEEN = dict.fromkeys(
    [173, 8203, 8204, 8206, 8207, 8288, 65038, 65039, 65279, *range(8234, 8239), *range(8294, 8298)]
)


def comparable(text: str) -> str:
    """
    The text without what exporters do differently: white space, composed letters, unseen marks.

    Case, punctuation and words stay: who changes them has edited the message.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    return " ".join(text.split())


def are_same_text(one: str, other: str) -> bool:
    return one == other or comparable(one) == comparable(other)
