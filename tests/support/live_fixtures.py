"""An endpoint with a subscription for tests, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.live_server import LiveServer, live_server
from tests.support.live_site import LiveSite


@pytest.fixture
def site() -> LiveSite:
    return LiveSite()


@pytest.fixture
def server(site: LiveSite) -> Iterator[LiveServer]:
    with live_server(site.app, site.live.connections) as running:
        yield running
