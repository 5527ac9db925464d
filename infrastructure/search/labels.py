"""What the labels in a filter mean: which messages have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.filters import Choice
from infrastructure.search.names import Kind, meant

LABELS = Kind(
    """
    SELECT DISTINCT v.value, r.label_id AS id, CASE
        WHEN lower(r.name) = lower(normalize(v.value, NFC)) THEN 2 ELSE 1
    END AS fit
    FROM unnest(%(values)s::text[]) AS v (value)
    JOIN read.label AS r ON r.workspace_id = %(workspace)s AND strpos(
        ' ' || translate(lower(r.name), '-_.@#/', '      '),
        ' ' || translate(lower(normalize(v.value, NFC)), '-_.@#/', '      ')
    ) > 0
    """,
    None,
    "SELECT name FROM read.label WHERE workspace_id = %(workspace)s LIMIT 20000",
    "no label is called",
)
MESSAGES = """
SELECT DISTINCT m.message_id FROM read.labelled_message AS t
JOIN read.message AS m ON m.workspace_id = t.workspace_id
    AND m.conversation_id = t.conversation_id AND m.message_key = t.message_key
WHERE t.workspace_id = %s AND t.label_id = ANY(%s)
"""
CONVERSATIONS = """
SELECT DISTINCT conversation_id FROM read.labelled_conversation
WHERE workspace_id = %s AND label_id = ANY(%s)
"""


class Labelled(NamedTuple):
    """What has one of several labels: these messages, and all of these conversations."""

    messages: Sequence[int]
    conversations: Sequence[UUID]


class LabelFilter(NamedTuple):
    any_of: Labelled | None  # None: whichever
    none_of: Labelled | None
    notes: Sequence[str]

    def conditions(self) -> list[tuple[str, dict[str, Any]]]:
        """As SQL over `read.message AS m`, with the values of each."""
        found = []
        for name, labelled, negation in (
            ("labelled", self.any_of, ""),
            ("not_labelled", self.none_of, "NOT "),
        ):
            if labelled is None:
                continue
            # Without what is empty: the plan is the better for it.
            parts = []
            if labelled.messages:
                parts.append(f"m.message_id = ANY(%({name})s)")
            if labelled.conversations:
                parts.append(f"m.conversation_id = ANY(%({name}_in)s)")
            values = {name: labelled.messages, f"{name}_in": labelled.conversations}
            found.append((f"{negation}({' OR '.join(parts) or 'false'})", values))
        return found


def label_filter(connection: Connection[Any], workspace_id: UUID, labels: Choice) -> LabelFilter:
    """
    Looked up before anything is searched, because few messages have labels: what has one is a list
    of ids, by which PostgreSQL and whatever is in memory restrict as they do by other ids.
    """
    chosen = meant(connection, workspace_id, labels, LABELS)
    any_of = none_of = None
    if chosen.any_of is not None:
        any_of = labelled_with(connection, workspace_id, chosen.any_of)
    if chosen.none_of:
        none_of = labelled_with(connection, workspace_id, chosen.none_of)
    return LabelFilter(any_of, none_of, chosen.notes)


def labelled_with(
    connection: Connection[Any], workspace_id: UUID, labels: Sequence[UUID]
) -> Labelled:
    if not labels:
        return Labelled([], [])
    values = (workspace_id, list(labels))
    messages = connection.execute(MESSAGES, values, binary=True).fetchall()
    conversations = connection.execute(CONVERSATIONS, values, binary=True).fetchall()
    return Labelled([row[0] for row in messages], [row[0] for row in conversations])
