"""Whom and what the names in a query mean: people, conversations, uploads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from rapidfuzz import fuzz, process

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
    OR r.{former} <> '{{}}' AND EXISTS (
        SELECT FROM unnest(r.{former}) AS former
        WHERE lower(former) = lower(v.value)
          OR strpos(' ' || lower(former), ' ' || lower(v.value)) > 0
    )
)
"""
# The same for names that somebody has, without looking into all of them.
EXACT = """
SELECT DISTINCT v.value, r.{id} AS id, 2 AS fit
FROM unnest(%(values)s::text[]) AS v (value)
JOIN read.{table} AS r ON r.workspace_id = %(workspace)s AND (
    lower(r.{name}) = lower(v.value) OR r.source_id = v.value
    OR r.{former} <> '{{}}' AND lower(v.value) IN (
        SELECT lower(former) FROM unnest(r.{former}) AS former
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
    exact: str | None  # asked first, where looking for parts of names takes longer
    known: str
    nobody: str  # the note on a name that nothing has


PEOPLE = Kind(
    MATCH.format(table="author", id="author_id", name="name", former="former_names"),
    EXACT.format(table="author", id="author_id", name="name", former="former_names"),
    KNOWN.format(table="author", name="name"),
    "nobody is called",
)
CONVERSATIONS = Kind(
    MATCH.format(table="conversation", id="conversation_id", name="title", former="former_titles"),
    EXACT.format(table="conversation", id="conversation_id", name="title", former="former_titles"),
    KNOWN.format(table="conversation", name="title"),
    "no conversation is called",
)
FILES = Kind(
    UPLOADS,
    None,
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
    unknown = sorted(named - found.keys())
    known = names(connection, workspace_id, kind) if unknown else []
    notes = [f"{kind.nobody} {value!r}{similar(value, known)}" for value in unknown]
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
    best: dict[str, tuple[int, set[UUID]]] = {}
    for statement in (kind.exact, kind.match):
        missing = sorted(named - best.keys())
        if statement is None or not missing:
            continue
        values = {"values": missing, "workspace": workspace_id}
        for value, id_, fit in connection.execute(statement, values):
            known, _ = best.get(value, (0, set()))
            if fit > known:
                best[value] = (fit, {id_})
            elif fit == known:
                best[value][1].add(id_)
    return {value: chosen for value, (_, chosen) in best.items()}


def names(connection: Connection[Any], workspace_id: UUID, kind: Kind) -> list[str]:
    return [row[0] for row in connection.execute(kind.known, {"workspace": workspace_id})]


def similar(value: str, known: list[str]) -> str:
    close = process.extract(
        value, known, scorer=fuzz.ratio, processor=str.lower, score_cutoff=70, limit=3
    )
    return f"; did you mean {', '.join(name for name, _, _ in close)}?" if close else ""
