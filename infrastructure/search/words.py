"""The words side: PostgreSQL full text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from domain.searchable import places, searchable
from infrastructure.search.restriction import Restriction
from infrastructure.search.tsquery import TsQueries
from infrastructure.words.lookup import Kept, Lookup
from projections.messages.fulltext import configuration_of

FIND = """
SELECT m.message_id, m.text_key, ts_rank_cd(m.words, %(tsquery)s::tsquery, 1) AS rank
FROM read.message AS m
WHERE m.workspace_id = %(workspace)s AND m.words @@ %(tsquery)s::tsquery {restriction}
ORDER BY rank DESC, m.message_id DESC LIMIT %(limit)s
"""
SOME = """
SELECT count(*) FROM (
    SELECT FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.words @@ %(all_words)s::tsquery {restriction}
    LIMIT %(limit)s
) AS found
"""
FEW = 10  # messages with all of the words: then some of the words are enough
GROWTH = 4
# Private-use characters as marks: a message that holds them is not highlighted.
START, STOP = "\ue000", "\ue001"
HEADLINES = f"""
SELECT position, ts_headline(configuration::regconfig, text, %(tsquery)s::tsquery,
    'HighlightAll=true, StartSel={START}, StopSel={STOP}')
FROM unnest(%(configurations)s::text[], %(texts)s::text[])
    WITH ORDINALITY AS t (configuration, text, position)
"""
HIGHLIGHT_CHARACTERS = 20_000


Spans = tuple[tuple[int, int], ...]  # ends exclusive


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
    is_strict: bool,
) -> list[WordsHit]:
    """
    Messages with any of the query's words, best first, by PostgreSQL alone.

    Args:
        is_strict: only those with all of the words.
    """
    tsquery = words.all_words if is_strict else words.any_word
    if not tsquery:
        return []
    values = {"workspace": workspace_id, "limit": limit, "tsquery": tsquery, **restriction.values}
    statement = FIND.format(restriction=restriction.sql)
    return [WordsHit(*row) for row in connection.execute(statement, values).fetchall()]


def are_few(
    connection: Connection[Any], *, workspace_id: UUID, words: TsQueries, restriction: Restriction
) -> bool:
    """Whether so few messages have all of the words that some of them should do."""
    if not words.all_words:
        return True
    values = {
        "workspace": workspace_id,
        "all_words": words.all_words,
        "limit": FEW,
        **restriction.values,
    }
    row = connection.execute(SOME.format(restriction=restriction.sql), values).fetchone()
    return row is None or row[0] < FEW


def find_in_memory(
    lookup: Lookup,
    words: TsQueries,
    kept: Callable[[Sequence[int]], dict[int, UUID | None]],
    *,
    among: Kept | None,
    limit: int,
    is_strict: bool,
) -> list[WordsHit]:
    """
    Messages with any of the query's words, best first.

    Args:
        kept: which of some messages may be found, with the keys of their texts.
        among: only these may be found; None: `kept` says which.
        is_strict: only those with all of the words.
    """
    if not words.asked:
        return []
    groups = words.groups if is_strict else ()
    wanted = limit
    while True:
        found = lookup.best(wanted, kept=among, groups=groups)
        keys = kept(found.ids.tolist())
        hits = [
            WordsHit(id_, keys[id_], score)
            for id_, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True)
            if id_ in keys
        ]
        if len(hits) >= limit or len(found.ids) < wanted:
            return hits[:limit]
        wanted *= GROWTH


def highlights(
    connection: Connection[Any], *, words: TsQueries, texts: Sequence[tuple[str | None, str]]
) -> list[Spans]:
    """
    Where the query's words stand in each text, in any inflection: character spans.

    Args:
        texts: each with its language.
    """
    if not words.any_word:
        return [()] * len(texts)
    originals = [text[:HIGHLIGHT_CHARACTERS] for _, text in texts]
    folded = [searchable(text) for text in originals]
    values = {
        "tsquery": words.any_word,
        "configurations": [configuration_of(language) for language, _ in texts],
        "texts": folded,
    }
    found = dict(connection.execute(HEADLINES, values).fetchall())
    return [
        placed(spans(found.get(number, ""), text), original)
        for number, (text, original) in enumerate(zip(folded, originals, strict=True), start=1)
    ]


def spans(headline: str, text: str) -> Spans:
    """Turn marks into spans. None at all if PostgreSQL changed anything else in the text."""
    found, plain, at = [], [], 0
    for part in headline.split(START):
        word, mark, rest = part.partition(STOP)
        if mark:
            found.append((at, at + len(word)))
        plain.append(word + rest)
        at += len(word) + len(rest)
    return tuple(found) if "".join(plain) == text else ()


def placed(found: Spans, original: str) -> Spans:
    """From the text as it is searched to the text as it was written; what overlaps is one span."""
    if original.isascii() or not found:
        return found
    origin = places(original)
    if origin is None:
        return ()
    merged: list[tuple[int, int]] = []
    for start, end in found:
        of_letters = [place for place in origin[start:end] if place >= 0]
        if not of_letters:
            continue
        first, last = of_letters[0], of_letters[-1] + 1
        # What belongs to the last letter without being one, such as an accent of its own.
        while last < len(original) and not searchable(original[last]):
            last += 1
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
