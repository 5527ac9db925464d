"""One JSON value from bytes: fast where they are right, tolerant where exporters are not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

from infrastructure.readers import repairs as kinds
from infrastructure.readers.limits import DEPTH_LIMIT
from infrastructure.readers.repairs import Repairs

_HEX_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_INTEGER = 2**63  # PostgreSQL and most JSON libraries end here
_KEPT_DEPTH = 32


class UnparsableJsonError(ValueError):
    """The bytes are not one JSON value; the message says why."""


class TooDeepError(UnparsableJsonError):
    """A value nested so deeply that reading it could exhaust the stack."""


def parse(raw: bytes, repairs: Repairs, line: int | None) -> Any:
    """
    Parse one value. NUL and lone surrogates are gone from what is returned.

    Raises:
        TooDeepError: beyond DEPTH_LIMIT levels.
        UnparsableJsonError: if it is no JSON even with some tolerance.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return _parse_tolerantly(raw, repairs, line, reason=error.msg)
    if b"\\u0000" in raw:
        return scrub(value, repairs, line)
    return value


def _parse_tolerantly(raw: bytes, repairs: Repairs, line: int | None, *, reason: str) -> Any:
    if depth(raw) > DEPTH_LIMIT:
        raise TooDeepError(f"nested more than {DEPTH_LIMIT} levels deep")
    if b"\\x" in raw:
        fixed = _HEX_ESCAPE.sub(lambda m: b"\\u00" + m[1] if m[1] else m[0], raw)
        if fixed != raw:
            raw = fixed
            repairs.note(kinds.HEX_ESCAPE, line)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        repairs.note(kinds.CP1252, line)
        text = raw.decode("cp1252", "replace")

    def whole(digits: str) -> int | None:
        try:
            return int(digits)
        except ValueError:  # Python converts no more than 4,300 digits
            repairs.note(kinds.BAD_NUMBER, line)
            return None

    try:
        value = json.loads(text, strict=False, parse_int=whole)
    except (ValueError, RecursionError):
        raise UnparsableJsonError(reason) from None
    if any(c < " " and c not in "\t\n\r" for c in text):
        repairs.note(kinds.CONTROL, line)
    return scrub(value, repairs, line)


def depth(raw: bytes) -> int:
    """The deepest nesting of brackets in a value."""
    now = deepest = 0
    for match in _STRUCTURE.finditer(raw):
        token = match[0]
        if token in b"{[":
            now += 1
            deepest = max(deepest, now)
        elif token in b"}]":
            now -= 1
    return deepest


def scrub(value: Any, repairs: Repairs, line: int | None, *, level: int = 0) -> Any:
    """The value without what PostgreSQL's text or JSON cannot hold."""
    match value:
        case str():
            return _scrub_text(value, repairs, line)
        case float() if not math.isfinite(value):
            repairs.note(kinds.BAD_NUMBER, line)
            return None
        case list() | dict() if level > DEPTH_LIMIT:
            raise TooDeepError(f"nested more than {DEPTH_LIMIT} levels deep")
        case list():
            return [scrub(one, repairs, line, level=level + 1) for one in value]
        case dict():
            return {
                _scrub_text(key, repairs, line): scrub(one, repairs, line, level=level + 1)
                for key, one in value.items()
            }
        case _:
            return value


def _scrub_text(text: str, repairs: Repairs, line: int | None) -> str:
    if "\0" in text:
        repairs.note(kinds.NUL, line)
        text = text.replace("\0", "")
    if _SURROGATE.search(text):
        repairs.note(kinds.SURROGATE, line)
        text = _SURROGATE.sub("\ufffd", text)
    return text


def storable(value: Any, *, depth_left: int = _KEPT_DEPTH) -> Any:
    """The value as `extra` may keep it: whole numbers of 64 bits, 32 levels of nesting."""
    match value:
        case bool() | None | str() | float():
            return value
        case int():
            return value if -_MAX_INTEGER <= value < _MAX_INTEGER else str(value)
        case list() | dict() if depth_left == 0:
            return "(nested too deeply to be kept)"
        case list():
            return [storable(one, depth_left=depth_left - 1) for one in value]
        case dict():
            return {key: storable(one, depth_left=depth_left - 1) for key, one in value.items()}
        case _:
            return str(value)
