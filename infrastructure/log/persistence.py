"""The library's persistence module, on a connection string of ours."""

from __future__ import annotations

from typing import Any

# As modules: the library takes every factory class that it finds here by name.
from eventsourcing import persistence, postgres
from eventsourcing.utils import Environment
from psycopg.rows import dict_row

from infrastructure.postgres.pools import Pool

CONNINFO = "POSTGRES_CONNINFO"
POOL_SIZE = 4  # connections: the appender's, and aggregates being loaded


class Datastore(postgres.PostgresDatastore):
    """The stock datastore has no place for `options` and `sslmode`, nor for a pool of ours."""

    def __init__(self, conninfo: str, *, schema: str) -> None:
        super().__init__(
            dbname="", host="", port="", user="", password="", schema=schema,
            idle_in_transaction_session_timeout=30,
        )  # fmt: skip
        pool: Any = Pool(
            conninfo,
            name="log",
            max_size=POOL_SIZE,
            open=False,
            kwargs={"row_factory": dict_row},
            configure=self.after_connect_func(),
        )
        self.pool = pool  # in place of the stock one, which was never opened


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
