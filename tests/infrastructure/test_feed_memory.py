"""What the feed keeps in memory, and what it reads for it: no more than somebody wants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from domain.workspace import Workspace
from infrastructure.log import feed as feeds
from infrastructure.log import groups
from infrastructure.log.feed import EventFeed, FeedItem
from infrastructure.log.groups import Interest
from tests.infrastructure.test_feed import append, started, take
from tests.support.archive import Ledger
from tests.support.eventually import eventually
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

PAYLOAD = b"x" * 10_000
Opened = Callable[..., EventFeed]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def opened(own_ledger: Ledger) -> Iterator[Opened]:
    made: list[EventFeed] = []

    def make(**options: Any) -> EventFeed:
        made.append(EventFeed(own_ledger.hub, own_ledger.pool, **options))
        return made[-1]

    yield make
    for feed in made:
        feed.close()


async def test_what_is_rendered_counts_and_goes_first(own_ledger: Ledger, opened: Opened) -> None:
    feed = opened(max_bytes=200_000)
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        recorded = await asyncio.to_thread(append, own_ledger, 60)
        items = [await first]
        while len(items) < 60:
            items.append(await anext(stream))
        for item in items:
            assert isinstance(item, FeedItem)
            for number in range(3):
                item.rendered[number] = PAYLOAD
        ring = feed._ring
        assert ring is not None
        kept = [place.item for place in ring._places]
        rendered = sum(len(p) for item in kept for p in item.rendered.values())
        assert rendered + 1_500 * len(kept) <= ring.bytes <= 200_000
        assert [item.position for item in kept] == recorded  # rendering costs nobody an event
        assert rendered >= 50_000  # the latest ones
        assert list(kept[-1].rendered.values()) == [PAYLOAD] * 3
        await asyncio.to_thread(append, own_ledger, 150)
        await take(stream, 150)
        assert ring.bytes <= 200_000
        items[0].rendered["late"] = PAYLOAD  # it has left: that costs the ring nothing
        assert ring.bytes == sum(p.own_bytes + p.rendered_bytes for p in ring._places)


async def test_wishes_without_number_share_their_groups(
    own_ledger: Ledger, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MAX_GROUPS", 4)
    feed = opened()
    other = replace(own_ledger, workspace_id=uuid4())
    workspace = own_ledger.workspace_id
    streams = [
        feed.follow(workspace_id=workspace, after=None, topics=["upload.received", f"no.{n}"])
        for n in range(30)
    ]
    deaf = await started(feed.follow(workspace_id=workspace, after=None, topics=["no.thing"]))
    firsts = [await started(stream) for stream in streams]
    ring = feed._ring
    assert ring is not None
    eventually(lambda: all(follower.group for follower in feed._followers))
    assert len(ring._groups) == 5
    recorded = await asyncio.to_thread(append, own_ledger, 3)
    await asyncio.to_thread(append, other, 3)
    recorded += await asyncio.to_thread(append, own_ledger, 3)
    for first, stream in zip(firsts, streams, strict=True):
        item = await first
        assert isinstance(item, FeedItem)
        assert [item.position, *(await take(stream, 5)).positions] == recorded
        await stream.aclose()
    assert not deaf.done()
    deaf.cancel()
    await asyncio.gather(deaf, return_exceptions=True)
    assert feed._ring is None


async def test_only_what_somebody_wants_is_read(
    own_ledger: Ledger, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever wants more than all before him misses nothing of it."""
    read: list[tuple[Interest, int]] = []
    real = feeds.page_of

    def page_of(pool: Any, wanted: Interest, after: int, up_to: int) -> Any:
        found = real(pool, wanted, after, up_to)
        read.append((wanted, len(found)))
        return found

    monkeypatch.setattr(feeds, "page_of", page_of)
    feed = opened()
    mine = own_ledger.workspace_id
    other = replace(own_ledger, workspace_id=uuid4())
    narrow = feed.follow(workspace_id=mine, after=None, topics=["upload.read"])
    waiting = await started(narrow)
    eventually(lambda: feed._ring is not None)
    begin = own_ledger.head()
    first = await asyncio.to_thread(append, own_ledger, 20)
    await asyncio.to_thread(append, other, 20)
    await asyncio.sleep(0.3)
    assert read
    assert {wanted for wanted, _ in read} == {
        Interest(frozenset({mine}), frozenset({"upload.read"}))
    }
    assert sum(count for _, count in read) == 0

    wide = feed.follow(workspace_id=mine, after=begin)
    assert (await take(wide, 20)).positions == first
    second = await asyncio.to_thread(append, own_ledger, 20)
    all_of_all = feed.follow(workspace_id=None, after=second[9])
    everything = await take(all_of_all, 10)
    assert everything.positions == second[10:]
    assert not everything.gaps
    assert (await take(wide, 20)).positions == second
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await wide.aclose()
    await all_of_all.aclose()


async def test_a_log_that_has_gone_back_is_followed_from_there(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a backup was restored: what comes now has positions that were there before."""
    feed = EventFeed(ledger.hub, ledger.pool)
    ledger.record(Workspace.create("Tests"))
    recorded = append(ledger, 10)
    workspace = ledger.workspace_id
    stream = feed.follow(workspace_id=workspace, after=recorded[0])
    assert (await take(stream, 9)).positions == recorded[1:]
    waiting = await started(stream)
    with caplog.at_level(logging.WARNING):
        go_back(ledger, recorded[4])
        eventually(lambda: "gone back" in caplog.text)
    late = await started(feed.follow(workspace_id=workspace, after=recorded[-1]))
    eventually(lambda: all(follower.group for follower in feed._followers))
    await asyncio.sleep(0.1)
    [again] = append(ledger)
    assert again == recorded[5]
    for first in (waiting, late):
        item = await asyncio.wait_for(first, 5)
        assert isinstance(item, FeedItem)
        assert item.position == again
    await stream.aclose()
    feed.close()


def go_back(ledger: Ledger, position: int) -> None:
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        owner.execute("ALTER TABLE log.archive_events DISABLE TRIGGER ALL")
        owner.execute("DELETE FROM log.archive_events WHERE notification_id > %s", (position,))
        owner.execute("SELECT setval('log.archive_events_notification_id_seq', %s)", (position,))
