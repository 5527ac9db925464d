"""Fixtures for every test: a server, a migrated database of one's own, an archive in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytest

from infrastructure.observability.metrics import Own
from infrastructure.postgres.migrations import migrate
from tests.support.archive import Ledger, copy_template, open_ledger
from tests.support.postgres import create_database, drop_database, postgres_server

__all__ = ["postgres_server"]

JOURNEYS = "journeys"
APART = 8  # files from one journey to the next


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Files whose tests start whole servers take longest. They begin early, so that nobody waits for
    them at the end, but one after the other among many short ones: each wants a core for itself.
    """
    files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    lasting = [tests for tests in files if tests[0].path.parent.name == JOURNEYS]
    short = [tests for tests in files if tests[0].path.parent.name != JOURNEYS]
    for place, tests in enumerate(lasting):
        short.insert(min(place * APART, len(short)), tests)
    items[:] = [item for tests in short for item in tests]


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The URL of a database that is migrated once; nobody connects to it, only copies it."""
    url = create_database(postgres_server)
    migrate(url)
    return url


@pytest.fixture
def database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """A migrated, empty database for this test alone. Connects as the owner of everything."""
    url = copy_template(postgres_server, migrated_template)
    yield url
    drop_database(url)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An archive in a database of its own, with the rights that the application has."""
    with open_ledger(database_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _this_process_counts_for_itself() -> Iterator[None]:
    """A command that lasts shares its metrics for good: tests start it as a process of its own."""
    yield
    assert Own.shared is None, "a test made this process share its metrics"
