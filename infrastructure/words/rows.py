"""What the words in memory ask of the messages read model."""

from __future__ import annotations

from collections.abc import Iterator

# The position and what is in the tables at it.
ONE_VIEW = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
POSITION = """
SELECT position, version FROM projection.projection
WHERE name = 'messages' AND status IN ('live', 'halted')
"""
CHANGED = """
SELECT position, message_id, workspace_id, words FROM read.message
WHERE (position, message_id) > (%s, %s) AND position <= %s
ORDER BY position, message_id LIMIT %s
"""
REMOVED = """
SELECT workspace_id, message_id FROM read.removed_message WHERE position > %s AND position <= %s
"""
COUNT = "SELECT coalesce(sum(messages), 0) FROM read.message_total"


def lexemes(words: bytes) -> Iterator[tuple[str, int]]:
    """
    From a tsvector's binary form: each word, and how often it occurs.

    A count, and for each word its bytes, a zero, how many places it has, and the places.
    """
    at = 4
    for _ in range(int.from_bytes(words[:4], "big")):
        end = words.index(0, at)
        count = int.from_bytes(words[end + 1 : end + 3], "big")
        yield words[at:end].decode(), max(1, count)
        at = end + 3 + 2 * count
