"""What live feeds go by: one workspace's events, and failures of jobs in order."""

from __future__ import annotations

from pathlib import Path

from infrastructure.postgres.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REMOVE = """
DROP TRIGGER record_failure ON jobs.procrastinate_jobs;
DROP FUNCTION jobs.record_failure();
DROP TRIGGER announce_failure ON jobs.job_failure;
DROP FUNCTION jobs.announce_failure();
DROP TRIGGER number_failure ON jobs.job_failure;
DROP FUNCTION jobs.number_failure();
ALTER TABLE jobs.job_failure DROP COLUMN failure_id;
DROP SEQUENCE jobs.job_failure_id_seq;
DELETE FROM jobs.job_failure WHERE error IS NULL;
ALTER TABLE jobs.job_failure ALTER COLUMN error SET NOT NULL;
DROP INDEX log.archive_events_workspace_idx;
"""


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    run_sql(REMOVE)
