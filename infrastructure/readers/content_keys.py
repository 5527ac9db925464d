"""Keys for messages of formats that give them no id."""

from __future__ import annotations

from collections import deque
from hashlib import sha256

# Equal messages share a timestamp, and exports keep them near each other even where the clock
# goes back; so many distinct messages later an ordinal may be forgotten.
WINDOW = 65_536
_DIGITS = 32  # of the hash


class ContentKeys:
    """
    A key is the hash of conversation, time, author and text, and of an ordinal among equals.

    The time goes in as the export shows it, so that another assumed time zone changes no key.
    """

    __slots__ = ("_counts", "_order", "_window")

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._counts: dict[str, int] = {}  # by the key of the first of those that are equal
        self._order: deque[str] = deque()  # these keys, the oldest first

    def key(self, *parts: str) -> str:
        """32 hex digits. NUL separates the parts: no text holds it."""
        text = "\0".join(parts)
        try:
            state = sha256(text.encode())
        except UnicodeEncodeError:
            state = sha256(text.encode("utf-8", "replace"))
        key = state.hexdigest()[:_DIGITS]
        counts = self._counts
        if key in counts:
            ordinal = counts[key]
            counts[key] = ordinal + 1
            state.update(b"\0%d" % ordinal)
            return state.hexdigest()[:_DIGITS]
        counts[key] = 1
        self._order.append(key)
        if len(counts) > self._window:
            del counts[self._order.popleft()]
        return key
