"""Which message another one quotes: exports repeat its author and text, and seldom its id."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from domain.message import Attachment

_WINDOW = 20_000  # messages of one group that a later one can be found to quote
_COMPARED = 500  # characters

_Said = tuple[str, str, int, tuple[Attachment, ...]]


class Quotes:
    """What was said in one group."""

    def __init__(self) -> None:
        self._said: OrderedDict[_Said, str] = OrderedDict()

    def add(self, key: str, author: str, text: str, files: tuple[Attachment, ...]) -> None:
        """Of equal messages the latest is the one quoted."""
        said = _said(author, text, files)
        self._said[said] = key
        if len(self._said) > _WINDOW:
            self._said.popitem(last=False)

    def find(self, author: str, text: str, files: tuple[Attachment, ...]) -> str | None:
        """The key of the message; None if no such message was added."""
        return self._said.get(_said(author, text, files))


def _said(author: str, text: str, files: tuple[Attachment, ...]) -> _Said:
    return author, text[:_COMPARED], len(text), () if text else files


def quoted_id(quoted: dict[str, Any]) -> str | None:
    """The id, of the few exports that have it."""
    written = quoted.get("message_id")
    return written if isinstance(written, str) and written else None
