"""Which versions of each read model there are, how far they have come, and what stopped them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection, sql
from psycopg.rows import class_row, scalar_row

from application.ports.projections import UnknownProjectionError
from infrastructure.projections.progress import Stage
from projections.contract import ReadModel

Status = Literal["building", "live", "retired", "halted"]

CREATE = """
INSERT INTO projection.projection (name, version, code_version, status) VALUES (%s, %s, %s, %s)
"""
HIGHEST = "SELECT coalesce(max(version), 0) FROM projection.projection WHERE name = %s"
VERSIONS = """
SELECT p.name, p.version, p.code_version, p.position, p.status, p.created_at, p.updated_at,
       f.name IS NOT NULL AS has_failed
FROM projection.projection AS p LEFT JOIN projection.failure AS f USING (name, version)
WHERE p.name = %s
ORDER BY p.status NOT IN ('live', 'halted'), p.version DESC
"""
STATUS = """
WITH head AS (SELECT coalesce(max(notification_id), 0) AS position FROM log.archive_events)
SELECT p.name, p.version, p.code_version, p.position, p.status, p.created_at, p.updated_at,
       f.name IS NOT NULL AS has_failed, head.position AS head,
       coalesce(extract(epoch FROM clock_timestamp() - waiting.recorded_at), 0)::float8
           AS lag_seconds,
       f.position AS failed_position, f.topic AS failed_topic, f.error, f.failed_at,
       CASE WHEN p.status = 'building' THEN CASE
           obj_description(to_regnamespace(p.name || '_v' || p.version), 'pg_namespace')
           WHEN 'indexing' THEN 'indexing' WHEN 'indexed' THEN 'indexing'
           WHEN 'switching' THEN 'switching' ELSE 'loading' END END AS stage
FROM projection.projection AS p
CROSS JOIN head
LEFT JOIN projection.failure AS f USING (name, version)
LEFT JOIN LATERAL (
    SELECT recorded_at FROM log.archive_events
    WHERE notification_id > p.position ORDER BY notification_id LIMIT 1
) AS waiting ON true
ORDER BY p.name, p.version
"""
MOVE = """
UPDATE projection.projection SET position = %s, updated_at = clock_timestamp()
WHERE name = %s AND version = %s
"""
SET_STATUS = """
UPDATE projection.projection SET status = %s, updated_at = clock_timestamp()
WHERE name = %s AND version = %s
"""
FAIL = """
INSERT INTO projection.failure (name, version, position, topic, error)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name, version) DO UPDATE SET position = excluded.position, topic = excluded.topic,
    error = excluded.error, failed_at = clock_timestamp()
"""
FORGIVE = "DELETE FROM projection.failure WHERE name = %s"
REVIVE = """
UPDATE projection.projection SET status = 'live', updated_at = clock_timestamp()
WHERE name = %s AND status = 'halted'
"""
CHANNEL = "projection_moved"  # payload: "<name> <position>", of the version that is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    name: str
    version: int
    code_version: int  # the definition in the source that built it
    position: int  # everything up to here is in it
    status: Status
    created_at: datetime
    updated_at: datetime
    has_failed: bool

    @property
    def schema(self) -> str:
        return schema_of(self.name, self.version)

    @property
    def is_read(self) -> bool:
        """Whether the views show this version."""
        return self.status in {"live", "halted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStatus(Version):
    head: int  # the log's last position
    lag_seconds: float  # since the first event that is not in it was recorded; 0: up to date
    failed_position: int | None
    failed_topic: str | None
    error: str | None
    failed_at: datetime | None
    stage: Stage | None = None  # of a rebuild; None: this version is built

    @property
    def lag_events(self) -> int:
        """At most: an append that was refused leaves a number unused."""
        return max(0, self.head - self.position)

    @property
    def progress(self) -> float:
        """0 to 1: how much of the log is in it."""
        return 1.0 if self.head == 0 else min(1.0, self.position / self.head)


def schema_of(name: str, version: int) -> str:
    return f"{name}_v{version}"


def versions(connection: Connection[Any], name: str) -> list[Version]:
    """The one that is read comes first, then the newest."""
    with connection.cursor(row_factory=class_row(Version)) as cursor:
        return cursor.execute(VERSIONS, (name,)).fetchall()


def read_version(connection: Connection[Any], name: str) -> Version:
    """
    The version that the views show.

    Raises:
        UnknownProjectionError
    """
    found = versions(connection, name)
    if not found or not found[0].is_read:
        raise UnknownProjectionError(f"there is no projection {name!r}")
    return found[0]


def status(connection: Connection[Any]) -> list[VersionStatus]:
    """Every version of every read model, with its lag and its failure."""
    with connection.cursor(row_factory=class_row(VersionStatus)) as cursor:
        return cursor.execute(STATUS).fetchall()


def failures(connection: Connection[Any]) -> list[VersionStatus]:
    return [entry for entry in status(connection) if entry.has_failed]


def next_number(connection: Connection[Any], name: str) -> int:
    """Of a version that is created now."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(HIGHEST, (name,)).fetchone() or 0) + 1


def create_version(
    connection: Connection[Any], model: ReadModel, status: Status, version: int | None = None
) -> int:
    """
    Its schema and tables, empty. In one transaction of the caller's. Returns its number.

    Args:
        version: its number, if that is settled.
    """
    version = version or next_number(connection, model.name)
    schema = schema_of(model.name, version)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    run_script(connection, model.tables(schema))
    connection.execute(CREATE, (model.name, version, model.code_version, status))
    return version


def drop_version(connection: Connection[Any], name: str, version: int) -> None:
    """Tables, row and failure. In one transaction of the caller's."""
    connection.execute(
        "DELETE FROM projection.projection WHERE name = %s AND version = %s", (name, version)
    )
    schema = sql.Identifier(schema_of(name, version))
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))


def run_script(connection: Connection[Any], script: str) -> None:
    """Several statements, all or nothing. An empty script is none."""
    if script.strip():
        connection.execute(script.encode(), prepare=False)  # bytes: `%` is no placeholder


def move(connection: Connection[Any], name: str, version: int, position: int) -> None:
    connection.execute(MOVE, (position, name, version), prepare=True)


def set_status(connection: Connection[Any], name: str, version: int, status: Status) -> None:
    connection.execute(SET_STATUS, (status, name, version))


def fail(
    connection: Connection[Any], name: str, version: int, position: int, topic: str, error: str
) -> None:
    connection.execute(FAIL, (name, version, position, topic, error))


def forgive(connection: Connection[Any], name: str) -> bool:
    """Forget what stopped it and let it go on. False if nothing had."""
    forgiven = connection.execute(FORGIVE, (name,)).rowcount
    return connection.execute(REVIVE, (name,)).rowcount + forgiven > 0


def announce(connection: Connection[Any], name: str, position: int) -> None:
    """Tell who waits for this position; heard when the transaction commits."""
    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{name} {position}"), prepare=True)
