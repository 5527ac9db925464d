"""
A job queue for each test, in a database that the tests of a module share.

Creating a database takes longer than most of these tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.archive import copy_template
from tests.support.jobs import Lab, open_lab
from tests.support.postgres import drop_database

CLEAN = """
TRUNCATE jobs.procrastinate_jobs, jobs.procrastinate_workers, public.mark CASCADE;
DELETE FROM projection.projection;
"""


@pytest.fixture(scope="module")
def lab_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    url = copy_template(postgres_server, migrated_template)
    yield url
    drop_database(url)


@pytest.fixture
def lab(lab_url: str) -> Iterator[Lab]:
    with open_lab(lab_url) as opened:
        opened.connection.execute(CLEAN)
        yield opened
