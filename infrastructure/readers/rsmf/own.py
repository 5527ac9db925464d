"""
Custom properties under which Chatledger's own RSMF files keep what RSMF has no place for.

Their values are JSON. Other tools show them as text and need not know them.
"""

from __future__ import annotations

from typing import Any

import orjson

from infrastructure.readers.json_values import parse
from infrastructure.readers.repairs import Repairs

AUTHOR = "chatledger:author"  # of a participant: [id, name], where its id and display are others
# Of a conversation: {"id", "title", "kind"}. It also says that ids are the source's own: they
# are never taken for numbers that a tool gave to the events of one file.
CONVERSATION = "chatledger:conversation"
MESSAGE = "chatledger:message"  # of an event: those fields of its message that follow from nothing


def own_value(raw: Any, name: str) -> Any:
    """
    The decoded value of one custom property; None if there is none.

    Raises:
        ValueError: if it is no JSON.
    """
    if not isinstance(raw, list):
        return None
    for one in raw:
        if isinstance(one, dict) and one.get("name") == name:
            return parse(one["value"].encode(), Repairs(), None)
    return None


def own_property(name: str, value: Any) -> dict[str, str]:
    return {"name": name, "value": orjson.dumps(value).decode()}
