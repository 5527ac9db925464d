"""Tables of the messages read model."""

from __future__ import annotations

from collections.abc import Mapping

# What full text sees of one message: a tsvector holds at most 1 MiB of words.
WORDS_FROM_CHARACTERS = 100_000


def tables(schema: str) -> str:
    return f"""
    CREATE TABLE {schema}.message (
        workspace_id uuid NOT NULL,
        message_id bigint NOT NULL,    -- position of the event × 1,024 + ordinal: never reused
        conversation_id uuid NOT NULL,
        author_id uuid,                -- null: the system speaks
        message_key text NOT NULL,
        sent_at timestamptz NOT NULL,
        precision text NOT NULL,
        zone text NOT NULL,
        kind text NOT NULL,
        text text NOT NULL,
        text_key uuid,                 -- null: not to be embedded
        reply_to text,
        thread text,
        edited_at timestamptz,
        reactions jsonb,               -- [[value, [author ids], total]]
        attachments jsonb,             -- [[name, media type, bytes]]
        extra jsonb,
        version int NOT NULL,          -- 1, and one more for each text that it had before
        upload_ids uuid[] NOT NULL,    -- where it was seen, first first
        vanished_in uuid,              -- a later upload that covers its time does not have it
        position bigint NOT NULL,      -- of the event that last changed the row
        words tsvector GENERATED ALWAYS AS (
            to_tsvector('english', left(text, {WORDS_FROM_CHARACTERS}))
        ) STORED,
        PRIMARY KEY (workspace_id, message_id)
    );
    CREATE UNIQUE INDEX ON {schema}.message (conversation_id, message_key);
    CREATE TABLE {schema}.message_version (  -- superseded texts
        workspace_id uuid NOT NULL,
        message_id bigint NOT NULL,
        version int NOT NULL,          -- in the order in which they became known
        text text NOT NULL,
        superseded_at timestamptz,     -- by the source's own account; null where it says nothing
        position bigint NOT NULL,      -- of the event that says so
        PRIMARY KEY (workspace_id, message_id, version)
    );
    CREATE TABLE {schema}.upload_span (      -- the time that an upload covers
        upload_id uuid NOT NULL,
        conversation_id uuid NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        known int NOT NULL,            -- messages that an earlier upload had
        PRIMARY KEY (upload_id, conversation_id)
    );
    CREATE TABLE {schema}.upload_outcome (
        workspace_id uuid NOT NULL,
        upload_id uuid PRIMARY KEY,
        fresh bigint NOT NULL DEFAULT 0,
        known bigint NOT NULL DEFAULT 0,
        edited bigint NOT NULL DEFAULT 0,
        vanished bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE {schema}.message_total (    -- so that no search has to count
        workspace_id uuid PRIMARY KEY,
        messages bigint NOT NULL,
        texts bigint NOT NULL                -- of them with a text to be embedded
    );
    """


def indexes(schema: str) -> str:
    return f"""
    CREATE INDEX ON {schema}.message (conversation_id, sent_at, message_id);
    CREATE INDEX ON {schema}.message (workspace_id, text_key) WHERE text_key IS NOT NULL;
    CREATE INDEX ON {schema}.message USING gin (words);
    CREATE INDEX ON {schema}.message (workspace_id, message_id) WHERE version > 1;
    """


def views(schema: str) -> Mapping[str, str]:
    names = ("message", "message_version", "upload_outcome", "message_total")
    return {name: f"SELECT * FROM {schema}.{name}" for name in names}
