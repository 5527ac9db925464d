"""Cursors: opaque to clients, and nothing but the keys that a list is ordered by."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from interfaces.graphql.errors import ArgumentRefusedError

MAX_CURSOR = 2_000  # characters
BIGGEST = 2**63 - 1  # PostgreSQL's bigint
REFUSED = "this is no cursor of this list: give one that the list has named"


def encode_cursor(*keys: Any) -> str:
    """
    Args:
        keys: numbers, texts, UUIDs and aware times, which keep their microseconds.
    """
    return urlsafe_b64encode(orjson.dumps(keys)).rstrip(b"=").decode()


def decode_cursor(text: str, *types: type) -> tuple[Any, ...]:
    """
    The keys, one of each type, in order.

    Raises:
        ArgumentRefusedError: it is not a cursor with such keys.
    """
    if len(text) > MAX_CURSOR:
        raise ArgumentRefusedError(REFUSED)
    try:
        keys = orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        return tuple(READ[kind](key) for kind, key in zip(types, keys, strict=True))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise ArgumentRefusedError(REFUSED) from None


def whole(key: object) -> int:
    if isinstance(key, bool) or not isinstance(key, int) or abs(key) > BIGGEST:
        raise ValueError("not a whole number")
    return key


def number_of(key: object) -> float:
    if isinstance(key, bool) or not isinstance(key, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - as all that is no cursor
    return float(key)


def text_of(key: object) -> str:
    if not isinstance(key, str) or "\x00" in key:  # PostgreSQL's text has no U+0000
        raise ValueError("not a text")
    return key


def uuid_of(key: object) -> UUID:
    return UUID(text_of(key))


def time_of(key: object) -> datetime:
    found = datetime.fromisoformat(text_of(key))
    if found.tzinfo is None:
        raise ValueError("not a moment")
    return found.astimezone(UTC)


READ: Mapping[type, Callable[[object], Any]] = {
    int: whole,
    float: number_of,
    str: text_of,
    UUID: uuid_of,
    datetime: time_of,
}
