"""Hits whose texts say the same become one, which stands for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from infrastructure.search.near_identity import Text, gathered
from infrastructure.search.ranking import Key, Ranked

MOST_COMPARED = 100  # of the best; those behind them stand for themselves
MOST_CHARACTERS = 2_000  # longer texts are compared to the letter only, by their keys
TEXTS = """
SELECT message_id, text, author_id FROM read.message
WHERE workspace_id = %(workspace)s AND message_id = ANY(%(ids)s)
  AND length(text) BETWEEN 1 AND %(most)s
"""


def collapsed(
    connection: Connection[Any], workspace_id: UUID, ranked: Sequence[tuple[Key, Ranked]]
) -> list[Ranked]:
    """
    The best of those that say the same, with the keys of all that it stands for, its own first.

    Args:
        ranked: best first; equal texts once.
    """
    if not ranked:
        return []
    ranked, behind = ranked[:MOST_COMPARED], ranked[MOST_COMPARED:]
    values = {
        "workspace": workspace_id,
        "ids": [entry.message_id for _, entry in ranked],
        "most": MOST_CHARACTERS,
    }
    rows = connection.execute(TEXTS, values, binary=True)
    texts = {id_: Text(text, author_id) for id_, text, author_id in rows}
    known = [number for number, (_, entry) in enumerate(ranked) if entry.message_id in texts]
    stands = list(range(len(ranked)))
    for number, place in zip(
        known, gathered([texts[ranked[number][1].message_id] for number in known]), strict=True
    ):
        stands[number] = known[place]
    keys: dict[int, list[Key]] = {}
    for (key, _), place in zip(ranked, stands, strict=True):
        keys.setdefault(place, []).append(key)
    collapsed = [ranked[place][1]._replace(keys=tuple(found)) for place, found in keys.items()]
    return collapsed + [entry._replace(keys=(key,)) for key, entry in behind]
