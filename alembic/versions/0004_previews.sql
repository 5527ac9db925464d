-- What was found in uploads that wait to be confirmed. No fact: it can be found again, and goes with
-- the confirmation or the withdrawal.

CREATE SCHEMA preview;
GRANT USAGE ON SCHEMA preview TO chatledger_app;
CREATE TABLE preview.upload_preview (
    upload_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    body jsonb NOT NULL,       -- as application/preview.py makes it
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON preview.upload_preview TO chatledger_app;
