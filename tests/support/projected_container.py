"""A small archive whose read models follow the log, for a whole module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infrastructure.container import Container
from tests.support.archive import copy_template
from tests.support.archive_fixture import ingest, open_test_container
from tests.support.postgres import drop_database
from tests.support.projecting import projecting


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        ingest(opened)
        opened.start_background()
        with projecting(opened):
            yield opened
    drop_database(url)
