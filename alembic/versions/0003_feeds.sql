-- What live feeds go by: one workspace's events, and the failures of jobs in order.

-- In a log of many workspaces, a small one's events would else be looked for among all.
CREATE INDEX archive_events_workspace_idx ON log.archive_events (workspace_id, notification_id);

-- Numbers are handed out under a lock that is held to the commit, so the order of numbers is the
-- order of commits and a reader that goes on from a number never skips a failure.
CREATE SEQUENCE jobs.job_failure_id_seq;
GRANT USAGE ON SEQUENCE jobs.job_failure_id_seq TO chatledger_app;
ALTER TABLE jobs.job_failure ADD COLUMN failure_id bigint;
-- Nobody may have been left to say why.
ALTER TABLE jobs.job_failure ALTER COLUMN error DROP NOT NULL;
INSERT INTO jobs.job_failure (job_id, attempt)
SELECT id, attempts FROM jobs.procrastinate_jobs WHERE status = 'failed'
ON CONFLICT (job_id, attempt) DO NOTHING;
UPDATE jobs.job_failure AS failure SET failure_id = numbered.failure_id
FROM (
    SELECT job_id, attempt, nextval('jobs.job_failure_id_seq') AS failure_id
    FROM (SELECT * FROM jobs.job_failure ORDER BY failed_at, job_id, attempt) AS ordered
) AS numbered
WHERE (failure.job_id, failure.attempt) = (numbered.job_id, numbered.attempt);
ALTER TABLE jobs.job_failure ALTER COLUMN failure_id SET NOT NULL;
CREATE UNIQUE INDEX job_failure_failure_id_idx ON jobs.job_failure (failure_id);

CREATE FUNCTION jobs.number_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7263115);
    NEW.failure_id := nextval('jobs.job_failure_id_seq');
    RETURN NEW;
END
$$;
CREATE TRIGGER number_failure BEFORE INSERT OR UPDATE ON jobs.job_failure
    FOR EACH ROW EXECUTE FUNCTION jobs.number_failure();

CREATE FUNCTION jobs.announce_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job_failed', NEW.failure_id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER announce_failure AFTER INSERT OR UPDATE ON jobs.job_failure
    FOR EACH ROW EXECUTE FUNCTION jobs.announce_failure();

-- An attempt is recorded before its job counts as failed, and a job may fail without a word. So
-- the failure gets its number, a new one if it has one, in the transaction that fails the job.
CREATE FUNCTION jobs.record_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'failed' THEN
        RETURN NULL;
    END IF;
    INSERT INTO jobs.job_failure (job_id, attempt) VALUES (NEW.id, NEW.attempts)
    ON CONFLICT (job_id, attempt) DO UPDATE SET failed_at = clock_timestamp();
    RETURN NULL;
END
$$;
CREATE TRIGGER record_failure AFTER INSERT OR UPDATE OF status ON jobs.procrastinate_jobs
    FOR EACH ROW WHEN (NEW.status = 'failed') EXECUTE FUNCTION jobs.record_failure();
