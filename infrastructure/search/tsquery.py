"""The words of a query as PostgreSQL's full text has them, in every language of an archive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.query import Group, Query, Term
from domain.searchable import UNSPACED, folded_text, pairs_asked_for
from projections.messages.fulltext import configuration_of

# Each language once, by way of the index: counting them would read the whole table.
LANGUAGES = """
WITH RECURSIVE found AS (
    (SELECT language FROM read.message WHERE workspace_id = %(workspace)s
     ORDER BY language LIMIT 1)
    UNION ALL
    SELECT (
        SELECT language FROM read.message
        WHERE workspace_id = %(workspace)s AND language > found.language
        ORDER BY language LIMIT 1
    ) FROM found WHERE found.language IS NOT NULL
)
SELECT language FROM found WHERE language IS NOT NULL
"""
LEXEMES = """
SELECT number, CASE WHEN is_beginning
    THEN to_tsquery(configuration::regconfig, text)
    ELSE phraseto_tsquery(configuration::regconfig, text)
END::text
FROM unnest(%(numbers)s::int[], %(texts)s::text[], %(beginnings)s::bool[])
    AS piece (number, text, is_beginning)
CROSS JOIN unnest(%(configurations)s::text[]) AS configuration
"""


class TsQueries(NamedTuple):
    """Texts that cast to tsquery. Empty: nothing is asked for that has a letter or a digit."""

    all_words: str
    any_word: str
    required: str
    excluded: str


NOTHING = TsQueries("", "", "", "")


class Piece(NamedTuple):
    """A part of a term that full text takes whole."""

    text: str
    is_beginning: bool


def languages(connection: Connection[Any], workspace_id: UUID) -> list[str]:
    """Those that messages of the workspace are in."""
    return [row[0] for row in connection.execute(LANGUAGES, {"workspace": workspace_id})]


def tsqueries(connection: Connection[Any], query: Query, languages: Collection[str]) -> TsQueries:
    """
    Args:
        languages: ISO 639-1 codes, beside that of messages which do not tell.
    """
    terms = [*query.terms, *query.excluded]
    if not terms:
        return NOTHING
    lexemes = lexemes_of(connection, terms, {*languages, None})
    return TsQueries(
        all_words=conjunction(query.groups, lexemes),
        any_word=disjunction(query.terms, lexemes),
        required=conjunction(query.required, lexemes),
        excluded=disjunction(query.excluded, lexemes),
    )


def lexemes_of(
    connection: Connection[Any], terms: Iterable[Term], languages: Collection[str | None]
) -> dict[Term, str]:
    """Each term in all these languages; what does not differ between them once."""
    pieces = {term: pieces_of(term) for term in terms}
    asked = list(dict.fromkeys(piece for found in pieces.values() for piece in found))
    values = {
        "numbers": list(range(len(asked))),
        "texts": [quoted(p.text) if p.is_beginning else p.text for p in asked],
        "beginnings": [piece.is_beginning for piece in asked],
        "configurations": sorted({configuration_of(language) for language in languages}),
    }
    found: dict[Piece, dict[str, None]] = {piece: {} for piece in asked}
    for number, text in connection.execute(LEXEMES, values):
        if text:
            found[asked[number]][text] = None
    return {
        term: joined([joined(found[piece], " | ") for piece in parts], " & ")
        for term, parts in pieces.items()
    }


def pieces_of(term: Term) -> list[Piece]:
    """Runs of a script without spaces apart from what stands around them."""
    text = folded_text(term.text)
    found: list[Piece] = []
    at = 0
    for run in UNSPACED.finditer(text):
        found += spaced(text[at : run.start()], is_beginning=False)
        pairs = pairs_asked_for(run[0])
        found.append(Piece(" ".join(pairs), is_beginning=len(run[0]) == 1))
        at = run.end()
    return found + spaced(text[at:], is_beginning=term.kind == "beginning")


def spaced(text: str, *, is_beginning: bool) -> list[Piece]:
    return [Piece(text, is_beginning)] if text.strip() else []


def quoted(text: str) -> str:
    """As an operand of to_tsquery, which has a syntax of its own."""
    inner = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{inner}':*"


def conjunction(groups: Sequence[Group], lexemes: dict[Term, str]) -> str:
    return joined([disjunction(group, lexemes) for group in groups], " & ")


def disjunction(terms: Iterable[Term], lexemes: dict[Term, str]) -> str:
    return joined(dict.fromkeys(lexemes[term] for term in terms), " | ")


def joined(parts: Iterable[str], operator: str) -> str:
    """Nothing is left of parts that are empty."""
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else operator.join(f"({part})" for part in kept)
