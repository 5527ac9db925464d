"""Words that messages must have or must not, as filters over columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

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
