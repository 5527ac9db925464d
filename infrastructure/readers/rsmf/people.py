"""Who is who in a manifest."""

from __future__ import annotations

from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author
from infrastructure.readers.reading import count_key
from infrastructure.readers.rsmf.identity import is_counter, text_id, text_or_none
from infrastructure.readers.rsmf.own import AUTHOR, own_value

_PEOPLE_KEPT = 500_000  # no conversation has more; beyond, people go by their ids
_KNOWN = frozenset({"id", "display", "email", "avatar", "account_id", "custom"})


class People:
    """
    Authors by the ids of participants. Where a tool counted the participants, they are known by
    their account, else by their address, else by their name: by what the next file has, too.
    """

    def __init__(self, facts: ReadFacts) -> None:
        self._unknown = facts.unknown_keys
        self._authors: dict[str, Author] = {}
        self._taken: set[str] = set()  # ids of authors
        self.missing: set[str] = set()  # ids that the manifest does not list

    def add(self, raw: dict[str, Any]) -> None:
        """
        Of two participants with one id the first.

        Raises:
            one of reading.MALFORMED: if it is no participant.
        """
        for name in raw.keys() - _KNOWN:
            count_key(self._unknown, f"participants.{name}")
        id = text_id(raw.get("id"))
        if id is None:
            raise ValueError("a participant without an id")
        if id in self._authors or len(self._authors) >= _PEOPLE_KEPT:
            return
        own = own_value(raw.get("custom"), AUTHOR)
        if own is None:
            author = self._identified(id, raw)
        else:
            own_id, own_name = own
            if not isinstance(own_id, str) or not isinstance(own_name, str):
                raise TypeError(f"{AUTHOR} is not two texts")
            author = Author(own_id, own_name)
        self._authors[id] = author
        self._taken.add(author.id)

    def _identified(self, id: str, raw: dict[str, Any]) -> Author:
        display = text_or_none(raw.get("display"))
        email = text_or_none(raw.get("email"))
        account = raw.get("account_id")
        account = str(account) if isinstance(account, int) else text_or_none(account)
        identity = id
        if is_counter(id):
            identity = account or email or display or id
            if identity in self._taken:
                identity = f"{identity} ({id})"
        return Author(identity, display or email or account or id)

    def author(self, id: str | None) -> Author | None:
        """None for None. Whoever is not listed is named by the id."""
        if id is None:
            return None
        author = self._authors.get(id)
        if author is None:
            if len(self.missing) < _PEOPLE_KEPT:
                self.missing.add(id)
                self._authors[id] = Author(id, id)
            return Author(id, id)
        return author

    def names(self, ids: Any) -> list[str]:
        """The names of those of a list of ids that the manifest lists."""
        if not isinstance(ids, list):
            return []
        found = (self._authors.get(id) for id in ids if isinstance(id, str))
        return [author.name for author in found if author is not None]
