"""Words that messages must have or must not, as filters over columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from application.searching.query import Group, Term
from infrastructure.columns.filtering import Test, of_messages, without
from infrastructure.search.corpus import Where
from infrastructure.search.tsquery import Demand
from infrastructure.words.inverted_index import InvertedIndex

# Of a phrase that more messages have than this, each part of a search asks PostgreSQL by itself.
MOST_HAVING = 100_000
MOST_PHRASES = 8  # beyond these, too: the ids of each have to come here
HAVING = """
SELECT message_id FROM read.message AS m
WHERE m.workspace_id = %(workspace)s AND m.words @@ %(tsquery)s::tsquery LIMIT %(limit)s
"""


# All at once: however many there are, they have one deadline.
UNSAID = """
SELECT number FROM unnest(%(tsqueries)s::text[]) WITH ORDINALITY AS asked (tsquery, number)
WHERE NOT EXISTS (
    SELECT FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.words @@ asked.tsquery::tsquery
      AND m.message_id < %(below)s
) ORDER BY number
"""


class NobodySaysError(Exception):
    """Nothing was found, because no message of the workspace has some of what is in quotes."""

    def __init__(self, phrases: Sequence[Group]) -> None:
        super().__init__("no message has the words in quotes")
        self.phrases = phrases

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"no message has {' or '.join(quoted(term) for term in phrase)}: its words are looked "
            "for, in any order"
            for phrase in self.phrases
        )


def quoted(term: Term) -> str:
    return f'"{term.text}"'


def unsaid(
    connection: Connection[Any], where: Where, demands: Sequence[Demand], *, below: int
) -> list[Group]:
    """What is required and said by nobody, whatever else is asked for."""
    required = [demand for demand in demands if not demand.is_excluded]
    if not required:
        return []
    values = {
        "workspace": where["workspace_id"],
        "tsqueries": [demand.tsquery for demand in required],
        "below": below,
    }
    return [required[number - 1].terms for (number,) in connection.execute(UNSAID, values)]


def filters_of(
    connection: Connection[Any],
    where: Where,
    demands: Sequence[Demand],
    words: InvertedIndex,
    *,
    below: int,
) -> tuple[Test, ...] | None:
    """
    None: a phrase is so common, or there are so many, that PostgreSQL has to look.

    Args:
        words: in memory, for what is single words. In which order words stand, it does not tell.
        below: messages from this id on are not looked at.
    """
    tests: list[Test] = []
    if sum(demand.asked is None for demand in demands) > MOST_PHRASES:
        return None
    for demand in demands:
        ids: NDArray[np.int64]
        if demand.asked is not None:
            ids = words.look_up(demand.asked, below=below).having()
        else:
            values = {
                "workspace": where["workspace_id"],
                "tsquery": demand.tsquery,
                "limit": MOST_HAVING + 1,
            }
            rows = connection.execute(HAVING, values, binary=True).fetchall()
            if len(rows) > MOST_HAVING:
                return None
            ids = np.fromiter((id_ for (id_,) in rows), dtype=np.int64, count=len(rows))
        test = of_messages(ids)
        tests.append(without(test) if demand.is_excluded else test)
    return tuple(tests)
