"""The schema goes up and down, and is what the libraries that use it expect."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from infrastructure.bootstrap import session_conninfo
from infrastructure.container import read_models
from infrastructure.postgres import migrations
from infrastructure.postgres.migrations import downgrade, migrate
from infrastructure.projections import registry
from tests.support.archive import connect
from tests.support.postgres import create_database, database_name, drop_database
from tests.support.schema import definitions, everything

SCHEMAS = ("log", "keys", "projection", "read", "jobs", "preview", "migration")
LOG_TABLES = ("log.archive_events", "log.command")
REVISIONS = migrations.revisions()


@pytest.fixture
def empty_url(postgres_server: str) -> Iterator[str]:
    url = create_database(postgres_server)
    yield url
    drop_database(url)


def rows(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_file_names_tell_the_revisions_in_their_order() -> None:
    """They are read instead of asking Alembic, which takes long to import."""
    script = ScriptDirectory.from_config(migrations.configuration("postgresql://"))
    walked = [revision.revision for revision in script.walk_revisions()]
    assert walked[::-1] == REVISIONS
    assert script.get_heads() == [migrations.newest_revision()]


def test_each_revision_goes_up_and_down_and_up_again(empty_url: str) -> None:
    for revision, before in zip(REVISIONS, ["base", *REVISIONS], strict=False):
        earlier = everything(empty_url, *SCHEMAS)
        migrate(empty_url, revision=revision)
        there = everything(empty_url, *SCHEMAS)
        downgrade(empty_url, revision=before)
        # The extension stays, and Alembic's own table; they come with the first revision.
        if before != "base":
            assert everything(empty_url, *SCHEMAS) == earlier
        migrate(empty_url, revision=revision)
        assert everything(empty_url, *SCHEMAS) == there
    assert migrations.applied_revision(empty_url) == migrations.newest_revision()


def test_back_at_the_base_nothing_is_left_and_all_can_be_built_anew(empty_url: str) -> None:
    """Read models included, which make schemas of their own."""

    def build() -> set[tuple[object, ...]]:
        migrate(empty_url)
        with connect(empty_url) as connection, connection.transaction():
            for model in read_models():
                registry.create_version(connection, model, "live")
        return everything(empty_url, *SCHEMAS)

    built = build()
    downgrade(empty_url, revision="base")
    left = rows(
        empty_url,
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' ORDER BY 1",
    )
    assert left == [("migration",), ("public",)]
    assert build() == built


def migrate_when_all_are_ready(url: str, start: Any) -> None:
    start.wait(60)
    migrate(url)


def test_three_processes_migrate_at_once(empty_url: str, migrated_template: str) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [
        context.Process(target=migrate_when_all_are_ready, args=(empty_url, start))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert definitions(empty_url, *SCHEMAS) == definitions(migrated_template, *SCHEMAS)
    assert rows(empty_url, migrations.APPLIED) == [(migrations.newest_revision(),)]


def test_a_database_that_is_up_to_date_does_not_cost_the_import_of_alembic(
    database_url: str,
) -> None:
    code = (
        "import sys; from infrastructure.postgres.migrations import migrate; migrate(sys.argv[1]);"
        "print([name for name in ('alembic.command', 'sqlalchemy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, database_url]
    done = subprocess.run(
        command, cwd=migrations.ALEMBIC_FOLDER.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_library_finds_every_column_and_index_of_its_own_table(database_url: str) -> None:
    """If this fails after an upgrade of eventsourcing, its new DDL needs a migration of ours."""
    create_library_table(database_url)
    library, ours = columns(database_url, "scratch"), columns(database_url, "log")
    assert library.items() <= ours.items()
    assert set(not_null(database_url, "scratch")) <= set(not_null(database_url, "log"))
    assert unique_indexes(database_url, "scratch") == unique_indexes(database_url, "log")
    assert options(database_url, "scratch") == options(database_url, "log")


def create_library_table(url: str) -> None:
    parts: dict[str, Any] = conninfo_to_dict(url)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA scratch")
    datastore = PostgresDatastore(
        dbname=parts["dbname"],
        host=parts["host"],
        port=parts["port"],
        user=parts["user"],
        password="",
        schema="scratch",
    )
    try:
        PostgresApplicationRecorder(datastore, events_table_name="archive_events").create_table()
    finally:
        datastore.close()


def columns(url: str, schema: str) -> dict[str, str]:
    found = rows(
        url,
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = 'archive_events'",
        schema,
    )
    assert found
    return dict(found)


def not_null(url: str, schema: str) -> list[tuple[Any, ...]]:
    return rows(
        url,
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = 'archive_events' AND is_nullable = 'NO'",
        schema,
    )


def unique_indexes(url: str, schema: str) -> set[tuple[Any, ...]]:
    found = rows(
        url,
        """
        SELECT indexrelid::regclass::text, indisprimary, indpred IS NULL, ARRAY(
            SELECT pg_get_indexdef(indexrelid, n, false) FROM generate_series(1, indnatts) AS n
        ) FROM pg_index WHERE indisunique AND indrelid = %s::regclass
        """,
        f"{schema}.archive_events",
    )
    return {(name.partition(".")[2], *others[:-1], tuple(others[-1])) for name, *others in found}


def options(url: str, schema: str) -> set[str]:
    query = "SELECT reloptions FROM pg_class WHERE oid = %s::regclass"
    [(found,)] = rows(url, query, f"{schema}.archive_events")
    return set(found)


def test_the_schema_of_the_jobs_is_the_one_that_procrastinate_ships(
    database_url: str, empty_url: str
) -> None:
    """If this fails after an upgrade, its migration of `jobs` has to become one of ours."""
    shipped = (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE SCHEMA jobs; SET LOCAL search_path TO jobs")
        connection.execute(shipped.encode())
    downgrade(database_url, revision="0001")  # the ones after that are ours
    expected = definitions(empty_url, "jobs")
    assert len(expected) > 50
    assert definitions(database_url, "jobs") == expected


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_application_may_only_read_the_log_and_append_to_it(
    database_url: str, table: str
) -> None:
    rights = "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER MAINTAIN".split()  # noqa: SIM905
    held = rows(
        database_url,
        "SELECT r FROM unnest(%s::text[]) AS r WHERE has_table_privilege('chatledger_app', %s, r)",
        rights,
        table,
    )
    assert sorted(held) == [("INSERT",), ("SELECT",)]
    owned = "SELECT pg_has_role('chatledger_app', relowner, 'MEMBER') FROM pg_class WHERE oid = "
    assert rows(database_url, f"{owned} %s::regclass", table) == [(False,)]


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_triggers_that_guard_the_log_are_always_on(database_url: str, table: str) -> None:
    found = rows(
        database_url,
        "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass ORDER BY 1",
        table,
    )
    assert found == [("refuse_change", "A"), ("refuse_truncate", "A")]


@pytest.fixture
def owner_url(empty_url: str) -> Iterator[str]:
    """The database as its owner sees it, who is no superuser; pgvector is there."""
    name = f"owner_{uuid4().hex[:12]}"
    run(empty_url, "CREATE ROLE {} LOGIN", name)
    run(empty_url, f"ALTER DATABASE {database_name(empty_url)} OWNER TO {{}}", name)
    run(empty_url, "CREATE EXTENSION vector")
    yield urlsplit(empty_url)._replace(netloc=f"{name}@").geturl()
    run(empty_url, "REASSIGN OWNED BY {} TO postgres", name)
    run(empty_url, "DROP OWNED BY {}", name)
    run(empty_url, "DROP ROLE {}", name)


def run(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def user_of(url: str) -> str:
    return str(conninfo_to_dict(url)["user"])


def test_the_owner_of_a_database_migrates_it_once_he_is_a_member_of_the_role(
    empty_url: str, owner_url: str, migrated_template: str
) -> None:
    """`migrated_template`: another database of this server has made the role long ago."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="GRANT chatledger_app TO"):
        migrate(owner_url)
    run(empty_url, "GRANT chatledger_app TO {}", user_of(owner_url))
    migrate(owner_url)
    migrate(owner_url)
    assert definitions(empty_url, *SCHEMAS) == definitions(migrated_template, *SCHEMAS)
    with psycopg.connect(session_conninfo(owner_url)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("chatledger_app",)
        for model in read_models():
            registry.create_version(connection, model, "live")


def test_without_pgvector_the_error_says_who_has_to_do_what(empty_url: str, owner_url: str) -> None:
    run(empty_url, "DROP EXTENSION vector")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="CREATE EXTENSION vector"):
        migrate(owner_url)


