"""Full text without stop words, for each language that PostgreSQL knows the stems of."""

from __future__ import annotations

from pathlib import Path

from infrastructure.postgres.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    run_sql("DROP SCHEMA fulltext CASCADE;")
