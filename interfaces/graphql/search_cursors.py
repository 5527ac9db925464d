"""Cursors of a search: they go on only with the search that gave them."""

from __future__ import annotations

from hashlib import blake2b

import orjson

from application.ports.search import Place, SearchRequest
from interfaces.graphql.cursors import decode_cursor, encode_cursor
from interfaces.graphql.errors import ArgumentRefusedError

OTHER = "`after` is a cursor of another search: leave it out to begin this one"


def cursor_of(place: Place, request: SearchRequest) -> str:
    return encode_cursor(fingerprint(request), *place)


def place_of(text: str | None, request: SearchRequest) -> Place | None:
    """
    Raises:
        ArgumentRefusedError: it is no cursor, or that of another search.
    """
    if text is None:
        return None
    found, *place = decode_cursor(text, str, int, int, int, float, int)
    if found != fingerprint(request):
        raise ArgumentRefusedError(OTHER)
    return Place(*place)


def fingerprint(request: SearchRequest) -> str:
    """Of what decides about the order. How many are shown at a time may change."""
    asked = (
        str(request.workspace_id),
        request.query,
        request.filters.as_dict(),
        request.time_zone,
        request.mode,
        request.sort,
        *([] if request.like is None else [request.like]),
    )
    return blake2b(orjson.dumps(asked), digest_size=9).hexdigest()
