"""All that is served over HTTP, on a real port, with a small archive in a real database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from infrastructure.container import Container
from interfaces.http.app import make_app
from projections.contract import RecordedEvent
from tests.support.archive_fixture import Ingested, advance, ingest, open_test_container
from tests.support.http_server import serve

WORKSPACE = "harbour"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSite:
    container: Container
    port: int
    client: httpx.Client  # of this address; follows redirects
    archive: Ingested

    def get(self, path: str, *, headers: Any = None, **parameters: Any) -> httpx.Response:
        given = {"workspace": self.archive.workspace} | parameters
        return self.client.get(path, params=given, headers=headers)

    def events(self, *kinds: Any) -> Sequence[RecordedEvent]:
        """The workspace's events of these classes, in order."""
        container = self.container
        with container.pool.connection() as connection:
            page = container.runner.stepper.reader.page(
                connection,
                after=0,
                up_to=container.archive.event_log.head(),
                topics=[kind.TOPIC for kind in kinds],
                limit=10_000,
            )
        return [event for event in page.events if event.workspace_id == self.archive.workspace_id]

    def advance(self) -> None:
        advance(self.container)

    def conversation_id(self, title: str) -> UUID:
        with self.container.pool.connection() as connection:
            row = connection.execute(
                "SELECT conversation_id FROM read.conversation "
                "WHERE workspace_id = %s AND title = %s",
                (self.archive.workspace_id, title),
            ).fetchone()
        assert row is not None
        return UUID(str(row[0]))


@contextmanager
def open_rest_site(url: str, folder: Path) -> Iterator[RestSite]:
    with open_test_container(url, folder) as container:
        container.start_background()
        archive = ingest(container, WORKSPACE)
        with (
            serve(make_app(container)) as port,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=30, follow_redirects=True
            ) as client,
        ):
            yield RestSite(container=container, port=port, client=client, archive=archive)
