"""Which part of a representation is asked for (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple

from starlette.datastructures import Headers

from interfaces.http.problems import RequestError

# One range. Several are answered with the whole, as the standard permits: nobody needs them.
SINGLE = re.compile(r"bytes=\s*(?:(\d{1,19})-(\d{1,19})?|-(\d{1,19}))\s*", re.IGNORECASE)
ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')


class ByteRange(NamedTuple):
    first: int
    last: int  # inclusive

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def range_of(headers: Headers, *, etag: str, size: int) -> ByteRange | None:
    """
    None: the whole. A range is ignored that is malformed, that is one of several, or that is
    meant for another version (If-Range).

    Args:
        size: bytes.

    Raises:
        RequestError: if nothing of what is asked for exists.
    """
    match = SINGLE.fullmatch(headers.get("range", ""))
    if match is None or not is_for_this(headers, etag):
        return None
    first, last, suffix = (None if part is None else int(part) for part in match.groups())
    if suffix is not None:
        first, last = max(0, size - suffix), size - 1
    elif first is not None:
        if last is not None and last < first:
            return None  # malformed: to be ignored
        last = size - 1 if last is None else min(last, size - 1)
    if suffix == 0 or first is None or last is None or first >= size:
        raise RequestError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "http.requested_range_not_satisfiable",
            f"there are {size:,} bytes, and none of those that were asked for",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return ByteRange(first, last)


def wants_range(headers: Headers, etag: str) -> bool:
    """Whether the size has to be known, because a part may be asked for."""
    return SINGLE.fullmatch(headers.get("range", "")) is not None and is_for_this(headers, etag)


def is_for_this(headers: Headers, etag: str) -> bool:
    """A date as If-Range never is: we give none."""
    condition = headers.get("if-range")
    return condition is None or condition.strip() == etag


def is_known(headers: Headers, etag: str) -> bool:
    """Whether the client has it already (If-None-Match)."""
    given = ",".join(headers.getlist("if-none-match"))
    if given.strip() == "*":
        return True
    return any(tag.removeprefix("W/") == etag for tag in ENTITY_TAG.findall(given))


def require_match(headers: Headers, etag: str) -> None:
    """
    Raises:
        RequestError: if the client wants another version only (If-Match).
    """
    given = ",".join(headers.getlist("if-match"))
    if given and given.strip() != "*" and etag not in ENTITY_TAG.findall(given):
        raise RequestError(
            HTTPStatus.PRECONDITION_FAILED,
            "http.precondition_failed",
            "this is another version than the one that If-Match names",
        )
