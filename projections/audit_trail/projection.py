"""One row for every event there is: who did what, from where, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from psycopg import Connection
from psycopg.types.json import Jsonb

from domain.aggregate import CHATLEDGER_NAMESPACE
from domain.topics import EVENTS
from domain.transcript import Transcript, TranscriptEmbedding
from projections.audit_trail.words import WORDS
from projections.contract import RecordedEvent, storable

# The actors that are no accounts. The write side derives the same ids.
ACTORS = {
    uuid5(CHATLEDGER_NAMESPACE, "actor/local-owner"): "Local owner",
    uuid5(CHATLEDGER_NAMESPACE, "actor/system"): "System",
}
INSERT = """
INSERT INTO {schema}.audit_entry (
    position, recorded_at, workspace_id, actor_id, actor, action, subject_id, origin,
    correlation_id, causation_position, command_id, words
)
SELECT * FROM unnest(
    %b::int8[], %b::timestamptz[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::uuid[],
    %b::jsonb[], %b::uuid[], %b::int8[], %b::uuid[], %b::text[]
)
"""


class AuditTrailReadModel:
    name = "audit_trail"
    code_version = 2
    topics = frozenset(EVENTS)
    frames = frozenset({Transcript.Recorded.TOPIC, TranscriptEmbedding.Recorded.TOPIC})

    def tables(self, schema: str) -> str:
        return f"""
        CREATE TABLE {schema}.audit_entry (
            position bigint PRIMARY KEY,
            recorded_at timestamptz NOT NULL,
            workspace_id uuid,               -- null: a fact about the instance
            actor_id uuid NOT NULL,
            actor text NOT NULL,             -- as people call it
            action text NOT NULL,            -- the event's topic
            subject_id uuid NOT NULL,        -- the stream: an upload, a search, a workspace
            origin jsonb NOT NULL,           -- channel, address; empty: none, or erased
            correlation_id uuid NOT NULL,    -- the same for all that one request caused
            causation_position bigint,       -- the event that this one follows from
            command_id uuid,                 -- the client's
            words text NOT NULL
        );
        """

    def indexes(self, schema: str) -> str:
        return f"""
        CREATE INDEX ON {schema}.audit_entry (workspace_id, position);
        CREATE INDEX ON {schema}.audit_entry (workspace_id, subject_id, position);
        CREATE INDEX ON {schema}.audit_entry (workspace_id, action, position);
        """

    def views(self, schema: str) -> Mapping[str, str]:
        return {"audit_entry": f"SELECT * FROM {schema}.audit_entry"}

    def apply(
        self, connection: Connection[Any], schema: str, events: Sequence[RecordedEvent]
    ) -> None:
        columns = [list(column) for column in zip(*map(entry, events), strict=True)]
        connection.execute(INSERT.format(schema=schema), columns)

    def maintain(self, connection: Connection[Any], schema: str) -> bool:
        del connection, schema
        return False


def entry(recorded: RecordedEvent) -> tuple[Any, ...]:
    event = recorded.event
    origin = {key: storable(value) for key, value in (recorded.origin or {}).items()}
    return (
        recorded.position,
        recorded.recorded_at,
        recorded.workspace_id,
        recorded.actor_id,
        actor_name(recorded.actor_id),
        recorded.topic,
        event.originator_id,
        Jsonb(origin),
        recorded.correlation_id,
        recorded.causation_position,
        recorded.command_id,
        storable(WORDS[recorded.topic](event)),
    )


def actor_name(actor_id: UUID) -> str:
    return ACTORS.get(actor_id) or str(actor_id)
