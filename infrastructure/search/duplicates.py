"""The messages that a hit stands for: how many there are, and pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.ports.search import Hit, SearchRequest
from application.searches import understood
from infrastructure.search import messages
from infrastructure.search.restriction import Restriction, restriction
from infrastructure.search.tsquery import NOTHING, languages, tsqueries
from projections.messages.queries import MessageRow, messages_by_id
from projections.paging import Keys, Slice, Window

# Every message of the result with one of a hit's texts.
STOOD_FOR = """
SELECT k.number, m.message_id, m.sent_at
FROM unnest(%(numbers)s::int[], %(keys)s::uuid[]) AS k (number, key)
JOIN read.message AS m ON m.workspace_id = %(workspace)s AND m.text_key = k.key {restriction}
UNION ALL
SELECT k.number, m.message_id, m.sent_at
FROM unnest(%(numbers_of_ids)s::int[], %(ids)s::bigint[]) AS k (number, id)
JOIN read.message AS m ON m.workspace_id = %(workspace)s AND m.message_id = k.id {restriction}
"""
COUNTS = f"SELECT number, count(*) - 1 FROM ({STOOD_FOR}) AS found GROUP BY number"
PAGES = f"""
SELECT number, message_id FROM (
    SELECT number, message_id, row_number() OVER (
        PARTITION BY number ORDER BY sent_at {{order}}, message_id {{order}}
    ) AS place
    FROM ({STOOD_FOR}) AS found
    WHERE message_id <> (%(leaders)s::bigint[])[number] {{placed}}
) AS placed
WHERE place <= %(limit)s ORDER BY number, place
"""


class StoodFor(NamedTuple):
    """What a hit stands for, of the result as it was."""

    message_id: int
    keys: tuple[UUID | int, ...]
    messages_position: int

    @classmethod
    def by(cls, hit: Hit) -> StoodFor:
        return cls(hit.place.message_id, hit.stands_for, hit.place.messages_position)


def with_duplicates(
    connection: Connection[Any], request: SearchRequest, narrowed: Restriction, hits: Sequence[Hit]
) -> list[Hit]:
    """
    Hits with how many messages each stands for, and as many of these as the request asks for.
    Where nothing is ranked no hit stands for another.
    """
    groups = [hit.stands_for for hit in hits]
    if not any(groups):
        return list(hits)
    workspace_id = request.workspace_id
    values = {"workspace": workspace_id, **of_groups(groups), **narrowed.values}
    rows = connection.execute(COUNTS.format(restriction=narrowed.sql), values, binary=True)
    counts: dict[int, int] = dict(rows.fetchall())
    counted = [
        replace(hit, duplicates=counts.get(number, 0)) for number, hit in enumerate(hits, start=1)
    ]
    if not request.duplicates:
        return counted
    keys = [StoodFor.by(hit) for hit in counted]
    ids = pages(connection, workspace_id, narrowed, keys, Window(limit=request.duplicates))
    every = [id_ for page in ids.values() for id_ in page[: request.duplicates]]
    found = messages.by_id(connection, workspace_id=workspace_id, ids=every)()
    return [
        replace(hit, others=tuple(found[id_] for id_ in ids[key] if id_ in found))
        for key, hit in zip(keys, counted, strict=True)
    ]


def duplicates_of(
    connection: Connection[Any], keys: Sequence[StoodFor], *, request: SearchRequest, window: Window
) -> dict[StoodFor, Slice[MessageRow]]:
    """
    What hits of one request stand for besides themselves, oldest first, in a fixed number of
    statements.
    """
    workspace_id = request.workspace_id
    query = understood(request)
    words = NOTHING
    if query.groups or query.excluded:
        spoken = languages(connection, workspace_id)
        words = tsqueries(connection, query, spoken, lambda _asked: ())
    position = max(key.messages_position for key in keys)
    narrowed = restriction(connection, workspace_id, query.filters, words, position)
    found = pages(connection, workspace_id, narrowed, keys, window)
    every = [(workspace_id, id_) for ids in found.values() for id_ in ids]
    rows = messages_by_id(connection, every)
    return {
        key: window.slice([rows[workspace_id, id_] for id_ in ids if (workspace_id, id_) in rows])
        for key, ids in found.items()
    }


def pages(
    connection: Connection[Any],
    workspace_id: UUID,
    narrowed: Restriction,
    keys: Sequence[StoodFor],
    window: Window,
) -> dict[StoodFor, list[int]]:
    """The messages' ids as `Window.slice` takes them: one more than the limit, if there is."""
    placed, places = placed_by(window)
    statement = PAGES.format(
        restriction=narrowed.sql, placed=placed, order="DESC" if window.is_backward else "ASC"
    )
    values = {
        "workspace": workspace_id,
        "leaders": [key.message_id for key in keys],
        "limit": window.limit + 1,
        **of_groups([key.keys for key in keys]),
        **narrowed.values,
        **places,
    }
    found: dict[StoodFor, list[int]] = {key: [] for key in keys}
    for number, message_id in connection.execute(statement, values, binary=True):
        found[keys[number - 1]].append(message_id)
    return found


def of_groups(groups: Sequence[Sequence[UUID | int]]) -> Mapping[str, Any]:
    """As arrays of pairs of a group's number, from 1, and a key."""
    numbered = [(number, key) for number, keys in enumerate(groups, start=1) for key in keys]
    texts = [(number, key) for number, key in numbered if isinstance(key, UUID)]
    ids = [(number, key) for number, key in numbered if isinstance(key, int)]
    return {
        "numbers": [number for number, _ in texts],
        "keys": [key for _, key in texts],
        "numbers_of_ids": [number for number, _ in ids],
        "ids": [key for _, key in ids],
    }


def placed_by(window: Window) -> tuple[str, dict[str, Any]]:
    """Conditions, from `AND` on, with their values."""
    sql, values = "", dict[str, Any]()
    places: tuple[tuple[str, str, Keys | None], ...] = (
        ("after", ">", window.after),
        ("before", "<", window.before),
    )
    for name, comparison, keys in places:
        if keys is not None:
            sql += f" AND (sent_at, message_id) {comparison} (%({name}_at)s, %({name}_id)s)"
            values |= {f"{name}_at": keys[0], f"{name}_id": keys[1]}
    return sql, values
