"""Who is who: people, bots and devices, by the ids that Microsoft Entra gives them."""

from __future__ import annotations

from typing import Any

from domain.message import Author
from infrastructure.readers.teams.spelling import flat

_PEOPLE_KEPT = 200_000
_LONGEST = 1000  # characters of an id and a name; what is longer is not remembered
_KINDS = ("user", "application", "device", "conversation", "guest", "phone", "encrypted")


class People:
    """Names by id: of the lists, and of the messages where those say nothing."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._authors: dict[tuple[str, str], Author] = {}

    def learn(self, id: Any, name: Any) -> None:
        if not isinstance(id, str) or not isinstance(name, str) or not id or not name.strip():
            return
        if len(id) + len(name) > _LONGEST:
            return
        if id in self._names or len(self._names) < _PEOPLE_KEPT:
            self._names.setdefault(id, name.strip())

    def name(self, id: str) -> str:
        """The id itself where nothing better is known."""
        return self._names.get(id, id)

    def author(self, identities: Any) -> Author | None:
        """
        Of `from`, `initiator`, the `user` of a reaction: a set of identities of which one is set.

        Raises:
            TypeError: if it is no such object.
        """
        if identities is None:
            return None
        given = flat(identities)
        for kind in _KINDS:
            if given.get(kind) is not None:
                return self.one(given[kind])
        return self.one(given) if "id" in given or "displayName" in given else None

    def one(self, identity: Any) -> Author | None:
        """
        One identity: `{"id": …, "displayName": …}`.

        Raises:
            TypeError: if it is no such object.
        """
        given = flat(identity)
        id, name = given.get("id"), given.get("displayName")
        id = id if isinstance(id, str) else ""
        name = name.strip() if isinstance(name, str) else ""
        if not id:
            return Author(name, name) if name else None
        if name:
            self.learn(id, name)
        return self._author(id, name or self.name(id))

    def _author(self, id: str, name: str) -> Author:
        author = self._authors.get((id, name))
        if author is None:
            if len(id) + len(name) > _LONGEST:
                return Author(id, name)
            if len(self._authors) >= _PEOPLE_KEPT:
                self._authors.clear()
            author = self._authors[id, name] = Author(id, name)
        return author
