"""Whom and what the names in a query mean: people, conversations, uploads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.filters import Choice

# As the interfaces write ids, or bare.
ID = re.compile(
    r"(?:[A-Z][a-z]+:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII
)
# 2: called so; 1: a word of the name begins so. The former counts alone where there is one.
MATCH = """
SELECT DISTINCT v.value, r.{id} AS id, CASE
    WHEN lower(r.{name}) = lower(v.value) OR r.source_id = v.value
      OR lower(v.value) IN (SELECT lower(former) FROM unnest(r.{former}) AS former) THEN 2
    ELSE 1
END AS fit
FROM unnest(%(values)s::text[]) AS v (value)
JOIN read.{table} AS r ON r.workspace_id = %(workspace)s AND (
    r.source_id = v.value
    OR strpos(' ' || translate(lower(r.{name}), '-_.@#/', '      '), ' ' || lower(v.value)) > 0
    OR strpos(lower(r.{name}), lower(v.value)) = 1
    OR EXISTS (
        SELECT FROM unnest(r.{former}) AS former
        WHERE lower(former) = lower(v.value)
          OR strpos(' ' || lower(former), ' ' || lower(v.value)) > 0
    )
)
"""
KNOWN = "SELECT {name} FROM read.{table} WHERE workspace_id = %(workspace)s LIMIT 20000"
UPLOADS = """
SELECT DISTINCT v.value, r.upload_id AS id, 2 AS fit
FROM unnest(%(values)s::text[]) AS v (value)
JOIN read.upload AS r ON r.workspace_id = %(workspace)s AND lower(r.filename) = lower(v.value)
"""


class Kind(NamedTuple):
    match: str
    known: str
    nobody: str  # the note on a name that nothing has


PEOPLE = Kind(
    MATCH.format(table="author", id="author_id", name="name", former="former_names"),
    KNOWN.format(table="author", name="name"),
    "nobody is called",
)
CONVERSATIONS = Kind(
    MATCH.format(table="conversation", id="conversation_id", name="title", former="former_titles"),
    KNOWN.format(table="conversation", name="title"),
    "no conversation is called",
)
FILES = Kind(
    UPLOADS,
    "SELECT DISTINCT filename FROM read.upload WHERE workspace_id = %(workspace)s LIMIT 20000",
    "no upload is called",
)


class Meant(NamedTuple):
    any_of: list[UUID] | None  # None: whichever
    none_of: list[UUID]
    notes: list[str]


def meant(connection: Connection[Any], workspace_id: UUID, choice: Choice, kind: Kind) -> Meant:
    """What the names of a filter stand for. A name that nothing has stands for nothing."""
    named = {value for value in (*choice.any_of, *choice.none_of) if not ID.fullmatch(value)}
    found = matches(connection, workspace_id, named, kind)
    notes = [
        f"{kind.nobody} {value!r}{similar(connection, workspace_id, value, kind)}"
        for value in sorted(named - found.keys())
    ]
    any_of = ids(choice.any_of, found) if choice.any_of else None
    return Meant(any_of, ids(choice.none_of, found), notes)


def ids(values: Iterable[str], found: dict[str, set[UUID]]) -> list[UUID]:
    chosen: dict[UUID, None] = {}
    for value in values:
        if by_id := ID.fullmatch(value):
            chosen[UUID(by_id[1])] = None
        else:
            chosen |= dict.fromkeys(sorted(found.get(value, ())))
    return list(chosen)


def matches(
    connection: Connection[Any], workspace_id: UUID, named: set[str], kind: Kind
) -> dict[str, set[UUID]]:
    if not named:
        return {}
    values = {"values": sorted(named), "workspace": workspace_id}
    best: dict[str, tuple[int, set[UUID]]] = {}
    for value, id_, fit in connection.execute(kind.match, values):
        known, _ = best.get(value, (0, set()))
        if fit > known:
            best[value] = (fit, {id_})
        elif fit == known:
            best[value][1].add(id_)
    return {value: chosen for value, (_, chosen) in best.items()}


def similar(connection: Connection[Any], workspace_id: UUID, value: str, kind: Kind) -> str:
    rows = connection.execute(kind.known, {"workspace": workspace_id}).fetchall()
    known = {name.lower(): name for (name,) in rows}
    close = get_close_matches(value.lower(), known, n=3, cutoff=0.7)
    return f"; did you mean {', '.join(known[name] for name in close)}?" if close else ""
