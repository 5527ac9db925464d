"""Meta writes each byte of UTF-8 as a character of its own; here they become text again."""

from __future__ import annotations

from typing import Any


def repaired(text: str) -> str:
    """The text meant; as it came, where it is no UTF-8 read as Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def as_written(text: str) -> str:
    """
    For files that hold proper text.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(text, str):
        raise TypeError(f"{type(text).__name__} in place of a text")
    return text


def repaired_all(value: Any) -> Any:
    """As `repaired`, for every text in a value that `storable` has made shallow."""
    match value:
        case str():
            return repaired(value)
        case list():
            return [repaired_all(one) for one in value]
        case dict():
            return {key: repaired_all(one) for key, one in value.items()}
        case _:
            return value
