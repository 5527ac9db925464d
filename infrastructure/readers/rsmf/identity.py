"""
What ids mean beyond their file. RSMF promises no more than that they are unique in one manifest,
and many tools number the events, participants and conversations of each file anew: the “P1” of
one file is not the “P1” of the next.
"""

from __future__ import annotations

import re
from typing import Any

_COUNTER = re.compile(r"[^\W\d_]{0,12}[-_ .#]?\d{1,6}")


def is_counter(id: str) -> bool:
    """Whether a tool may have counted it: “1”, “P12”, “msg-0007”."""
    return len(id) <= 19 and _COUNTER.fullmatch(id) is not None


def text_id(value: Any) -> str | None:
    """
    An id as text; None if there is none. Numbers are met where the schema has texts.

    Raises:
        TypeError: if it is neither a text nor a number.
    """
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"an id is {type(value).__name__}")


def text_or_none(value: Any) -> str | None:
    """The text without white space around it; None if it is no text or an empty one."""
    return (value.strip() or None) if isinstance(value, str) else None