def test_a_database_of_a_newer_release_is_left_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE migration.alembic_version SET version_num = '9999'")
    with pytest.raises(psycopg.NotSupportedError, match="revision 9999"):
        migrate(database_url)


def test_what_goes_wrong_is_told_in_the_terms_of_the_driver(empty_url: str) -> None:
    """Whoever starts a command catches psycopg's errors, and knows nothing of SQLAlchemy."""
    with pytest.raises(psycopg.OperationalError):
        migrate("postgresql:///any?host=/nonexistent")
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE SCHEMA migration")
        connection.execute("CREATE VIEW migration.alembic_version AS SELECT '0001' AS version_num")
    with pytest.raises(psycopg.Error):
        migrate(empty_url)


def test_failures_that_were_there_before_get_their_numbers_in_order(empty_url: str) -> None:
    """Also jobs that had failed without a word."""
    migrate(empty_url, revision="0002")
    with psycopg.connect(empty_url, options="-c search_path=jobs,public") as connection:
        jobs = [
            connection.execute(
                "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args, status, "
                "attempts) VALUES ('q', 't', '{}', %s, 2) RETURNING id",
                (status,),
            ).fetchone()[0]
            for status in ("failed", "failed", "todo")
        ]
        for job, attempt, minute in ((jobs[0], 1, 5), (jobs[0], 2, 9), (jobs[2], 1, 7)):
            connection.execute(
                "INSERT INTO jobs.job_failure VALUES (%s, %s, 'OSError', "
                "'2024-01-01'::timestamptz + make_interval(mins => %s))",
                (job, attempt, minute),
            )
    migrate(empty_url)
    found = rows(
        empty_url, "SELECT job_id, attempt, error FROM jobs.job_failure ORDER BY failure_id"
    )
    assert found == [
        (jobs[0], 1, "OSError"),
        (jobs[2], 1, "OSError"),
        (jobs[0], 2, "OSError"),
        (jobs[1], 2, None),
    ]
    downgrade(empty_url, revision="0002")
    assert rows(empty_url, "SELECT count(*) FROM jobs.job_failure") == [(3,)]
    migrate(empty_url)
    assert rows(empty_url, "SELECT count(*) FROM jobs.job_failure") == [(4,)]
