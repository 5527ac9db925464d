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

MAX_LIST = 100  # entries of one list
MAX_STRING = 10_000  # characters
MAX_VALUES = 1_000  # in all variables together
MAX_DEPTH = 16  # of lists and objects in variables
MAX_DIGITS = 40  # of a number
NUL = "\x00"


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
                reason = refused_list(value) if isinstance(value, list) else None
                reason = reason or refused_number(value)
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
        return refused_list(node.values)
    if isinstance(node, ObjectValueNode):
        return refused_list(node.fields)
    if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) > MAX_DIGITS:
        return f"A number has at most {MAX_DIGITS} digits."
    return None


def refused_string(text: str) -> str | None:
    if len(text) > MAX_STRING:
        return f"A string has at most {MAX_STRING:,} characters."
    if NUL in text:
        return "A string holds a character that cannot be stored (U+0000)."
    return None


def refused_list(values: Any) -> str | None:
    return f"A list has at most {MAX_LIST} entries." if len(values) > MAX_LIST else None


def refused_number(value: Any) -> str | None:
    # Not that JSON could say so: the decoder gives at most 64 bits, and no infinities.
    if isinstance(value, int) and value.bit_length() > 64:
        return f"A number has at most {MAX_DIGITS} digits."
    return None
