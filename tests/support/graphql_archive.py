"""A real archive behind the GraphQL endpoint, for the tests of a whole module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infrastructure.container import Container
from tests.support.archive import copy_template
from tests.support.archive_fixture import Ingested, ingest, open_test_container
from tests.support.graphql_site import Site
from tests.support.postgres import drop_database


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)


@pytest.fixture(scope="module")
def ingested(container: Container) -> Ingested:
    """The workspace `default`; beside it is `secrets`, with one message."""
    found = ingest(container)
    ingest(container, "secrets", [("Vault", "Eve", "The harbour password is swordfish.")])
    return found


@pytest.fixture
def site(container: Container, ingested: Ingested) -> Site:
    return Site(container)
