"""Tables of the vectors read model: each text's vector once, in segments."""

from __future__ import annotations

from collections.abc import Mapping

# Putting a vector into a large HNSW graph costs milliseconds; building the graph over many at
# once costs a fraction of that. So new vectors go to a tail without an index, which is scanned
# whole, and a full tail becomes a segment that gets its graph in one go.
SEGMENT_ROWS = 25_000


def tables(schema: str) -> str:
    return f"""
    CREATE TABLE {schema}.text_vector (
        workspace_id uuid NOT NULL,
        model text NOT NULL,
        text_key uuid NOT NULL,
        vector_id bigint NOT NULL,       -- position of the event × 1,024 + row: never reused
        segment int NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (workspace_id, model, text_key)
    );
    CREATE UNIQUE INDEX ON {schema}.text_vector (vector_id);
    CREATE TABLE {schema}.segment (
        segment int PRIMARY KEY,
        model text NOT NULL,
        dimensions int NOT NULL,
        rows int NOT NULL DEFAULT 0,
        is_indexed boolean NOT NULL DEFAULT false
    );
    CREATE TABLE {schema}.embedding (
        segment int NOT NULL,
        vector_id bigint NOT NULL,
        workspace_id uuid NOT NULL,
        embedding public.halfvec NOT NULL
    ) PARTITION BY LIST (segment);
    CREATE TABLE {schema}.text_use (     -- which uploads have the text
        workspace_id uuid NOT NULL,
        text_key uuid NOT NULL,
        upload_id uuid NOT NULL,
        PRIMARY KEY (workspace_id, text_key, upload_id)
    );
    CREATE TABLE {schema}.withdrawn_upload (upload_id uuid PRIMARY KEY);
    CREATE TABLE {schema}.removed_vector (  -- for those who keep vectors elsewhere
        vector_id bigint PRIMARY KEY,
        workspace_id uuid NOT NULL,
        model text NOT NULL,
        position bigint NOT NULL         -- of the withdrawal that removed it
    );
    CREATE TABLE {schema}.coverage (     -- transcripts whose texts have no vectors yet
        workspace_id uuid NOT NULL,
        upload_id uuid NOT NULL,
        batch int NOT NULL,
        texts int NOT NULL,
        position bigint NOT NULL,        -- of the transcript: its messages' ids follow from it
        PRIMARY KEY (workspace_id, upload_id, batch)
    );
    """


def views(schema: str) -> Mapping[str, str]:
    return {
        "text_vector": f"SELECT * FROM {schema}.text_vector",
        "removed_vector": f"SELECT * FROM {schema}.removed_vector",
        "embedding": f"SELECT * FROM {schema}.embedding",
        "vector_segment": f"SELECT * FROM {schema}.segment",
        "awaiting_vectors": f"SELECT * FROM {schema}.coverage",
    }


def add_segment(schema: str, segment: int) -> str:
    """Attached, not created as a partition: that would lock readers out for a moment."""
    name = f"{schema}.embedding_{segment}"
    return f"""
    CREATE TABLE {name} (LIKE {schema}.embedding);
    ALTER TABLE {name} ADD PRIMARY KEY (vector_id);
    ALTER TABLE {name} ADD CHECK (segment = {segment});
    ALTER TABLE {name} ALTER COLUMN embedding SET STORAGE PLAIN;
    ALTER TABLE {schema}.embedding ATTACH PARTITION {name} FOR VALUES IN ({segment});
    """


def index_segment(schema: str, segment: int, dimensions: int) -> str:
    return f"""
    CREATE INDEX ON {schema}.embedding_{segment}
    USING hnsw ((embedding::public.halfvec({dimensions})) public.halfvec_ip_ops)
    """
