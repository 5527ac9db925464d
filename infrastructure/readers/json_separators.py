"""What stands between the elements of a list: it shows where the next ones end."""

from __future__ import annotations

import re
from typing import NamedTuple

_KEY = rb'"[^"\\]{0,200}"'
_VALUE = rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,\]}{\[:"]++)'  # a text, a number or a word
_JOINT = re.compile(rb"\}\s*,\s*\{\s*" + _KEY)
_MEMBER = re.compile(rb"(\s*:\s*)" + _VALUE + rb"(\s*,\s*" + _KEY + rb")", re.DOTALL)
_KEYS = 4


class Separator(NamedTuple):
    """The end of one object, and of the next one the beginning up to one of its first keys."""

    literal: bytes  # up to the first key
    step: int  # from the first bracket to the second
    pattern: re.Pattern[bytes] | None  # if the first key does not do


def learn(buffer: bytes, start: int, end: int) -> Separator | None:
    """
    What parts an element from the next one, and is not found within it.

    Objects inside an element often begin with the same key as the element does; then the keys
    that follow it must tell them apart.

    Args:
        start: where the element begins.
        end: where it ends.
    """
    joint = _JOINT.match(buffer, end - 1)
    if joint is None:
        return None
    literal = joint[0]
    step = literal.index(b"{")
    if buffer.find(literal, start, end) < 0:
        return Separator(literal, step, None)
    written, at = re.escape(literal), joint.end()
    for _ in range(_KEYS - 1):
        member = _MEMBER.match(buffer, at)
        if member is None:
            return None
        written += re.escape(member[1]) + _VALUE + re.escape(member[2])
        pattern = re.compile(written, re.DOTALL)
        if pattern.search(buffer, start, end) is None:
            return Separator(literal, step, pattern)
        at = member.end()
    return None
