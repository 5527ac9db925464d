"""Those who follow the log, each in its event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from infrastructure.log.frames import LAST
from infrastructure.log.groups import Group, wants
from infrastructure.log.ring import FeedItem

log = logging.getLogger(__name__)


class FeedGap(NamedTuple):
    """The follower was too slow. What comes next is read from the log: nothing is missed."""

    after: int
    up_to: int  # position; this far at least it was too late


class Follower:
    """One who follows, in an event loop."""

    def __init__(self, workspace_id: UUID | None, topics: Collection[str] | None) -> None:
        self.workspace_id = workspace_id
        self.topics = None if topics is None else frozenset(topics)
        self.loop = asyncio.get_running_loop()
        self.begins_after = 0  # position
        self.at_most = LAST  # position: the log has gone back to here
        self.group: Group[FeedItem] | None = None  # None: it has not begun, or has left
        self.news: asyncio.Future[None] | None = None  # while it waits

    def wants(self, item: FeedItem) -> bool:
        """A group may have more than one asks for."""
        return wants(self.workspace_id, self.topics, item.frame)

    def wake(self) -> None:
        if self.news is not None and not self.news.done():
            self.news.set_result(None)


def wake_all(followers: Iterable[Follower]) -> None:
    """Each event loop is woken once. Thread-safe."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Follower]] = {}
    for follower in followers:
        by_loop.setdefault(follower.loop, []).append(follower)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(wake_here, own)
        except RuntimeError:  # it is closed, and whoever lived in it is gone
            log.debug("an event loop ended before its %s followers", len(own))


def wake_here(followers: Iterable[Follower]) -> None:
    for follower in followers:
        follower.wake()
