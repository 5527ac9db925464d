"""The library's persistence module, on a connection string of ours."""

from __future__ import annotations

from typing import Any

# As modules: the library takes every factory class that it finds here by name.
from eventsourcing import persistence, postgres
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

CONNINFO = "POSTGRES_CONNINFO"
POOL_SIZE = 4  # connections: the appender's, and aggregates being loaded


class Datastore(postgres.PostgresDatastore):
    """The stock datastore has no place for `options` and `sslmode`; the pool it opens does."""

    def __init__(self, conninfo: str, *, schema: str) -> None:
        parts: dict[str, Any] = conninfo_to_dict(conninfo)
        super().__init__(
            dbname=parts.get("dbname", ""),
            host=parts.get("host", ""),
            port=parts.get("port", ""),
            user=parts.get("user", ""),
            password=parts.get("password", ""),
            schema=schema,
            pool_size=1,
            max_overflow=POOL_SIZE - 1,
            idle_in_transaction_session_timeout=30,
            pre_ping=True,
        )
        self.pool.kwargs = {**parts, "row_factory": dict_row}


class Factory(postgres.PostgresFactory):
    def __init__(self, env: Environment) -> None:
        # Past the stock constructor, which reads a dozen settings to build its own datastore.
        persistence.InfrastructureFactory.__init__(self, env)
        conninfo = env.get(CONNINFO)
        if not conninfo:
            raise OSError(f"{CONNINFO} is not set")
        self.datastore = Datastore(conninfo, schema="log")
        self.tracking_recorder_class = postgres.PostgresTrackingRecorder

    def env_create_table(self) -> bool:
        """Alembic owns the schema."""
        return False
