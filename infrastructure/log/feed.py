"""The log as it grows, for any number of followers: read once, nothing missed, nothing twice."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from infrastructure.discretion import describe
from infrastructure.log.followers import FeedGap, Follower, wake_all
from infrastructure.log.frames import LAST
from infrastructure.log.groups import Interest, one_or_all
from infrastructure.log.paging import PAGE, head_of, page_of, patiently
from infrastructure.log.ring import FeedItem, Place, Ring
from infrastructure.postgres.notifications import NotificationHub

__all__ = ["EventFeed", "FeedGap", "FeedItem"]

log = logging.getLogger(__name__)

CHANNEL = "archive_events"
MAX_ITEMS = 10_000
MAX_BYTES = 16 * 1024 * 1024
BATCH = 100  # items that a follower takes at once
PAGERS = 4  # threads: followers that are behind the ring take turns with the connections
POLL_SECONDS = 1.0  # should a notification get lost
PAUSE_SECONDS = 0.01  # what is appended meanwhile is one reading, and one waking of the followers
STOP_SECONDS = 2.0  # a server that hangs must not keep the process


class EventFeed:
    """
    One thread reads what is appended while there are followers, into a ring for all of them.

    Thread-safe; followers may live in several event loops. Starts with the first of them.
    """

    def __init__(
        self,
        hub: NotificationHub,
        pool: ConnectionPool[Any],
        *,
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._hub = hub
        self._pool = pool
        self._make_ring: Callable[[int], Ring] = partial(
            Ring, max_items=max_items, max_bytes=max_bytes, on_kept=self._kept
        )
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._ring: Ring | None = None  # while there are followers
        self._news = threading.Event()
        self._is_closed = False
        self._is_failing = False
        self._unsubscribe: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        self._pagers = ThreadPoolExecutor(PAGERS, thread_name_prefix="event-feed-pages")

    async def follow(
        self,
        *,
        workspace_id: UUID | None,
        after: int | None,
        topics: Collection[str] | None = None,
    ) -> AsyncGenerator[FeedItem | FeedGap, None]:
        """
        Events in order until the feed is closed, nothing twice and nothing missed.

        Args:
            workspace_id: None: of every workspace, and of the instance.
            after: a position that the follower has reached, one beyond the log's end counts as
                that; None: only what is appended after the iteration has begun.
            topics: None: all.

        Raises:
            psycopg.Error: at the beginning, if the database is out of reach. Later it waits.
        """
        opened = self.open(workspace_id=workspace_id, after=after, topics=topics)
        async with aclosing(opened) as items:
            async for item in items:
                if item is not None:
                    yield item

    async def open(
        self,
        *,
        workspace_id: UUID | None,
        after: int | None,
        topics: Collection[str] | None = None,
    ) -> AsyncGenerator[FeedItem | FeedGap | None, None]:
        """Like `follow`, but first None, when what follows cannot be missed any more."""
        follower = Follower(workspace_id, topics)
        with self._lock:
            if self._is_closed:
                return
            self._followers.add(follower)
        try:
            await follower.loop.run_in_executor(self._pagers, self._begin, follower, after)
            yield None
            async with aclosing(self._items(follower)) as items:
                async for item in items:
                    yield item
        finally:
            self._leave(follower)

    def close(self) -> None:
        """Every follower comes to its end. Harmless to repeat; the hub goes on."""
        with self._lock:
            self._is_closed = True
            unsubscribe, self._unsubscribe = self._unsubscribe, None
            followers = list(self._followers)
        if unsubscribe is not None:
            unsubscribe()
        wake_all(followers)
        self._news.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    async def _items(self, follower: Follower) -> AsyncGenerator[FeedItem | FeedGap, None]:
        has_joined = False  # the ring; before that, it is no surprise to be behind
        position = follower.begins_after  # everything up to here it has got
        while True:
            with self._lock:
                group = follower.group
                if self._is_closed or group is None:
                    return
                position = min(position, follower.at_most)
                follower.at_most = LAST
                floor = group.floor
                is_behind = position < floor
                items = [] if is_behind else group.after(position, BATCH)
                follower.news = follower.loop.create_future()
            if is_behind:
                if has_joined:
                    yield FeedGap(position, floor)
                has_joined = False
                wanted = Interest(one_or_all(follower.workspace_id), follower.topics)
                items = await patiently(self._pagers, self._page, wanted, position, floor)
            else:
                has_joined = True
                if not items:
                    await follower.news
            for item in items:
                if self._is_closed:
                    return
                position = item.position
                if is_behind or follower.wants(item):
                    yield item
            if is_behind and len(items) < PAGE:
                position = max(position, floor)

    def _page(self, wanted: Interest, after: int, up_to: int) -> list[FeedItem]:
        found = [] if self._is_closed else page_of(self._pool, wanted, after, up_to)
        return [FeedItem(frame) for frame in found]

    def _begin(self, follower: Follower, after: int | None) -> None:
        self._start()
        head = head_of(self._pool)
        with self._lock:
            if follower not in self._followers:
                return  # it has left meanwhile
            if self._ring is None:
                self._ring = self._make_ring(head)
            follower.begins_after = head if after is None else min(after, head)
            follower.group = self._ring.join(follower.workspace_id, follower.topics)
        self._news.set()

    def _leave(self, follower: Follower) -> None:
        with self._lock:
            self._followers.discard(follower)
            group, follower.group = follower.group, None
            if group is not None and self._ring is not None:
                self._ring.leave(group)
            if not self._followers:
                self._ring = None

    def _kept(self, ring: Ring, place: Place, added: int) -> None:
        with self._lock:
            ring.kept(place, added)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._is_closed:
                return
            self._unsubscribe = self._hub.subscribe(
                CHANNEL, lambda _: self._news.set(), self._news.set
            )
            self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)
            self._thread.start()
        self._hub.start()

    def _run(self) -> None:
        while True:
            self._news.wait(POLL_SECONDS if self._followers else None)
            self._news.clear()
            if self._is_closed:
                return
            try:
                while self._read_on():
                    pass
                self._is_failing = False
            except Exception as error:  # noqa: BLE001 - a thread that died would read nothing more
                if not self._is_failing:
                    log.warning("the event feed cannot read the log: %s", describe(error))
                    self._news.set()  # another connection may do
                self._is_failing = True
            time.sleep(PAUSE_SECONDS)

    def _read_on(self) -> bool:
        """One page. Returns whether there may be more."""
        if (ring := self._ring) is None:
            return False
        head = head_of(self._pool)
        with self._lock:
            if ring is not self._ring:
                return True  # everybody has left meanwhile, and others may have come
            if self._is_closed or head == ring.reached:
                return False
            if head < ring.reached:
                self._begin_anew(head)
                return True
            wanted, widened = ring.interest, ring.widened
        found = page_of(self._pool, wanted, ring.reached, head)
        with self._lock:
            if ring is not self._ring or ring.widened != widened:
                return True  # others have come meanwhile, who want something else
            is_all = len(found) < PAGE
            groups = ring.add(found, head if is_all else found[-1].position)
            wake_all([one for one in self._followers if one.group in groups])
        return not is_all

    def _begin_anew(self, head: int) -> None:
        """What is in memory is of a log that was longer: an older one was put in its place."""
        log.warning("the log has gone back to position %s: following it from there", head)
        ring = self._ring = self._make_ring(head)
        for follower in self._followers:
            if follower.group is not None:
                follower.group = ring.join(follower.workspace_id, follower.topics)
                follower.at_most = min(follower.at_most, head)
        wake_all(self._followers)
