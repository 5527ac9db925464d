"""Whoever is told that he is heard misses nothing from then on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from infrastructure.log.feed import EventFeed
from tests.interfaces.test_graphql_live_sources import Served, in_thread, run, served
from tests.support.live_client import events, told

__all__ = ["served"]

EVENTS = """
subscription ($workspace: String!) {
  eventFeed(workspace: $workspace) {... on Event {topic}}
}
"""


def test_an_event_stream_is_heard_only_when_its_beginning_is_known(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = EventFeed._begin

    def slowly(feed: EventFeed, *arguments: Any) -> None:
        time.sleep(0.3)  # as when many begin at once
        real(feed, *arguments)

    monkeypatch.setattr(EventFeed, "_begin", slowly)

    async def work() -> None:
        async with events(served.server.port, EVENTS, workspace="Boats") as response:
            stream = told(response)
            assert await anext(stream) == ("", None)
            await in_thread(served.receive)
            name, payload = await anext(stream)
            assert name == "next"
            assert payload["data"]["eventFeed"]["topic"] == "upload.received"

    run(work())
