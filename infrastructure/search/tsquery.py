"""The words of a query as PostgreSQL's full text has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from application.searching.query import Group, Query, Term

CONFIGURATION = "english"


class TsQueries(NamedTuple):
    """Texts that cast to tsquery. Empty: nothing, or only words that are everywhere."""

    all_words: str
    any_word: str
    required: str
    excluded: str


def tsqueries(connection: Connection[Any], query: Query) -> TsQueries:
    if not (query.groups or query.excluded):
        return TsQueries("", "", "", "")
    values: dict[str, str] = {}
    parts = [
        conjunction(query.groups, values),
        disjunction(query.terms, values),
        conjunction(query.required, values),
        disjunction(query.excluded, values),
    ]
    asked = ", ".join(f"({part})::text" for part in parts)
    row = connection.execute(f"SELECT {asked}", values).fetchone()
    return TsQueries(*row) if row else TsQueries("", "", "", "")


def conjunction(groups: Sequence[Group], values: dict[str, str]) -> str:
    return " && ".join(f"({disjunction(group, values)})" for group in groups) or "''::tsquery"


def disjunction(terms: Iterable[Term], values: dict[str, str]) -> str:
    return " || ".join(lexemes(term, values) for term in terms) or "''::tsquery"


def lexemes(term: Term, values: dict[str, str]) -> str:
    """The SQL of one term; what it says goes among the values. Nothing of it is syntax."""
    name = f"term{len(values)}"
    if term.kind == "beginning":
        quoted = term.text.replace("\\", "\\\\").replace("'", "''")
        values[name] = f"'{quoted}':*"
        return f"to_tsquery('{CONFIGURATION}', %({name})s)"
    # A word may be several lexemes: a link, or one with a hyphen. Then they stand in a row.
    values[name] = term.text
    return f"phraseto_tsquery('{CONFIGURATION}', %({name})s)"
