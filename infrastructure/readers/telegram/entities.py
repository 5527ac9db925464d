"""Telegram's texts, which are lists of parts, as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrastructure.readers.reading import MALFORMED

_SCHEMES = ("https://", "http://", "tg://")


class Texts:
    """Renders the texts of one chat. People who are only named by their number get their name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """
        Args:
            names: of people by id, such as "user123"; may grow.
        """
        self._names = names

    def of(self, raw: Mapping[str, Any]) -> str:
        """
        A message's text. Its entities are preferred: a copy of the text may lack links.

        Raises:
            TypeError, AttributeError: if there is no text that can be read.
        """
        text, entities = raw.get("text"), raw.get("text_entities")
        if isinstance(entities, list) and not (text and _is_plain(entities)):
            try:
                return self.plain(entities) or self.plain(text)
            except MALFORMED:
                return self.plain(text)
        return text if isinstance(text, str) else self.plain(text)

    def plain(self, text: Any) -> str:
        """
        A string, or a list of strings and entities, joined without separators.

        Raises:
            TypeError, AttributeError: if it is anything else.
        """
        if isinstance(text, str):
            return text
        if text is None:
            return ""
        if not isinstance(text, list):
            raise TypeError(f"text is {type(text).__name__}")
        return "".join([part if isinstance(part, str) else self._part(part) for part in text])

    def _part(self, part: dict[str, Any]) -> str:
        text = part.get("text", "")
        if not isinstance(text, str):
            return ""
        if len(part) <= 2:
            return text
        href = part.get("href")
        if isinstance(href, str) and href and href != text:
            return link(text, href)
        if not text and isinstance(user := part.get("user_id"), int):
            known = f"user{user}"
            return f"@{self._names.get(known, known)}"
        return text


def link(text: str, href: str) -> str:
    """`label (url)`, or just the url if the label is the same address in short."""
    if _bare(text) == _bare(href):
        return href
    return f"{text} ({href})" if text else href


def _bare(address: str) -> str:
    for scheme in _SCHEMES:
        address = address.removeprefix(scheme)
    return address.rstrip("/")


def _is_plain(entities: list[Any]) -> bool:
    """Nothing, or one part without markup: the text says the same."""
    if len(entities) != 1:
        return not entities
    first = entities[0]
    return isinstance(first, dict) and first.get("type") == "plain"
