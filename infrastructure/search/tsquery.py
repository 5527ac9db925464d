"""The words of a query as PostgreSQL's full text has them, in every language of an archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.query import Group, Query, Term
from domain.searchable import UNSPACED, folded_text, pairs_asked_for
from infrastructure.words.inverted_index import Alternatives
from projections.messages.fulltext import CONFIGURATIONS, UNSURE, configuration_of
from projections.messages.language import language_of

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
END::text, NOT is_beginning AND numnode(phraseto_tsquery(%(usual)s::regconfig, text)) = 0
FROM unnest(%(numbers)s::int[], %(texts)s::text[], %(beginnings)s::bool[])
    AS piece (number, text, is_beginning)
CROSS JOIN unnest(%(configurations)s::text[]) AS configuration
"""
LEXEME = re.compile(r"'((?:[^'\\]|''|\\.)*)'(:\*)?")
ESCAPED = re.compile(r"\\(.)|''")


MOST_CORRECTED = 3  # words of one query
Meant = Callable[[Alternatives], Sequence[str]]


class Demand(NamedTuple):
    """Words that messages must have, or must not, however they are found."""

    terms: Group  # any of them
    tsquery: str
    is_excluded: bool
    # The same for an index in memory, one of which is enough. None: it is words in an order, or a
    # beginning.
    asked: tuple[Alternatives, ...] | None


