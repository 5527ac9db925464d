"""Which message a quotation is of, where only its text is known."""

from __future__ import annotations

from collections import OrderedDict

_WINDOW = 65_536


class QuotedTexts:
    """The texts of the last messages of a chat. One that was said twice answers nothing."""

    def __init__(self, window: int = _WINDOW) -> None:
        self._window = window
        self._keys: OrderedDict[int, str | None] = OrderedDict()  # hash of the text -> key

    def add(self, text: str, key: str) -> None:
        known = hash(text.strip())
        self._keys[known] = None if known in self._keys else key
        if len(self._keys) > self._window:
            self._keys.popitem(last=False)

    def key_of(self, quote: str) -> str | None:
        # signal-export takes backticks out of texts but not out of quotations.
        return self._keys.get(hash(quote.replace("`", "").strip())) if quote else None
