"""Whether an exception is the event's fault."""

from __future__ import annotations

import psycopg

from infrastructure.keys.master import MasterKeyError

# SQLSTATE classes that say nothing about the event: connection, transaction rollback (deadlock),
# resources, locks, operator intervention, system. Not 54: a word too long for an index is data.
SURROUNDINGS = frozenset({"08", "40", "53", "55", "57", "58"})


def is_surroundings(error: BaseException) -> bool:
    """True if the same event may well be digested later: the database, the memory, the key."""
    if isinstance(error, MemoryError | MasterKeyError | psycopg.InterfaceError):
        return True
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is None:
            return isinstance(error, psycopg.OperationalError)
        return state[:2] in SURROUNDINGS
    return False
