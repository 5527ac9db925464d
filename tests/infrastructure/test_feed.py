"""Followers of the log get every event once and in order, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.log.feed import EventFeed, FeedGap, FeedItem
from tests.support.archive import Ledger, open_ledger
from tests.support.jobs import outage
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

PATIENCE_SECONDS = 30
MakeFeed = Callable[..., EventFeed]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def upload(ledger: Ledger) -> Upload:
    return Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=3,
        sha256="0" * 64,
        filename="chat.txt",
        options={},
    )


def append(ledger: Ledger, count: int = 1) -> list[int]:
    return [ledger.record(upload(ledger)) for _ in range(count)]


@pytest.fixture
def make_feed(own_ledger: Ledger) -> Iterator[MakeFeed]:
    feeds: list[EventFeed] = []

    def make(**options: Any) -> EventFeed:
        feeds.append(EventFeed(own_ledger.hub, own_ledger.pool, **options))
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


@pytest.fixture
def feed(make_feed: MakeFeed) -> EventFeed:
    return make_feed()


@dataclass(slots=True)
class Seen:
    """What one follower got."""

    positions: list[int] = field(default_factory=list)
    gaps: list[FeedGap] = field(default_factory=list)

    def take(self, item: FeedItem | FeedGap) -> None:
        if isinstance(item, FeedGap):
            self.gaps.append(item)
        else:
            self.positions.append(item.position)


async def take(stream: AsyncIterator[FeedItem | FeedGap], count: int) -> Seen:
    """Until there are `count` items."""
    seen = Seen()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen.positions) < count:
            seen.take(await anext(stream))
    return seen


async def started(stream: AsyncIterator[FeedItem | FeedGap]) -> asyncio.Task[FeedItem | FeedGap]:
    """The task of its first item, once it has begun."""
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.3)
    assert not task.done()
    return task


async def test_a_follower_begins_at_the_head_and_hears_at_once(
    own_ledger: Ledger, feed: EventFeed
) -> None:
    append(own_ledger, 3)
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        began = time.monotonic()
        [position] = await asyncio.to_thread(append, own_ledger)
        item = await first
        assert time.monotonic() - began < 0.5

    assert isinstance(item, FeedItem)
    assert item.position == item.frame.position == position
    assert item.frame.topic == "upload.received"


async def test_it_goes_on_from_any_position(own_ledger: Ledger, make_feed: MakeFeed) -> None:
    """Before, within and after what the ring holds."""
    recorded = append(own_ledger, 10)
    feed = make_feed(max_items=20)
    workspace = own_ledger.workspace_id
    async with aclosing(feed.follow(workspace_id=workspace, after=0)) as keeper:
        recorded += await asyncio.to_thread(append, own_ledger, 30)
        assert (await take(keeper, 40)).positions == recorded
        for start in (0, 5, 15, 25, 38):
            after = recorded[start]
            async with aclosing(feed.follow(workspace_id=workspace, after=after)) as stream:
                seen = await take(stream, 39 - start)
            assert seen.positions == recorded[start + 1 :]
            assert not seen.gaps


async def test_only_ones_own_workspace_and_topics_are_heard(
    own_ledger: Ledger, feed: EventFeed
) -> None:
    other = replace(own_ledger, workspace_id=uuid4())
    head = own_ledger.head()
    workspace = own_ledger.workspace_id
    wanted: dict[str, tuple[UUID | None, list[str] | None]] = {
        "mine": (workspace, None),
        "all": (None, None),
        "created": (None, ["workspace.created"]),
        "none": (workspace, []),
    }
    streams = {
        name: feed.follow(workspace_id=within, after=head, topics=topics)
        for name, (within, topics) in wanted.items()
    }
    silent = await started(streams["none"])
    mine, theirs, created = [], [], []
    for _ in range(5):
        mine.append(append(own_ledger)[0])
        theirs.append(append(other)[0])
        created.append(own_ledger.record(Workspace.create(uuid4().hex)))
    everything = sorted([*mine, *theirs, *created])
    own = sorted([*mine, *created])  # a workspace is created within it, as the test's context says

    assert (await take(streams["all"], 15)).positions == everything
    assert (await take(streams["mine"], 10)).positions == own
    assert (await take(streams["created"], 5)).positions == created
    assert not silent.done()
    silent.cancel()
    with suppress(asyncio.CancelledError):
        await silent
    for stream in streams.values():
        await stream.aclose()


async def test_who_is_slower_than_the_ring_is_told_and_misses_nothing(
    own_ledger: Ledger, make_feed: MakeFeed
) -> None:
    feed = make_feed(max_items=10)
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        recorded = await asyncio.to_thread(append, own_ledger, 150)
        seen = Seen([await position_of(first)])
        await asyncio.sleep(0.5)  # the reader has gone on, and the ring is full of later ones
        rest = await take(stream, 149)
        recorded += await asyncio.to_thread(append, own_ledger, 3)
        last = await take(stream, 3)

    assert seen.positions + rest.positions + last.positions == recorded
    [gap] = rest.gaps
    assert recorded[0] <= gap.after < gap.up_to <= recorded[149]
    assert not last.gaps  # it has joined the ring again


async def position_of(task: asyncio.Task[FeedItem | FeedGap]) -> int:
    item = await task
    assert isinstance(item, FeedItem)
    return item.position


async def test_a_quiet_workspace_knows_no_gap_however_much_others_append(
    own_ledger: Ledger, make_feed: MakeFeed
) -> None:
    feed = make_feed(max_items=5)
    other = replace(own_ledger, workspace_id=uuid4())
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        await asyncio.to_thread(append, other, 50)
        [position] = await asyncio.to_thread(append, own_ledger)
        assert await position_of(first) == position


async def test_a_ring_is_bounded_in_bytes_too(own_ledger: Ledger, make_feed: MakeFeed) -> None:
    feed = make_feed(max_bytes=20_000)
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        recorded = await asyncio.to_thread(append, own_ledger, 50)
        seen = [await position_of(first), *(await take(stream, 49)).positions]
        assert seen == recorded
        ring = feed._ring
        assert ring is not None
        assert 1 <= len(ring) < 13  # each of more than 1,500 bytes


async def test_what_is_rendered_is_shared(own_ledger: Ledger, feed: EventFeed) -> None:
    workspace = own_ledger.workspace_id
    streams = [feed.follow(workspace_id=workspace, after=None) for _ in range(3)]
    firsts = [await started(stream) for stream in streams]
    await asyncio.to_thread(append, own_ledger)
    items = [await first for first in firsts]
    assert isinstance(items[0], FeedItem)
    items[0].rendered["json"] = b"{}"
    assert items[0] is items[1] is items[2]
    for stream in streams:
        await stream.aclose()


async def test_closing_ends_every_follower(own_ledger: Ledger, feed: EventFeed) -> None:
    workspace = own_ledger.workspace_id
    recorded = append(own_ledger, 5)
    waiting = feed.follow(workspace_id=workspace, after=None)
    first = await started(waiting)
    busy = feed.follow(workspace_id=workspace, after=0)
    assert (await take(busy, 1)).positions == recorded[:1]
    await asyncio.to_thread(feed.close)
    feed.close()

    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(first, 2)
    assert [item async for item in busy] == []
    assert [item async for item in feed.follow(workspace_id=workspace, after=0)] == []
    assert not feed._followers


async def test_who_leaves_is_forgotten(own_ledger: Ledger, feed: EventFeed) -> None:
    """However it leaves; and without followers nothing is read or kept."""
    workspace = own_ledger.workspace_id
    cancelled = await started(feed.follow(workspace_id=workspace, after=None))
    early = asyncio.ensure_future(anext(feed.follow(workspace_id=workspace, after=None)))
    await asyncio.sleep(0)
    early.cancel()
    cancelled.cancel()
    await asyncio.gather(early, cancelled, return_exceptions=True)
    await asyncio.sleep(0.2)
    assert not feed._followers
    assert feed._ring is None
    recorded = append(own_ledger, 3)
    async with aclosing(feed.follow(workspace_id=workspace, after=recorded[0])) as stream:
        assert (await take(stream, 2)).positions == recorded[1:]


def test_followers_in_several_event_loops_hear_the_same(
    own_ledger: Ledger, feed: EventFeed
) -> None:
    head = own_ledger.head()
    seen: list[Seen] = []

    def follow() -> None:
        async def main() -> Seen:
            stream = feed.follow(workspace_id=own_ledger.workspace_id, after=head)
            async with aclosing(stream):
                return await take(stream, 50)

        seen.append(asyncio.run(main()))

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    recorded = append(own_ledger, 50)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert [one.positions for one in seen] == [recorded] * 4


async def test_a_lost_notification_delays_and_loses_nothing(
    own_ledger: Ledger, feed: EventFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_ledger.hub.stop()  # nobody listens any more
    monkeypatch.setattr(own_ledger.hub, "start", lambda: None)
    async with aclosing(feed.follow(workspace_id=own_ledger.workspace_id, after=None)) as stream:
        first = await started(stream)
        [position] = await asyncio.to_thread(append, own_ledger)
        assert await asyncio.wait_for(position_of(first), 3) == position


async def test_an_outage_delays_and_loses_nothing(ledger: Ledger) -> None:
    """Of those who follow already, nobody is sent away."""
    feed = EventFeed(ledger.hub, ledger.pool)
    async with (
        aclosing(feed.follow(workspace_id=ledger.workspace_id, after=None)) as waiting,
        aclosing(feed.follow(workspace_id=ledger.workspace_id, after=0)) as behind,
    ):
        recorded = await asyncio.to_thread(append, ledger, 3)
        assert (await take(behind, 1)).positions == recorded[:1]
        first = await started(waiting)
        with outage(ledger.url):
            await asyncio.sleep(1)
            assert not first.done()
        with open_ledger(ledger.url) as writer:
            recorded += await asyncio.to_thread(append, writer, 3)
        assert await asyncio.wait_for(position_of(first), 5) == recorded[3]
        assert (await take(waiting, 2)).positions == recorded[4:]
        assert (await take(behind, 5)).positions == recorded[1:]
    feed.close()
