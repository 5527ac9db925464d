"""The words side: PostgreSQL full text."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

# All the words first. Any of them only where nothing else looks for the query: beside a search
# by meaning, messages that share one common word with it are noise.
ALL_WORDS = "websearch_to_tsquery('english', %(query)s)"
# With its spaces: an ampersand may be part of a word, such as a link's; a space may not.
ANY_WORD = "replace(plainto_tsquery('english', %(query)s)::text, ' & ', ' | ')::tsquery"
# Who excludes a word asks for precision: nothing then if not all the words are there.
ANY_WANTED = f"""
CASE WHEN strpos(({ALL_WORDS})::text, '!') > 0 THEN '' ELSE {ANY_WORD} END
"""

FIND = """
WITH asked AS (SELECT {tsquery} AS q)
SELECT message_id, text_key, ts_rank_cd(words, q, 1) AS rank
FROM read.message, asked
WHERE workspace_id = %(workspace)s AND words @@ q
ORDER BY rank DESC, message_id DESC LIMIT %(limit)s
"""
# Private-use characters as marks: a message that holds them is not highlighted.
START, STOP = "\ue000", "\ue001"
HEADLINES = f"""
SELECT position, ts_headline('english', text, {ANY_WORD},
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
    query: str,
    limit: int,
    is_alone: bool,
) -> list[WordsHit]:
    """
    Messages with the query's words, best first.

    Args:
        is_alone: whether messages with only some of the words may follow.
    """
    values = {"query": query, "workspace": workspace_id, "limit": limit}
    rows = connection.execute(FIND.format(tsquery=ALL_WORDS), values).fetchall()
    if is_alone and len(rows) < limit:
        seen = {row[0] for row in rows}
        more = connection.execute(FIND.format(tsquery=ANY_WANTED), values).fetchall()
        rows += [row for row in more if row[0] not in seen]
    return [WordsHit(*row) for row in rows[:limit]]


def highlights(
    connection: Connection[Any], *, query: str, texts: list[str]
) -> list[tuple[tuple[int, int], ...]]:
    """Where the query's words stand in each text, in any inflection: character spans."""
    marked: list[str] = [text[:HIGHLIGHT_CHARACTERS] for text in texts]
    values = {"query": query, "texts": marked}
    rows = dict(connection.execute(HEADLINES, values).fetchall())
    return [
        spans(rows.get(number, ""), original) for number, original in enumerate(marked, start=1)
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
