"""Tables of the messages read model."""

from __future__ import annotations

from collections.abc import Mapping

from domain.transcript import IDS_PER_POSITION
from projections.messages.fulltext import WORDS

# What a whole workspace is ordered by.
SENT_AT = "sent_at AT TIME ZONE 'UTC'"
LINK = r"(https?://|www\.)\S"


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
        digest bigint NOT NULL,        -- of its first sighting's content
        first_place bigint NOT NULL,   -- of its first sighting in an upload that was not withdrawn
        is_mixed boolean NOT NULL,     -- its sightings differ
        language text,                 -- ISO 639-1; null: the text does not tell
        words_text text,               -- what words are taken from; null: the text itself
        words tsvector GENERATED ALWAYS AS ({WORDS}) STORED,
        has_link boolean GENERATED ALWAYS AS (text ~* '{LINK}') STORED,
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
    CREATE TABLE {schema}.removed_message (  -- for those who keep words elsewhere
        workspace_id uuid NOT NULL,
        message_id bigint NOT NULL,
        position bigint NOT NULL,      -- of the withdrawal that removed it
        PRIMARY KEY (workspace_id, message_id)
    );
    CREATE INDEX ON {schema}.removed_message (position);
    CREATE TABLE {schema}.sighting (         -- see sightings.py
        workspace_id uuid NOT NULL,
        message_id bigint NOT NULL,
        place bigint NOT NULL,         -- position of the event × 1,024 + ordinal
        upload_id uuid NOT NULL,
        content jsonb,                 -- null: the same as the first one
        PRIMARY KEY (workspace_id, message_id, place)
    );
    CREATE INDEX ON {schema}.sighting (upload_id);
    CREATE TABLE {schema}.transcript (       -- where an upload's own messages are
        upload_id uuid NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (upload_id, position)
    );
    CREATE TABLE {schema}.withdrawn_upload (upload_id uuid PRIMARY KEY);
    CREATE TABLE {schema}.upload_span (      -- the time that an upload covers
        upload_id uuid NOT NULL,
        conversation_id uuid NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        known int NOT NULL,            -- messages that an earlier upload had
        read_position bigint,          -- null: not read to its end
        has_notices boolean NOT NULL,      -- of the system
        has_attachments boolean NOT NULL,
        is_foreign boolean NOT NULL,   -- another exporter's: it may leave out whole kinds
        PRIMARY KEY (upload_id, conversation_id)
    );
    CREATE INDEX ON {schema}.upload_span (conversation_id);
    CREATE TABLE {schema}.conversation_alias (  -- what else a conversation is in some export
        workspace_id uuid NOT NULL,
        own_id uuid NOT NULL,          -- what it would be by its source's id
        upload_id uuid NOT NULL,
        match jsonb NOT NULL,          -- see Upload.ReadingStarted
        position bigint NOT NULL,
        PRIMARY KEY (workspace_id, own_id, upload_id)
    );
    CREATE INDEX ON {schema}.conversation_alias (upload_id);
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
    CREATE TABLE {schema}.conversation_total (
        workspace_id uuid NOT NULL,
        conversation_id uuid NOT NULL,
        messages bigint NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, conversation_id)
    ) WITH (fillfactor = 70);                -- rows change with every batch; so with the next ones
    CREATE TABLE {schema}.author_total (
        workspace_id uuid NOT NULL,
        author_id uuid NOT NULL,
        messages bigint NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, author_id)
    ) WITH (fillfactor = 70);
    CREATE TABLE {schema}.participation (    -- of an author in a conversation
        workspace_id uuid NOT NULL,
        author_id uuid NOT NULL,
        conversation_id uuid NOT NULL,
        messages bigint NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, author_id, conversation_id)
    ) WITH (fillfactor = 70);
    """


def indexes(schema: str) -> str:
    return f"""
    CREATE INDEX ON {schema}.message (conversation_id, sent_at, message_id);
    -- Its form keeps it from whoever reads one conversation: that has an index of its own, and the
    -- planner cannot know how much of a workspace it would read in vain.
    CREATE INDEX ON {schema}.message (workspace_id, ({SENT_AT}), message_id);
    CREATE INDEX ON {schema}.message (workspace_id, text_key) WHERE text_key IS NOT NULL;
    CREATE INDEX ON {schema}.message USING gin (words);
    CREATE INDEX ON {schema}.message (workspace_id, language);
    CREATE INDEX ON {schema}.message (position, message_id);
    CREATE INDEX ON {schema}.message (workspace_id, position)
        WHERE position > message_id / {IDS_PER_POSITION};
    CREATE INDEX ON {schema}.message (workspace_id, author_id, sent_at, message_id)
        WHERE author_id IS NOT NULL;
    CREATE INDEX ON {schema}.message (conversation_id, thread, sent_at, message_id)
        WHERE thread IS NOT NULL;
    CREATE INDEX ON {schema}.message (conversation_id, reply_to) WHERE reply_to IS NOT NULL;
    CREATE INDEX ON {schema}.conversation_total (workspace_id, last_at, conversation_id);
    CREATE INDEX ON {schema}.participation (workspace_id, author_id, last_at, conversation_id);
    CREATE INDEX ON {schema}.participation (workspace_id, conversation_id, author_id);
    """


def views(schema: str) -> Mapping[str, str]:
    names = (
        "message",
        "message_version",
        "removed_message",
        "upload_outcome",
        "conversation_alias",
        "upload_span",
        "message_total",
        "conversation_total",
        "author_total",
        "participation",
    )
    return {name: f"SELECT * FROM {schema}.{name}" for name in names}
