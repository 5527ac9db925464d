"""
Graph writes its keys `likeThis`, the administrator's export and PowerShell `LikeThis`: readers
see but the first.
"""

from __future__ import annotations

from typing import Any

_DEEPEST = 12


def camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def flat(value: Any) -> dict[str, Any]:
    """
    An object with its keys as Graph writes them.

    Raises:
        TypeError: if it is no object.
    """
    if not isinstance(value, dict):
        raise TypeError(f"an object was expected, not {type(value).__name__}")
    if next(iter(value), "a")[:1].islower():
        return value  # nobody writes both ways in one object
    return {name[:1].lower() + name[1:]: inner for name, inner in value.items()}


def deep(value: Any, depth_left: int = _DEEPEST) -> Any:
    """The same for all objects inside, as deep as Graph nests them."""
    if not depth_left:
        return value
    if isinstance(value, list):
        return [deep(one, depth_left - 1) for one in value]
    if isinstance(value, dict):
        return {camel(name): deep(inner, depth_left - 1) for name, inner in value.items()}
    return value
