"""Keys for messages of formats that give them no id."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

# Equal messages share a timestamp, and exports keep them near each other even where the clock
# goes back; so many distinct messages later an ordinal may be forgotten.
WINDOW = 65_536


class ContentKeys:
    """
    A key is the hash of conversation, time, author and text, and of an ordinal among equals.

    The time goes in as the export shows it, so that another assumed time zone changes no key.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def key(self, *parts: str) -> str:
        """32 hex digits. NUL separates the parts: no text holds it."""
        state = sha256("\0".join(parts).encode("utf-8", "replace"))
        base = state.digest()
        ordinal = self._seen.get(base, 0)
        self._seen[base] = ordinal + 1
        if ordinal:
            state.update(b"\0%d" % ordinal)
        elif len(self._seen) > self._window:
            self._seen.popitem(last=False)
        return state.hexdigest()[:32]
