"""What the words in memory ask of the messages read model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure.columns.addressing import NAMED, addressed, token
from infrastructure.columns.message_table import ATTACHMENT, LINK, REACTION, REPLY, Told

# The position and what is in the tables at it.
ONE_VIEW = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
POSITION = """
SELECT position, version FROM projection.projection
WHERE name = 'messages' AND status IN ('live', 'halted')
"""
CHANGED = f"""
SELECT position, message_id, workspace_id, words, conversation_id, author_id, sent_at, kind,
       language, has_link, attachments IS NOT NULL, reactions IS NOT NULL, text_key,
       message_key, reply_to, thread, left(text, {NAMED})
FROM read.message
WHERE (position, message_id) > (%s, %s) AND position <= %s
ORDER BY position, message_id LIMIT %s
"""
REMOVED = """
SELECT workspace_id, message_id FROM read.removed_message WHERE position > %s AND position <= %s
"""
COUNT = "SELECT coalesce(sum(messages), 0) FROM read.message_total"


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def told(row: Sequence[Any]) -> Told:
    """From a row of CHANGED."""
    _, message_id, _, _, conversation_id, author_id, sent_at, kind, language, *rest = row
    has_link, has_attachments, has_reactions, text_key, *links = rest
    key, reply_to, thread, beginning = links
    features = LINK * has_link | ATTACHMENT * has_attachments | REACTION * has_reactions
    return Told(
        message_id=message_id,
        conversation_id=conversation_id,
        author_id=author_id,
        sent_at=(sent_at - EPOCH) // MICROSECOND,
        kind=kind,
        language=language,
        features=features if reply_to is None else features | REPLY,
        text_key=text_key,
        key=token(key),
        answers=0 if reply_to is None else token(reply_to),
        thread=0 if thread is None else token(thread),
        addressed=addressed(beginning) or 0,
    )


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
