"""Who is who in an export: ids such as `8:live:ann`, and the names that messages show."""

from __future__ import annotations

from typing import Any

from domain.message import Author

_PEOPLE_KEPT = 100_000
_LONGEST = 1000  # characters of an id and a name; what is longer is not remembered
_THREAD = "19:"


class People:
    """Names by id. The export's owner often has none in their own messages."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def learn(self, id: str, name: Any) -> None:
        if not isinstance(name, str) or not name.strip() or not id or id.startswith(_THREAD):
            return
        if len(id) + len(name) > _LONGEST:
            return
        if id in self._names or len(self._names) < _PEOPLE_KEPT:
            self._names[id] = name.strip()

    def name(self, id: str) -> str:
        """The id without its kind where nothing better is known."""
        return self._names.get(id) or self._names.get(f"8:{id}") or id.removeprefix("8:")

    def author(self, sender: Any, name: Any) -> Author | None:
        """
        None if a thread itself speaks, or nobody.

        Raises:
            TypeError: if the sender is no text.
        """
        id = person(sender)
        if id.startswith(_THREAD):
            return None
        shown = name.strip() if isinstance(name, str) else ""
        if not id:
            return Author(shown, shown) if shown else None
        if shown and self._names.get(id) != shown:
            self.learn(id, shown)
        return Author(id, shown or self.name(id))


def person(sender: Any) -> str:
    """
    The id, which may be the end of an address.

    Raises:
        TypeError: if it is no text.
    """
    if sender is None:
        return ""
    if not isinstance(sender, str):
        raise TypeError(f"a sender is {type(sender).__name__}")
    return sender.rpartition("/")[2] if "://" in sender else sender
