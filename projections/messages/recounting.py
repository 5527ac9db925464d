"""Counts of conversations and people, made anew where what was there has become another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.messages.totals import Totals

TALLY = "count(*), min(sent_at), max(sent_at)"
CONVERSATIONS = """
SELECT conversation_id FROM {schema}.upload_span WHERE upload_id = %(upload)s
"""
AUTHORS = """
SELECT DISTINCT workspace_id, author_id FROM {schema}.participation
WHERE conversation_id = ANY(%(conversations)s::uuid[])
"""
OF_CONVERSATIONS = (
    """
    DELETE FROM {schema}.conversation_total WHERE conversation_id = ANY(%(conversations)s::uuid[])
    """,
    f"""
    INSERT INTO {{schema}}.conversation_total
    SELECT workspace_id, conversation_id, {TALLY} FROM {{schema}}.message
    WHERE conversation_id = ANY(%(conversations)s::uuid[]) GROUP BY workspace_id, conversation_id
    """,
)
PLACES = (
    *OF_CONVERSATIONS,
    "DELETE FROM {schema}.participation WHERE conversation_id = ANY(%(conversations)s::uuid[])",
    f"""
    INSERT INTO {{schema}}.participation
    SELECT workspace_id, author_id, conversation_id, {TALLY} FROM {{schema}}.message
    WHERE conversation_id = ANY(%(conversations)s::uuid[]) AND author_id IS NOT NULL
    GROUP BY workspace_id, author_id, conversation_id
    """,
)
PARTICIPATIONS = (
    """
    DELETE FROM {schema}.participation WHERE (workspace_id, author_id, conversation_id) IN (
        SELECT * FROM unnest(%(workspaces)s::uuid[], %(authors)s::uuid[], %(places)s::uuid[])
    )
    """,
    f"""
    INSERT INTO {{schema}}.participation
    SELECT workspace_id, author_id, conversation_id, {TALLY} FROM {{schema}}.message
    WHERE conversation_id = ANY(%(places)s::uuid[])
      AND (workspace_id, author_id, conversation_id) IN (
        SELECT * FROM unnest(%(workspaces)s::uuid[], %(authors)s::uuid[], %(places)s::uuid[])
    )
    GROUP BY workspace_id, author_id, conversation_id
    """,
)
PEOPLE = (
    """
    DELETE FROM {schema}.author_total
    WHERE (workspace_id, author_id) IN (
        SELECT * FROM unnest(%(workspaces)s::uuid[], %(authors)s::uuid[])
    )
    """,
    """
    INSERT INTO {schema}.author_total
    SELECT workspace_id, author_id, sum(messages), min(first_at), max(last_at)
    FROM {schema}.participation
    WHERE (workspace_id, author_id) IN (
        SELECT * FROM unnest(%(workspaces)s::uuid[], %(authors)s::uuid[])
    )
    GROUP BY workspace_id, author_id
    """,
)


def count_again(connection: Connection[Any], schema: str, upload_id: UUID) -> None:
    """Of the conversations that the upload has, and of everybody in them."""
    values: dict[str, Any] = {"upload": upload_id}
    found = connection.execute(CONVERSATIONS.format(schema=schema), values)
    values["conversations"] = [row[0] for row in found]
    # Also those who come to the fore: the upload may have said of a message that another wrote it.
    authors = connection.execute(AUTHORS.format(schema=schema), values).fetchall()
    run(connection, schema, PLACES, values)
    authors += connection.execute(AUTHORS.format(schema=schema), values).fetchall()
    values["workspaces"] = [row[0] for row in authors]
    values["authors"] = [row[1] for row in authors]
    run(connection, schema, PEOPLE, values)


def count_shifted(connection: Connection[Any], schema: str, totals: Totals) -> None:
    """After the messages themselves have changed, and what is known by differences was added."""
    if totals.shifted_conversations:
        values: dict[str, Any] = {"conversations": list(totals.shifted_conversations)}
        run(connection, schema, OF_CONVERSATIONS, values)
    if totals.shifted:
        workspaces, authors, places = map(list, zip(*totals.shifted, strict=True))
        values = {"workspaces": workspaces, "authors": authors, "places": places}
        run(connection, schema, (*PARTICIPATIONS, *PEOPLE), values)


def run(
    connection: Connection[Any], schema: str, statements: Iterable[str], values: dict[str, Any]
) -> None:
    for statement in statements:
        connection.execute(statement.format(schema=schema), values)
