"""People as these exports describe them beside what a message says."""

from __future__ import annotations

from typing import Any

_IDS = frozenset({"id", "userid", "mri"})
_NAMES = frozenset(
    {"displayname", "friendlyname", "userprincipalname", "mail", "email", "givenname", "surname"}
)


def without_names(value: Any) -> Any:
    """
    The value, with people by their ids alone.

    A message is sealed for its author. Names in it of others would outlive those whom they name.
    """
    if isinstance(value, list):
        return [without_names(one) for one in value]
    if not isinstance(value, dict):
        return value
    is_person = any(key.lower() in _IDS for key in value)
    return {
        key: without_names(inner)
        for key, inner in value.items()
        if not (is_person and key.lower() in _NAMES)
    }
