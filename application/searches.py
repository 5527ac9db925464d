"""What the commands about searches have in common: a request is checked, and understood."""

from __future__ import annotations

import re
from dataclasses import replace

from application.ports.search import EmptyQueryError, Place, SearchRequest
from application.searching.filters import Filters, both
from application.searching.operators import QueryUnclearError
from application.searching.query import Query, parse

MAX_QUERY = 2_000  # characters
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_LIMIT = 100
MAX_BULK = 1_000  # each page of a result finds all of it again: for a large one, fewer are better
MAX_CONTEXT = 20
MAX_NAMES = 20  # in one filter
MAX_NAME = 200  # characters
MOST_POSITION = 2**50  # times the ids of each, it is a bigint
LEVELS = (0, 1)
MOST_KEY = 2.0**58  # microseconds: nearly to the year 11100


class QueryRefusedError(ValueError):
    """The request is outside the limits; the message says which."""


def understood(request: SearchRequest) -> Query:
    """
    What the request asks for.

    Raises:
        EmptyQueryError, QueryRefusedError
    """
    check(request)
    try:
        query = parse(request.query, time_zone=request.time_zone)
    except QueryUnclearError as error:
        raise QueryRefusedError(str(error)) from None
    query = replace(query, filters=both(query.filters, request.filters))
    check_names(query.filters)
    if request.like is not None:
        if query.groups:
            raise QueryRefusedError("give words or a message to be like, not both")
        return query
    if query.is_empty:
        raise EmptyQueryError("say what to search for: the query is empty")
    if request.mode == "meaning" and not query.text:
        raise QueryRefusedError("a search by meaning needs words: there are only filters")
    return query


def asked(request: SearchRequest) -> str:
    """As the log has it: the query, or the message that others shall be like, with operators."""
    if request.like is None:
        return request.query
    return f"Message:{request.like} {request.query}".strip()


def check(request: SearchRequest) -> None:
    most = MAX_BULK if request.is_bulk else MAX_LIMIT
    limits = {
        f"the query has at most {MAX_QUERY} characters": len(request.query) <= MAX_QUERY,
        f"limit is between 1 and {most:,}": 1 <= request.limit <= most,
        f"context is between 0 and {MAX_CONTEXT}": 0 <= request.context <= MAX_CONTEXT,
        f"duplicates is between 0 and {MAX_CONTEXT}": 0 <= request.duplicates <= MAX_CONTEXT,
        "what is like a message is found by meaning": request.like is None
        or request.mode != "words",
        "the query holds a character that cannot be stored (U+0000)": "\x00" not in request.query,
        "the query holds half a character (a lone surrogate)": not SURROGATE.search(request.query),
    }
    for place in (request.after, request.alone):
        if place is not None:
            limits["this is no cursor of a search"] = is_possible(place)
    limits["ask for one hit alone, or for what follows on it"] = not (
        request.after and request.alone
    )
    for rule, is_kept in limits.items():
        if not is_kept:
            raise QueryRefusedError(rule)


def check_names(filters: Filters) -> None:
    """
    Raises:
        QueryRefusedError: they would keep the database busy, or cannot be stored.
    """
    for choice in filters.choices:
        values = (*choice.any_of, *choice.none_of)
        if len(values) > MAX_NAMES:
            raise QueryRefusedError(f"a filter names at most {MAX_NAMES} of a kind")
        for value in values:
            if len(value) > MAX_NAME:
                raise QueryRefusedError(f"a name in a filter has at most {MAX_NAME} characters")
            if "\x00" in value or SURROGATE.search(value):
                raise QueryRefusedError("a name holds a character that cannot be stored")


def is_possible(place: Place) -> bool:
    """Whether a result could have a hit there. It comes from outside."""
    positions = (place.messages_position, place.vectors_position)
    return (
        all(0 <= position <= MOST_POSITION for position in positions)
        and place.level in LEVELS
        and abs(place.key) <= MOST_KEY  # no NaN either
        and 0 <= place.message_id < 2**63
    )
