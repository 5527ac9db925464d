"""The write side: log, keys, projection registry, jobs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from infrastructure.postgres.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GRANT_JOBS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO chatledger_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO chatledger_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO chatledger_app;
ALTER TABLE jobs.procrastinate_jobs SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE jobs.procrastinate_events SET (autovacuum_vacuum_scale_factor = 0.01);
"""


# Read models made their own schemas: left behind, they would be in the way of the next ones.
DROP_READ_MODELS = """
DO $$
DECLARE
    schema text;
BEGIN
    FOR schema IN SELECT name || '_v' || version FROM projection.projection LOOP
        EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', schema);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    procrastinate = (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")
    run_sql("SET LOCAL search_path TO jobs, public;\n" + procrastinate)
    run_sql("SET LOCAL search_path TO DEFAULT;\n" + GRANT_JOBS)


def downgrade() -> None:
    """Back to an empty database. The extension and the role may serve others: they stay."""
    run_sql(DROP_READ_MODELS)
    run_sql("DROP SCHEMA jobs, read, projection, keys, log CASCADE;")
