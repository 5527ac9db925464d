"""How large the values of an operation may be: its variables, and what its document spells out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    StringValueNode,
)

from application.labels import MOST_TARGETS

MAX_WRITTEN = 100  # entries of one list that a document spells out
# Of one in a variable: no command takes more, and the resolvers that take fewer say so.
MAX_LIST = MOST_TARGETS
MAX_STRING = 10_000  # characters
MAX_VALUES = MAX_LIST + 100  # in all variables together
MAX_DEPTH = 16  # of lists and objects in variables
MAX_DIGITS = 40  # of a number
NUL = "\x00"
TOO_LONG = f"A list has at most {MAX_LIST:,} entries, and {MAX_WRITTEN} outside of variables."


def refused_variable(variables: Mapping[str, Any] | None) -> str | None:
    """Why these variables are not looked at any further; None if nothing is wrong with them."""
    left = MAX_VALUES
    level: list[Any] = [dict(variables or {})]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str):
                reason = refused_string(value)
            else:
                is_too_long = isinstance(value, list) and len(value) > MAX_LIST
                reason = TOO_LONG if is_too_long else refused_number(value)
            if reason is not None:
                return reason
            inner += members(value)
        left -= len(inner)
        if left < 0:
            return f"The variables hold more than {MAX_VALUES:,} values."
        if not inner:
            return None
        level = inner
    return f"The variables are nested more than {MAX_DEPTH} deep."


def members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]  # names are strings, too
    return value if isinstance(value, list) else []


def refused_literal(node: Node) -> str | None:
    """The same of one value in a document; nested ones are nodes of their own."""
    if isinstance(node, StringValueNode):
        return refused_string(node.value)
    if isinstance(node, ListValueNode):
        return TOO_LONG if len(node.values) > MAX_WRITTEN else None
    if isinstance(node, ObjectValueNode):
        return TOO_LONG if len(node.fields) > MAX_WRITTEN else None
    if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) > MAX_DIGITS:
        return f"A number has at most {MAX_DIGITS} digits."
    return None


def refused_string(text: str) -> str | None:
    if len(text) > MAX_STRING:
        return f"A string has at most {MAX_STRING:,} characters."
    if NUL in text:
        return "A string holds a character that cannot be stored (U+0000)."
    return None


def refused_number(value: Any) -> str | None:
    # Not that JSON could say so: the decoder gives at most 64 bits, and no infinities.
    if isinstance(value, int) and value.bit_length() > 64:
        return f"A number has at most {MAX_DIGITS} digits."
    return None
