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
HAVING = """
SELECT message_id FROM read.message AS m
WHERE m.workspace_id = %(workspace)s AND m.words @@ %(tsquery)s::tsquery LIMIT %(limit)s
"""


IS_SAID = """
SELECT EXISTS (
    SELECT FROM read.message AS m
    WHERE m.workspace_id = %(workspace)s AND m.words @@ %(tsquery)s::tsquery
      AND m.message_id < %(below)s
)
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
    found = []
    for demand in demands:
        if not demand.is_excluded:
            values = {
                "workspace": where["workspace_id"],
                "tsquery": demand.tsquery,
                "below": below,
            }
            row = connection.execute(IS_SAID, values).fetchone()
            if row is not None and not row[0]:
                found.append(demand.terms)
    return found


def filters_of(
    connection: Connection[Any],
    where: Where,
    demands: Sequence[Demand],
    words: InvertedIndex,
    *,
    below: int,
) -> tuple[Test, ...] | None:
    """
    None: a phrase is so common that PostgreSQL has to look.

    Args:
        words: in memory, for what is single words. In which order words stand, it does not tell.
        below: messages from this id on are not looked at.
    """
    tests: list[Test] = []
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
