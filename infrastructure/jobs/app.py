"""The Procrastinate app of a process that runs jobs."""

from __future__ import annotations

from procrastinate import App, PsycopgConnector
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infrastructure.postgres.pools import GIVE_UP_SECONDS, SteadyPool

RIGHTS = "-c role=chatledger_app -c search_path=jobs,public"


def make_app(
    conninfo: str, *, min_size: int = 1, max_size: int = 6, timeout_seconds: float = 3.0
) -> App:
    """
    An app without tasks, not yet open.

    Args:
        max_size: connections. A running job needs none; each worker takes one more to listen.
        timeout_seconds: how long a statement waits for a connection.
    """
    return App(
        connector=PsycopgConnector(
            conninfo=jobs_conninfo(conninfo),
            min_size=min_size,
            max_size=max_size,
            timeout=timeout_seconds,
            reconnect_timeout=GIVE_UP_SECONDS,
            pool_factory=SteadyPool,
        )
    )


def jobs_conninfo(conninfo: str) -> str:
    """With the application's rights, and with Procrastinate's schema in sight of its triggers."""
    options = str(conninfo_to_dict(conninfo).get("options") or "")
    return make_conninfo(conninfo, options=f"{options} {RIGHTS}".strip())
