"""An archive as the application opens it: on a database of its own, with a key made for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from application.archive import Archive, Policy
from application.context import LOCAL_OWNER, Context
from domain.aggregate import Aggregate
from domain.workspace import Workspace
from infrastructure.keys.keyring import KeyRing
from infrastructure.keys.master import MasterKey
from infrastructure.keys.pseudonyms import HmacPseudonyms
from infrastructure.log.mapper import SealingMapper
from infrastructure.log.persistence import CONNINFO
from infrastructure.log.reader import LogReader
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.projections.positions import Positions
from tests.support.postgres import create_database, database_name

MASTER = MasterKey(bytes(range(32)))
OPTIONS = "-c role=chatledger_app -c search_path=jobs,public"


def app_conninfo(url: str) -> str:
    """As the processes connect: with the rights of chatledger_app and no others."""
    return make_conninfo(url, options=OPTIONS)


def connect(url: str) -> Connection[Any]:
    """An autocommit connection with the application's rights."""
    return psycopg.connect(app_conninfo(url), autocommit=True)


def copy_template(server_url: str, template_url: str) -> str:
    """A migrated database. The rights on a database are the one thing that a copy leaves behind."""
    url = create_database(server_url, template=database_name(template_url))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f'GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "{database_name(url)}" TO chatledger_app'
        )
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What most tests need: a place to record facts, and a way to read them back."""

    url: str
    pool: ConnectionPool
    keyring: KeyRing
    pseudonyms: HmacPseudonyms
    mapper: SealingMapper
    reader: LogReader
    archive: Archive
    hub: NotificationHub
    positions: Positions
    workspace_id: UUID

    def context(self, **changes: Any) -> Context:
        facts: dict[str, Any] = {
            "actor_id": LOCAL_OWNER,
            "workspace_id": self.workspace_id,
            "correlation_id": uuid4(),
        }
        return Context(**(facts | changes))

    def record(self, *aggregates: Aggregate, **changes: Any) -> int:
        """Append their pending events in the workspace. Returns the last position."""
        return self.archive.record(self.context(**changes), *aggregates)

    def head(self) -> int:
        return self.archive.event_log.head()


@contextmanager
def open_ledger(
    url: str, *, policies: Sequence[Policy] = (), pool_size: int = 8
) -> Iterator[Ledger]:
    """Open what `url` (a migrated database) holds. Open it twice to play two processes."""
    conninfo = app_conninfo(url)
    with ConnectionPool(
        conninfo, min_size=1, max_size=pool_size, kwargs={"autocommit": True}
    ) as pool:
        keyring = KeyRing(pool, MASTER)
        mapper = SealingMapper(keyring)
        archive = Archive(
            env={
                "PERSISTENCE_MODULE": "infrastructure.log.persistence",
                "APPLICATION_RECORDER_TOPIC": "infrastructure.log.recorder:AppendOnlyRecorder",
                CONNINFO: conninfo,
            },
            mapper=mapper,
            policies=policies,
        )
        hub = NotificationHub(conninfo)
        positions = Positions(hub, pool)
        try:
            yield Ledger(
                url=url,
                pool=pool,
                keyring=keyring,
                pseudonyms=HmacPseudonyms(MASTER),
                mapper=mapper,
                reader=LogReader(mapper),
                archive=archive,
                hub=hub,
                positions=positions,
                workspace_id=Workspace.create_id("Tests"),
            )
        finally:
            positions.close()
            hub.stop()
            recorder: Any = archive.recorder
            recorder.appender.close()
            archive.close()
