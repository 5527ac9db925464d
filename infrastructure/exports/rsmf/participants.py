"""The participants of one RSMF file: everyone whom its events name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.message import Author, Message
from infrastructure.readers.rsmf.own import AUTHOR, own_property

_NAMELESS = "participant"


class Participants:
    """
    One of each id and name. A person whose name changed within the file is listed once for each
    name, with one account.
    """

    def __init__(self, messages: Iterable[Message]) -> None:
        self._reserved = {m.author.id for m in messages if m.author is not None}
        self._by_author: dict[Author, str] = {}
        self._by_author_id: dict[str, str] = {}
        self._taken: set[str] = set()
        self.listed: list[dict[str, Any]] = []

    def of(self, author: Author) -> str:
        """The participant's id in the file."""
        known = self._by_author.get(author)
        if known is not None:
            return known
        id = self._free_id(author.id)
        self._taken.add(id)
        self._by_author[author] = id
        self._by_author_id.setdefault(author.id, id)
        entry: dict[str, Any] = {"id": id, "display": author.name}
        if author.id:
            entry["account_id"] = author.id
        if id != author.id or not author.name or author.name != author.name.strip():
            entry["custom"] = [own_property(AUTHOR, [author.id, author.name])]
        self.listed.append(entry)
        return id

    def of_id(self, author_id: str) -> str:
        """Of somebody of whom only the id is known, unless a message has the name."""
        known = self._by_author_id.get(author_id)
        return self.of(Author(author_id, author_id)) if known is None else known

    def _free_id(self, wanted: str) -> str:
        if wanted and wanted not in self._taken:
            return wanted
        stem, number = wanted or _NAMELESS, 2
        while (id := f"{stem} ({number})") in self._taken or id in self._reserved:
            number += 1
        return id
