"""The words side: PostgreSQL full text."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from infrastructure.search.restriction import Restriction
from infrastructure.search.tsquery import CONFIGURATION, TsQueries

FIND = """
SELECT m.message_id, m.text_key, ts_rank_cd(m.words, %(tsquery)s::tsquery, 1) AS rank
FROM read.message AS m
WHERE m.workspace_id = %(workspace)s AND m.words @@ %(tsquery)s::tsquery {restriction}
ORDER BY rank DESC, m.message_id DESC LIMIT %(limit)s
"""
# Private-use characters as marks: a message that holds them is not highlighted.
START, STOP = "\ue000", "\ue001"
HEADLINES = f"""
SELECT position, ts_headline('{CONFIGURATION}', text, %(tsquery)s::tsquery,
    'HighlightAll=true, StartSel={START}, StopSel={STOP}')
FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS t (text, position)
"""
HIGHLIGHT_CHARACTERS = 20_000


class WordsHit(NamedTuple):
    message_id: int
    text_key: UUID | None
    rank: float


def find(
    connection: Connection[Any],
    *,
    workspace_id: UUID,
    words: TsQueries,
    restriction: Restriction,
    limit: int,
    is_alone: bool,
) -> list[WordsHit]:
    """
    Messages with the query's words, best first.

    Args:
        is_alone: whether messages with only some of the words may follow: beside a search by
            meaning, messages that share one common word with the query are noise.
    """
    if not words.all_words:
        return []
    values = {"workspace": workspace_id, "limit": limit, **restriction.values}
    statement = FIND.format(restriction=restriction.sql)
    found = connection.execute(statement, {**values, "tsquery": words.all_words}).fetchall()
    if is_alone and len(found) < limit and words.any_word != words.all_words:
        seen = {row[0] for row in found}
        more = connection.execute(statement, {**values, "tsquery": words.any_word}).fetchall()
        found += [row for row in more if row[0] not in seen]
    return [WordsHit(*row) for row in found[:limit]]


def highlights(
    connection: Connection[Any], *, words: TsQueries, texts: list[str]
) -> list[tuple[tuple[int, int], ...]]:
    """Where the query's words stand in each text, in any inflection: character spans."""
    if not words.any_word:
        return [()] * len(texts)
    marked: list[str] = [text[:HIGHLIGHT_CHARACTERS] for text in texts]
    values = {"tsquery": words.any_word, "texts": marked}
    found = dict(connection.execute(HEADLINES, values).fetchall())
    return [
        spans(found.get(number, ""), original) for number, original in enumerate(marked, start=1)
    ]


def spans(headline: str, original: str) -> tuple[tuple[int, int], ...]:
    """Turn marks into spans. None at all if PostgreSQL changed anything else in the text."""
    found, plain, at = [], [], 0
    for part in headline.split(START):
        word, mark, rest = part.partition(STOP)
        if mark:
            found.append((at, at + len(word)))
        plain.append(word + rest)
        at += len(word) + len(rest)
    return tuple(found) if "".join(plain) == original else ()
