"""One ledger for a whole module, for tests that keep to a workspace of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from projections.contract import RecordedEvent
from tests.support.archive import Ledger, copy_template, open_ledger
from tests.support.postgres import drop_database


@pytest.fixture(scope="module")
def shared_ledger(postgres_server: str, migrated_template: str) -> Iterator[Ledger]:
    url = copy_template(postgres_server, migrated_template)
    with open_ledger(url) as ledger:
        yield ledger
    drop_database(url)


@pytest.fixture
def own_ledger(shared_ledger: Ledger) -> Ledger:
    """The shared one, in a workspace that no other test knows."""
    return replace(shared_ledger, workspace_id=uuid4())


def recorded_in(ledger: Ledger, workspace_id: UUID, *kinds: Any) -> list[RecordedEvent]:
    """The workspace's events of these classes, in order."""
    topics = [kind.TOPIC for kind in kinds]
    with ledger.pool.connection() as connection:
        page = ledger.reader.page(
            connection, after=0, up_to=ledger.head(), topics=topics, limit=10_000
        )
    return [recorded for recorded in page.events if recorded.workspace_id == workspace_id]
