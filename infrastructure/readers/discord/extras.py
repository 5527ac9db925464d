"""What a Message has no place for is kept with it, but for the names of other people."""

from __future__ import annotations

from typing import Any

from infrastructure.readers.discord.snowflakes import id_of
from infrastructure.readers.json_values import storable
from infrastructure.readers.reading import count_key

# They have their place in a Message. Who is mentioned is named in its text.
_PLACED = frozenset({"id", "type", "timestamp", "timestampEdited", "content", "author", "mentions"})
_KNOWN = _PLACED | frozenset(
    {
        *("callEndedTimestamp", "isPinned", "attachments", "components", "embeds", "stickers"),
        *("reactions", "reference", "forwardedMessage", "interaction", "inlineEmojis"),
    }
)
_KNOWN_OF: dict[str, frozenset[str]] = {
    "attachments": frozenset({"id", "url", "fileName", "fileSizeBytes"}),
    "stickers": frozenset({"id", "name", "format", "sourceUrl"}),
    "reactions": frozenset({"emoji", "count", "users"}),
}


def kept(raw: dict[str, Any], unknown_keys: dict[str, int]) -> dict[str, Any]:
    """
    What there is beside the keys that are placed. Keys nobody understands are kept even if there
    is nothing in them, and counted.

    A message is sealed for its author: of other people there are but ids in it.

    Raises:
        TypeError, AttributeError: if files, stickers or reactions are not lists of objects.
    """
    extra: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in _KNOWN:
            count_key(unknown_keys, f"messages.{name}")
            extra[name] = storable(value)
        elif value and name not in _PLACED:
            if (known := _KNOWN_OF.get(name)) is not None:
                for one in value:
                    for inner in sorted(one.keys() - known):
                        count_key(unknown_keys, f"messages.{name}.{inner}")
            extra[name] = storable(_without_others(name, value))
    return extra


def _without_others(name: str, value: Any) -> Any:
    match name:
        case "reactions":  # Reaction.authors has their ids
            return [_without(one, "users") for one in value]
        case "forwardedMessage" if isinstance(value, dict):
            return _without(value, "mentions")
        case "interaction" if isinstance(value, dict):  # who asked the bot that answers
            user = value.get("user")
            asking = id_of(user.get("id")) if isinstance(user, dict) else None
            rest = _without(value, "user")
            return rest if asking is None else {**rest, "user": {"id": asking}}
        case _:
            return value


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key != name}
