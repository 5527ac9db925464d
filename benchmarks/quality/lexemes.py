"""PostgreSQL's own words: the lexemes of texts, and its rankings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from benchmarks.quality.sets import LabelledSet

ALL_WORDS = "websearch_to_tsquery('english', %(query)s)"
# With its spaces: an ampersand may be part of a word, such as a link's; a space may not.
ANY_WORD = "replace(plainto_tsquery('english', %(query)s)::text, ' & ', ' | ')::tsquery"
Lexemes = dict[str, int]  # how often each stands in the text
CONFIGURATIONS = ("english", "simple", "english, stop words kept")
STOP_WORDS_KEPT = """
CREATE TEXT SEARCH DICTIONARY pg_temp.every_stem (TEMPLATE = snowball, Language = english);
CREATE TEXT SEARCH CONFIGURATION pg_temp.every_word (COPY = english);
ALTER TEXT SEARCH CONFIGURATION pg_temp.every_word
    ALTER MAPPING REPLACE english_stem WITH pg_temp.every_stem;
"""
LEXEMES = """
SELECT place, lexeme, coalesce(array_length(positions, 1), 1)
FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, place),
     unnest(to_tsvector(%s::regconfig, text))
"""
MESSAGES = """
CREATE TEMP TABLE ranked AS
SELECT (place - 1)::int AS place, to_tsvector('english', text) AS words
FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, place)
"""
RANK = """
WITH asked AS MATERIALIZED (SELECT {tsquery} AS q)
SELECT place, ts_rank_cd(words, q, 1) FROM ranked, asked WHERE words @@ q
"""


def lexemes(
    connection: Connection[Any], texts: Sequence[str], configuration: str = "english"
) -> list[Lexemes]:
    name = "pg_temp.every_word" if configuration == CONFIGURATIONS[2] else configuration
    found: list[Lexemes] = [{} for _ in texts]
    for place, lexeme, count in connection.execute(LEXEMES, (list(texts), name)):
        found[place - 1][lexeme] = count
    return found


def rankings(connection: Connection[Any], labelled: LabelledSet) -> dict[str, NDArray[np.float32]]:
    """ts_rank_cd as in a search, for messages with any of the query's words, and with all."""
    connection.execute("DROP TABLE IF EXISTS pg_temp.ranked")
    connection.execute(MESSAGES, (labelled.texts,))
    found = {}
    for name, tsquery in (("any word", ANY_WORD), ("all words", ALL_WORDS)):
        scores = np.zeros((len(labelled.queries), len(labelled.texts)), dtype=np.float32)
        for at, query in enumerate(labelled.queries):
            for place, rank in connection.execute(RANK.format(tsquery=tsquery), {"query": query}):
                scores[at, place] = rank
        found[name] = scores
    return found
