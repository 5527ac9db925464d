"""Who is who in a server."""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.message import Author
from infrastructure.readers.discord.snowflakes import id_of
from infrastructure.readers.json_values import storable

# Beyond these numbers those known so far are forgotten.
_NAMES_KEPT = 200_000
_PERSONS_KEPT = 10_000
_LONGEST_NAME = 1000  # characters; what is longer is no name, and not remembered
_LONGEST_PERSON = 16_000  # characters, about: some have dozens of roles
_KNOWN_KEYS = frozenset(
    {"id", "name", "discriminator", "nickname", "color", "isBot", "roles", "avatarUrl"}
)


class Person(NamedTuple):
    """Somebody as one or more messages describe them."""

    raw: dict[str, Any]
    author: Author | None
    details: dict[str, Any] | None  # what else is written of them
    unknown: tuple[str, ...]  # keys nobody understands


class People:
    """Names by id, and the authors met so far."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        self._persons: dict[str, Person] = {}

    def name(self, id: str) -> str | None:
        return self._names.get(id)

    def role(self, id: str) -> str | None:
        return self._roles.get(id)

    def call(self, id: str, name: str) -> None:
        """Remember a name."""
        _remember(self._names, id, name)

    def person(self, raw: Any) -> Person:
        """
        Raises:
            AttributeError: if it is no object.
        """
        id = raw.get("id")
        known = self._persons.get(id) if isinstance(id, str) else None
        # Mostly the same as in the message before, to the last role.
        if known is not None and known.raw == raw:
            return known
        found = self._described(raw)
        if isinstance(id, str) and _is_handy(raw):
            if len(self._persons) >= _PERSONS_KEPT:
                self._persons.clear()
            self._persons[id] = found
        return found

    def meet(self, users: Any) -> None:
        """Remember the names of users who are mentioned."""
        for one in users if isinstance(users, list) else ():
            if isinstance(one, dict) and (id := id_of(one.get("id"))) is not None:
                name = shown_name(one)
                if name is not None:
                    self.call(id, name)

    def _described(self, raw: dict[str, Any]) -> Person:
        id, name = id_of(raw.get("id")), shown_name(raw)
        author = None
        if id is not None or name is not None:
            author = Author(id or name or "", name or id or "")
        if id is not None and name is not None:
            self.call(id, name)
        self._learn_roles(raw.get("roles"))
        unknown = tuple(sorted(raw.keys() - _KNOWN_KEYS))
        told = {"id", *(key for key in ("nickname", "name") if raw.get(key) == name)}
        details = {
            key: storable(value)
            for key, value in raw.items()
            if (value and key not in told) or key in unknown
        }
        return Person(raw, author, details or None, unknown)

    def _learn_roles(self, roles: Any) -> None:
        for one in roles if isinstance(roles, list) else ():
            if isinstance(one, dict) and (id := id_of(one.get("id"))) is not None:
                name = one.get("name")
                if isinstance(name, str) and name:
                    _remember(self._roles, id, name)


def shown_name(raw: dict[str, Any]) -> str | None:
    """The name as the server shows it: the nickname, else the account's."""
    for key in ("nickname", "name"):
        name = raw.get(key)
        if isinstance(name, str) and name.strip():
            return name
    return None


def _remember(names: dict[str, str], id: str, name: str) -> None:
    if len(id) + len(name) > _LONGEST_NAME:
        return
    if len(names) >= _NAMES_KEPT:
        names.clear()
    names[id] = name


def _is_handy(raw: dict[str, Any]) -> bool:
    """Small enough to be kept; to compare deep nesting could exhaust the stack."""
    return all(map(_is_shallow, raw.values())) and len(repr(raw)) <= _LONGEST_PERSON


def _is_shallow(value: Any) -> bool:
    """A scalar, or a list of objects of scalars, as roles are."""
    if isinstance(value, list):
        return all(
            isinstance(one, dict) and not any(isinstance(v, list | dict) for v in one.values())
            for one in value
        )
    return not isinstance(value, dict)