class TsQueries(NamedTuple):
    """
    Texts that cast to tsquery; empty: nothing is asked for that has a letter or a digit. And the
    same words one by one, as an index in memory takes them.
    """

    all_words: str = ""
    any_word: str = ""
    required: str = ""
    excluded: str = ""
    asked: tuple[Alternatives, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()  # places in it, of which one is enough
    is_plain: bool = True  # these say all: no term is several words in an order
    demands: tuple[Demand, ...] = ()  # what is required and what is excluded, one by one
    notes: tuple[str, ...] = ()  # sentences for people: what was taken for mistyped


NOTHING = TsQueries()


class Piece(NamedTuple):
    """A part of a term that full text takes whole."""

    text: str
    is_beginning: bool


class Said(NamedTuple):
    """A term in every language."""

    tsquery: str
    asked: tuple[Alternatives, ...]
    is_common: bool  # a word that says nothing, such as "the"


def languages(connection: Connection[Any], workspace_id: UUID) -> list[str]:
    """Those that messages of the workspace are in."""
    return [row[0] for row in connection.execute(LANGUAGES, {"workspace": workspace_id})]


def tsqueries(
    connection: Connection[Any],
    query: Query,
    languages: Collection[str],
    meant: Meant = lambda _asked: (),
) -> TsQueries:
    """
    Common words count only where there are no others, or in quotes.

    Args:
        languages: ISO 639-1 codes, beside that of messages which do not tell.
        meant: the words that were probably meant by one that no message has.
    """
    terms = [*query.terms, *query.excluded]
    if not terms:
        return NOTHING
    usual = f"pg_catalog.{CONFIGURATIONS.get(language_of(query.text) or '', UNSURE)}"
    said = said_in(connection, terms, {*languages, None}, usual)
    telling = [
        group
        for group in query.groups
        if any(term.kind != "word" or not said[term].is_common for term in group)
    ]
    groups = telling or query.groups
    words = dict.fromkeys(term for group in groups for term in group)
    notes: list[str] = []
    for term in words:
        if len(notes) < MOST_CORRECTED and (note := correct(term, said, meant)):
            notes.append(note)
    asked = list(dict.fromkeys(one for term in words for one in said[term].asked))
    return TsQueries(
        all_words=conjunction(groups, said),
        any_word=disjunction(words, said),
        required=conjunction(query.required, said),
        excluded=disjunction(query.excluded, said),
        asked=tuple(asked),
        groups=tuple(
            tuple(asked.index(one) for term in group for one in said[term].asked)
            for group in groups
        ),
        is_plain=all(len(said[term].asked) <= 1 for term in words),
        demands=tuple(demands(query, said)),
        notes=tuple(notes),
    )


def demands(query: Query, said: dict[Term, Said]) -> Iterator[Demand]:
    """Nothing of what has no letter or digit."""
    for terms, is_excluded in [
        *((group, False) for group in query.required),
        (query.excluded, True),
    ]:
        tsquery = disjunction(terms, said)
        if tsquery:
            asked = tuple(one for term in terms for one in said[term].asked)
            # In memory a beginning stands for the most used of its words only, which is enough to
            # find by, and not to leave out by.
            is_plain = all(len(said[term].asked) <= 1 for term in terms) and not any(
                one.beginnings for one in asked
            )
            yield Demand(terms, tsquery, is_excluded, asked if is_plain else None)


def correct(term: Term, said: dict[Term, Said], meant: Meant) -> str | None:
    """Take a word that no message has for the one that was probably meant; what is said of it."""
    if term.kind != "word" or len(said[term].asked) != 1:
        return None
    [asked] = said[term].asked
    near = meant(asked)
    if not near:
        return None
    lexemes = ["'{}'".format(word.replace("\\", "\\\\").replace("'", "''")) for word in near]
    said[term] = Said(
        tsquery=joined([said[term].tsquery, *lexemes], " | "),
        asked=(Alternatives((*asked.words, *near)),),
        is_common=False,
    )
    return f"no message has {term.text!r}: {' or '.join(near)} is looked for, too"


def said_in(
    connection: Connection[Any],
    terms: Iterable[Term],
    languages: Collection[str | None],
    usual: str,
) -> dict[Term, Said]:
    """
    Args:
        usual: PostgreSQL's own configuration of the language that the query is probably in.
    """
    pieces = {term: pieces_of(term) for term in terms}
    asked = list(dict.fromkeys(piece for found in pieces.values() for piece in found))
    values = {
        "numbers": list(range(len(asked))),
        "texts": [quoted(p.text) if p.is_beginning else p.text for p in asked],
        "beginnings": [piece.is_beginning for piece in asked],
        "configurations": sorted({configuration_of(language) for language in languages}),
        "usual": usual,
    }
    found: dict[Piece, dict[str, None]] = {piece: {} for piece in asked}
    common: dict[Piece, bool] = {}
    for number, text, is_common in connection.execute(LEXEMES, values):
        common[asked[number]] = is_common
        if text:
            found[asked[number]][text] = None
    return {
        term: Said(
            tsquery=joined([joined(found[piece], " | ") for piece in parts], " & "),
            asked=tuple(one for piece in parts for one in alternatives(found[piece])),
            is_common=all(common.get(piece, False) for piece in parts),
        )
        for term, parts in pieces.items()
    }


def alternatives(found: Iterable[str]) -> list[Alternatives]:
    """Of what is one word in all languages, or several in a row; each place by itself."""
    places: list[dict[tuple[str, bool], None]] = []
    for text in found:
        for number, (word, mark) in enumerate(LEXEME.findall(text)):
            if number == len(places):
                places.append({})
            plain = ESCAPED.sub(lambda escaped: escaped[1] or "'", word)
            places[number][plain, bool(mark)] = None
    return [
        Alternatives(
            tuple(word for word, is_beginning in place if not is_beginning),
            tuple(word for word, is_beginning in place if is_beginning),
        )
        for place in places
    ]


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


def conjunction(groups: Sequence[Group], said: dict[Term, Said]) -> str:
    return joined([disjunction(group, said) for group in groups], " & ")


def disjunction(terms: Iterable[Term], said: dict[Term, Said]) -> str:
    return joined(dict.fromkeys(said[term].tsquery for term in terms), " | ")


def joined(parts: Iterable[str], operator: str) -> str:
    """Nothing is left of parts that are empty."""
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else operator.join(f"({part})" for part in kept)
