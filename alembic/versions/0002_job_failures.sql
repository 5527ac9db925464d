-- Procrastinate keeps a failed job, but not the reason.

CREATE TABLE jobs.job_failure (
    job_id bigint NOT NULL REFERENCES jobs.procrastinate_jobs ON DELETE CASCADE,
    attempt int NOT NULL,  -- counted from 1
    error text NOT NULL,   -- the exception's class and place, without anything personal
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, attempt)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.job_failure TO chatledger_app;
