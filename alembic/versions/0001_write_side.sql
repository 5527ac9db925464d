-- The write side: the log, the keys, the registry of projections. Read models own their own DDL.

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE insufficient_privilege USING
        MESSAGE = format('%I may not create the extension vector', current_user),
        HINT = 'Have a superuser run, in this database: CREATE EXTENSION vector SCHEMA public;';
END
$$;

-- One role for every process. It may append to the log and read it, nothing else. Roles belong to
-- the whole server: another database may have made it.
DO $$
BEGIN
    IF to_regrole('chatledger_app') IS NULL THEN
        CREATE ROLE chatledger_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database made it just now
    WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%I may not create the role chatledger_app', current_user),
            HINT = format('Have a superuser run: CREATE ROLE chatledger_app NOLOGIN; '
                          'GRANT chatledger_app TO %I;', current_user);
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'chatledger_app', 'SET') THEN
        EXECUTE format('GRANT chatledger_app TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE insufficient_privilege USING
        MESSAGE = format('%I is not a member of the role chatledger_app', current_user),
        HINT = format('Have a superuser run: GRANT chatledger_app TO %I;', current_user);
END
$$;
DO $$
BEGIN
    EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO chatledger_app', current_database());
END
$$;

CREATE SCHEMA log;
GRANT USAGE ON SCHEMA log TO chatledger_app;

CREATE TABLE log.archive_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    workspace_id uuid,         -- null: a fact about the instance
    actor_id uuid NOT NULL,    -- account, API key or system component
    correlation_id uuid NOT NULL,
    causation_position bigint, -- the event that this one follows from
    command_id uuid,           -- the client's idempotency key
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);
-- Ciphertext does not compress; trying costs more than storing.
ALTER TABLE log.archive_events ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX archive_events_notification_id_idx ON log.archive_events (notification_id ASC);

-- Append: positions are handed out under the lock that is held to the commit, so the order of
-- positions is the order of commits and a reader that tails by position never skips an event.
CREATE FUNCTION log.archive_append(
    ids uuid[], versions bigint[], topics text[], states bytea[], workspaces uuid[],
    actors uuid[], correlations uuid[], causations bigint[], commands uuid[]
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7263111);
    NOTIFY archive_events;
    RETURN QUERY
    INSERT INTO log.archive_events (
        originator_id, originator_version, topic, state,
        workspace_id, actor_id, correlation_id, causation_position, command_id
    )
    SELECT * FROM unnest(
        ids, versions, topics, states, workspaces, actors, correlations, causations, commands
    )
    RETURNING notification_id;
END
$$;

-- The first answer to each command, so that a repeated command id gets the same one.
CREATE TABLE log.command (
    command_id uuid PRIMARY KEY,
    workspace_id uuid,
    name text NOT NULL,
    result jsonb NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON log.archive_events
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON log.archive_events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON log.command
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON log.command
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
-- ALWAYS: session_replication_role = replica does not switch them off.
ALTER TABLE log.archive_events ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE log.archive_events ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE log.command ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE log.command ENABLE ALWAYS TRIGGER refuse_truncate;

GRANT SELECT, INSERT ON log.archive_events, log.command TO chatledger_app;
GRANT USAGE ON SEQUENCE log.archive_events_notification_id_seq TO chatledger_app;

-- Wrapped keys live apart from what they seal: their own schema, their own backup policy.
CREATE SCHEMA keys;
GRANT USAGE ON SCHEMA keys TO chatledger_app;
CREATE TABLE keys.subject_key (
    subject_id uuid PRIMARY KEY,
    wrapped bytea,              -- AES-256-GCM under the master key; null once destroyed
    master_key smallint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE FUNCTION keys.announce_destruction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Every process holds unwrapped keys in memory; each must drop this one now.
    PERFORM pg_notify('key_destroyed', NEW.subject_id::text);
    RETURN NEW;
END
$$;
CREATE TRIGGER announce_destruction AFTER UPDATE ON keys.subject_key
    FOR EACH ROW WHEN (NEW.wrapped IS NULL AND OLD.wrapped IS NOT NULL)
    EXECUTE FUNCTION keys.announce_destruction();
GRANT SELECT, INSERT, UPDATE ON keys.subject_key TO chatledger_app;

-- Which read models there are, how far each has come, and which version readers see.
CREATE SCHEMA projection;
GRANT USAGE ON SCHEMA projection TO chatledger_app;
CREATE TABLE projection.projection (
    name text NOT NULL,
    version int NOT NULL,        -- owns the schema "<name>_v<version>"
    code_version int NOT NULL,   -- the definition in the source that built it
    position bigint NOT NULL DEFAULT 0,
    status text NOT NULL CHECK (status IN ('building', 'live', 'retired', 'halted')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version)
);
CREATE UNIQUE INDEX one_version_is_read ON projection.projection (name)
    WHERE status IN ('live', 'halted');
CREATE TABLE projection.failure (
    name text NOT NULL,
    version int NOT NULL,
    position bigint NOT NULL,    -- of the event that the projection cannot digest
    topic text NOT NULL,
    error text NOT NULL,         -- the exception's class and message, without message texts
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version),
    FOREIGN KEY (name, version) REFERENCES projection.projection ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON projection.projection, projection.failure TO chatledger_app;

-- Readers use these views; a rebuild swaps what is behind them.
CREATE SCHEMA read;
GRANT USAGE, CREATE ON SCHEMA read TO chatledger_app;

-- Procrastinate's own schema comes next, in "jobs".
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO chatledger_app;
