"""The standard library's parser of e-mail, with a bound on what it may be given."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message as Mail
from email.parser import BytesFeedParser, BytesHeaderParser
from email.policy import Compat32
from typing import Any

_VALUE_LIMIT = 64 * 1024  # characters of one header
_PIECE = 8 * 1024  # bytes
_PARAMETERS_LIMIT = 50  # of a header with a type: finding them takes the square of their number


class _Bounded(Compat32):
    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        value = value[:_VALUE_LIMIT]
        if name.lower().startswith("content-"):
            value = ";".join(value.split(";", _PARAMETERS_LIMIT)[:_PARAMETERS_LIMIT])
        return name, value


_POLICY = _Bounded()


def parsed(data: bytes) -> Mail[Any, Any]:
    """
    Given in pieces: whole, it would be copied with four bytes a character.

    Raises:
        RecursionError: if its parts are nested without end.
    """
    parser = BytesFeedParser(policy=_POLICY)
    for start in range(0, len(data), _PIECE):
        parser.feed(data[start : start + _PIECE])
    return parser.close()


def parsed_headers(head: bytes) -> Mail[Any, Any]:
    """Of a message or part whose content is left where it is."""
    return BytesHeaderParser(policy=_POLICY).parsebytes(head)


def header(part: Mail[Any, Any], wanted: str) -> str | None:
    """The first header of a name (in lower case), as it is in the file; None if there is none."""
    for name, value in part.raw_items():
        if name.lower() == wanted:
            return str(value)
    return None
