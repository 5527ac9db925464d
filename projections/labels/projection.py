"""
Labels, and what each is on.

Messages are known here by conversation and key, as in the log: so a message that is withdrawn and
uploaded again has its labels, though its id is another one. Withdrawals themselves change nothing
here: readers join the messages that there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.aggregate import Erased
from domain.label import LabelBook, Labelling, keys_of
from projections.contract import RecordedEvent, storable

# What names are ordered by: alike on every machine.
SORT_NAME = 'lower(name) COLLATE "C"'
CREATE = """
INSERT INTO {schema}.label (workspace_id, label_id, name, colour, description, created_at, position)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
RENAME = """
UPDATE {schema}.label SET name = %s, position = %s WHERE workspace_id = %s AND label_id = %s
"""
DELETE = (
    "DELETE FROM {schema}.labelled_message WHERE workspace_id = %s AND label_id = %s",
    "DELETE FROM {schema}.labelled_conversation WHERE workspace_id = %s AND label_id = %s",
    "DELETE FROM {schema}.label WHERE workspace_id = %s AND label_id = %s",
)
# Whoever labels while somebody else deletes the label labels nothing.
PUT_ON_MESSAGES = """
INSERT INTO {schema}.labelled_message
    (workspace_id, label_id, conversation_id, message_key, position)
SELECT l.workspace_id, l.label_id, %(conversation)s, told.key, %(position)s
FROM unnest(%(keys)s::text[]) AS told (key)
JOIN {schema}.label AS l ON l.workspace_id = %(workspace)s AND l.label_id = %(label)s
ON CONFLICT DO NOTHING
"""
PUT_ON_CONVERSATION = """
INSERT INTO {schema}.labelled_conversation (workspace_id, label_id, conversation_id, position)
SELECT l.workspace_id, l.label_id, %(conversation)s, %(position)s
FROM {schema}.label AS l WHERE l.workspace_id = %(workspace)s AND l.label_id = %(label)s
ON CONFLICT DO NOTHING
"""
TAKE_OFF_MESSAGES = """
DELETE FROM {schema}.labelled_message
WHERE workspace_id = %(workspace)s AND label_id = %(label)s
  AND conversation_id = %(conversation)s AND message_key = ANY(%(keys)s)
"""
TAKE_OFF_CONVERSATION = """
DELETE FROM {schema}.labelled_conversation
WHERE workspace_id = %(workspace)s AND label_id = %(label)s AND conversation_id = %(conversation)s
"""


class LabelsReadModel:
    name = "labels"
    code_version = 1
    topics = frozenset(
        {
            LabelBook.Opened.TOPIC,
            LabelBook.Created.TOPIC,
            LabelBook.Renamed.TOPIC,
            LabelBook.Deleted.TOPIC,
            Labelling.Begun.TOPIC,
            Labelling.PutOn.TOPIC,
            Labelling.TakenOff.TOPIC,
        }
    )

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.label (
            workspace_id uuid NOT NULL,
            label_id uuid NOT NULL,
            name text NOT NULL,
            colour text,                     -- "#rrggbb"
            description text,                -- null: none, or erased
            created_at timestamptz NOT NULL,
            position bigint NOT NULL,        -- of the event that last changed the row
            PRIMARY KEY (workspace_id, label_id)
        );
        CREATE TABLE {schema}.labelled_message (
            workspace_id uuid NOT NULL,
            label_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            message_key text NOT NULL,
            position bigint NOT NULL,        -- of the event that put it on
            PRIMARY KEY (workspace_id, label_id, conversation_id, message_key)
        );
        CREATE TABLE {schema}.labelled_conversation (
            workspace_id uuid NOT NULL,
            label_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            position bigint NOT NULL,        -- of the event that put it on
            PRIMARY KEY (workspace_id, label_id, conversation_id)
        );
        """

    def indexes(self, schema: str) -> str:
        return f"""
        CREATE INDEX ON {schema}.label (workspace_id, ({SORT_NAME}), label_id);
        CREATE INDEX ON {schema}.labelled_message (workspace_id, conversation_id, message_key);
        CREATE INDEX ON {schema}.labelled_conversation (workspace_id, conversation_id);
        """

    def views(self, schema: str) -> Mapping[str, str]:
        return {
            "label": f"SELECT *, {SORT_NAME} AS sort_name FROM {schema}.label",
            "labelled_message": f"SELECT * FROM {schema}.labelled_message",
            "labelled_conversation": f"SELECT * FROM {schema}.labelled_conversation",
        }

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        # One after the other, in order: people label now and then, and a thousand at a time.
        for recorded in events:
            apply_one(connection, schema, recorded)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False


def apply_one(connection: Connection[Any], schema: str, recorded: RecordedEvent) -> None:
    event, workspace_id = recorded.event, recorded.workspace_id

    def run(statement: str, values: Any) -> None:
        connection.execute(statement.format(schema=schema).encode(), values)

    match event:
        case LabelBook.Opened():
            pass  # it has no labels yet
        case LabelBook.Created():
            text = event.description
            kept = None if text is None or isinstance(text, Erased) else storable(text)
            place = (workspace_id, UUID(event.label_id))
            run(
                CREATE,
                (*place, event.name, event.colour, kept, recorded.recorded_at, recorded.position),
            )
        case LabelBook.Renamed():
            run(RENAME, (event.name, recorded.position, workspace_id, UUID(event.label_id)))
        case LabelBook.Deleted():
            for statement in DELETE:
                run(statement, (workspace_id, UUID(event.label_id)))
        case Labelling.Begun() | Labelling.PutOn() | Labelling.TakenOff():
            is_off = isinstance(event, Labelling.TakenOff)
            values = {
                "workspace": workspace_id,
                "label": UUID(event.label_id),
                "conversation": UUID(event.conversation_id),
                "keys": sorted(keys_of(event.message_ids, event.keys).values()),
                "position": recorded.position,
            }
            if event.message_ids:
                run(TAKE_OFF_MESSAGES if is_off else PUT_ON_MESSAGES, values)
            if event.is_on_conversation:
                run(TAKE_OFF_CONVERSATION if is_off else PUT_ON_CONVERSATION, values)
        case other:
            raise TypeError(f"labels cannot digest {type(other).__name__}")
