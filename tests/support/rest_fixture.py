"""One site for a whole module of tests that only add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.archive import copy_template
from tests.support.postgres import drop_database
from tests.support.rest_site import RestSite, open_rest_site


@pytest.fixture(scope="module")
def site(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RestSite]:
    url = copy_template(postgres_server, migrated_template)
    with open_rest_site(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)
