"""A result as a whole: its messages by time, and how it is made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.ports.search import Facets, FacetValue, Sort
from infrastructure.search.ranking import Key, Ranked
from infrastructure.search.restriction import SENT_AT, Restriction
from infrastructure.search.tsquery import TsQueries

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = -62_135_596_800_000_000  # microseconds: the year 1
LATEST = 253_402_300_799_999_999  # the end of 9999
MOST_VALUES = 20  # of a facet; months: all
BY_TIME = """
SELECT m.message_id, m.sent_at
FROM read.message AS m
WHERE m.workspace_id = %(workspace)s {result} {behind}
ORDER BY {sent_at} {order}, m.message_id {order} LIMIT %(limit)s
"""
BEHIND = f"""
AND ({SENT_AT}, m.message_id) {{comparison}}
    (%(last_at)s::timestamptz AT TIME ZONE 'UTC', %(last_id)s)
"""
COUNTS = """
SELECT m.author_id, m.conversation_id,
       date_trunc('month', m.sent_at AT TIME ZONE 'UTC') AS month, count(*)
FROM read.message AS m
WHERE m.workspace_id = %(workspace)s {result}
GROUP BY GROUPING SETS ((m.author_id), (m.conversation_id), (month))
"""
NAMES = """
SELECT author_id, name FROM read.author
WHERE workspace_id = %(workspace)s AND author_id = ANY(%(ids)s)
"""
TITLES = """
SELECT conversation_id, title, format FROM read.conversation
WHERE workspace_id = %(workspace)s AND conversation_id = ANY(%(ids)s)
"""
# A message counts once for each label, whether it has it itself or by its conversation.
LABEL_COUNTS = """
WITH labelled AS (
    SELECT t.label_id, m.message_id FROM read.labelled_message AS t
    JOIN read.message AS m USING (workspace_id, conversation_id, message_key)
    WHERE workspace_id = %(workspace)s {result}
    UNION
    SELECT t.label_id, m.message_id FROM read.labelled_conversation AS t
    JOIN read.message AS m USING (workspace_id, conversation_id)
    WHERE workspace_id = %(workspace)s {result}
)
SELECT l.label_id, l.name, count(*)
FROM labelled JOIN read.label AS l USING (label_id)
WHERE l.workspace_id = %(workspace)s
GROUP BY l.label_id, l.name ORDER BY count(*) DESC, l.name, l.label_id LIMIT %(most)s
"""
ANY_LABELLED = """
SELECT EXISTS (SELECT FROM read.labelled_message WHERE workspace_id = %(workspace)s)
    OR EXISTS (SELECT FROM read.labelled_conversation WHERE workspace_id = %(workspace)s)
"""
ERASED = "[erased]"


class Counts(NamedTuple):
    """How many messages of a result each has."""

    authors: Counter[UUID]
    conversations: Counter[UUID]
    months: Counter[date]  # the first of each, in UTC


class ResultSet(NamedTuple):
    """All messages that a search finds, whatever the order: as SQL over `read.message AS m`."""

    sql: str
    values: Mapping[str, Any]


def result_set(
    restriction: Restriction,
    words: TsQueries | None,
    meant: Sequence[Key] | None,
    *,
    is_strict: bool,
) -> ResultSet:
    """
    Args:
        words: those that messages are found by; None: none are.
        meant: texts that are found by meaning; None: none are looked for so.
        is_strict: whether all of the words are asked for.
    """
    parts: list[str] = []
    values = dict(restriction.values)
    if words is not None:
        tsquery = words.all_words if is_strict else words.any_word
        parts.append("m.words @@ %(result)s::tsquery" if tsquery else "false")
        values["result"] = tsquery
    if meant is not None:
        parts.append("m.text_key = ANY(%(meant)s) OR m.message_id = ANY(%(meant_ids)s)")
        values["meant"] = [key for key in meant if isinstance(key, UUID)]
        values["meant_ids"] = [key for key in meant if isinstance(key, int)]
    found = f" AND ({' OR '.join(parts)})" if parts else ""
    return ResultSet(restriction.sql + found, values)


def by_time(
    connection: Connection[Any],
    workspace_id: UUID,
    result: ResultSet,
    sort: Sort,
    *,
    last: tuple[float, int] | None,
    limit: int,
) -> list[Ranked]:
    """
    Args:
        last: key and message behind which the page begins; None: the first one.
    """
    is_oldest = sort == "oldest"
    values = {"workspace": workspace_id, "limit": limit, **result.values}
    behind = ""
    if last is not None:
        behind = BEHIND.format(comparison=">" if is_oldest else "<")
        values["last_at"], values["last_id"] = moment_of(last[0]), last[1]
    order = "ASC" if is_oldest else "DESC"
    statement = BY_TIME.format(result=result.sql, behind=behind, order=order, sent_at=SENT_AT)
    rows = connection.execute(statement, values).fetchall()
    return [Ranked(message_id, 0, microseconds(sent_at)) for message_id, sent_at in rows]


def counted(connection: Connection[Any], workspace_id: UUID, result: ResultSet) -> Counts:
    values = {"workspace": workspace_id, **result.values}
    found = Counts(Counter(), Counter(), Counter())
    statement = COUNTS.format(result=result.sql)
    for author_id, conversation_id, month, count in connection.execute(statement, values):
        if month is not None:
            found.months[month] = count
        elif conversation_id is not None:
            found.conversations[conversation_id] = count
        elif author_id is not None:
            found.authors[author_id] = count
    return found


def facets(
    connection: Connection[Any], workspace_id: UUID, counts: Counts, result: ResultSet
) -> Facets:
    authors, conversations, months = counts
    best = [id_ for id_, _ in authors.most_common(MOST_VALUES)]
    names = dict(connection.execute(NAMES, {"workspace": workspace_id, "ids": best}).fetchall())
    talks = {
        id_: (title, format_)
        for id_, title, format_ in connection.execute(
            TITLES, {"workspace": workspace_id, "ids": list(conversations)}
        )
    }
    formats: Counter[str] = Counter()
    for id_, count in conversations.items():
        formats[talks.get(id_, ("", "unknown"))[1]] += count
    return Facets(
        total=conversations.total(),
        authors=tuple(
            FacetValue(str(id_), names.get(id_, ERASED), count)
            for id_, count in authors.most_common(MOST_VALUES)
        ),
        conversations=tuple(
            FacetValue(str(id_), talks.get(id_, (ERASED, ""))[0], count)
            for id_, count in conversations.most_common(MOST_VALUES)
        ),
        months=tuple(
            FacetValue(f"{month:%Y-%m}", f"{month:%Y-%m}", count)
            for month, count in sorted(months.items(), reverse=True)
        ),
        formats=tuple(
            FacetValue(name, name, count) for name, count in formats.most_common(MOST_VALUES)
        ),
        labels=by_label(connection, workspace_id, result),
    )


def by_label(
    connection: Connection[Any], workspace_id: UUID, result: ResultSet
) -> tuple[FacetValue, ...]:
    values = {"workspace": workspace_id, "most": MOST_VALUES, **result.values}
    row = connection.execute(ANY_LABELLED, values).fetchone()
    if row is None or not row[0]:
        return ()
    found = connection.execute(LABEL_COUNTS.format(result=result.sql), values)
    return tuple(FacetValue(str(id_), name, count) for id_, name, count in found)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def moment_of(key: float) -> datetime:
    return EPOCH + timedelta(microseconds=max(EARLIEST, min(LATEST, int(key))))
