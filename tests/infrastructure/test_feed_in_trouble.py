"""Followers of the log miss nothing while connections are killed and feeds come and go."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.workspace import Workspace
from infrastructure.log.feed import EventFeed, FeedItem
from infrastructure.log.frames import frames
from tests.infrastructure.test_feed import PATIENCE_SECONDS, MakeFeed, Seen, upload
from tests.support.archive import Ledger, connect, open_ledger
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def log_of(ledger: Ledger, workspace: UUID | None, topics: list[str] | None) -> list[int]:
    with connect(ledger.url) as connection:  # one that nobody kills
        found = frames(connection, workspace_id=workspace, after=0, topics=topics, limit=100_000)
    return [frame.position for frame in found]


def kill(ledger: Ledger, pattern: str) -> int:
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        return owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database() AND query ~ %s",
            (pattern,),
        ).rowcount


@dataclass(slots=True)
class Trouble:
    """Kills listening and reading connections, and replaces the feed, until it is stopped."""

    ledger: Ledger
    make_feed: MakeFeed
    dice: random.Random
    feed: EventFeed
    kills: int = 0
    restarts: int = 0

    async def make(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await asyncio.sleep(self.dice.uniform(0.02, 0.15))
            if self.dice.random() < 0.7:
                which = self.dice.choice(["^(LISTEN|SELECT 1|UNLISTEN)", "number = 1 THEN state"])
                self.kills += await asyncio.to_thread(kill, self.ledger, which)
            else:
                old, self.feed = self.feed, self.make_feed(max_items=self.dice.choice([3, 50]))
                await asyncio.to_thread(old.close)
                self.restarts += 1


async def faithful(trouble: Trouble, dice: random.Random, seen: Seen, until: asyncio.Event,
                   **wanted: Any) -> None:  # fmt: skip
    """Follows as a client does: goes on from where it was, sometimes slowly, sometimes anew."""
    position = 0
    while not until.is_set():
        with suppress(psycopg.Error):  # refused at the start: it asks again
            async with aclosing(trouble.feed.follow(after=position, **wanted)) as stream:
                async for item in stream:
                    seen.take(item)
                    if isinstance(item, FeedItem):
                        position = item.position
                    if dice.random() < 0.05:
                        await asyncio.sleep(dice.uniform(0, 0.1))
                    if until.is_set() or dice.random() < 0.01:
                        break
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_missed_or_doubled_whatever_breaks(ledger: Ledger, seed: int) -> None:
    """Concurrent appends, tiny rings, killed connections, feeds that come and go."""
    dice = random.Random(seed)
    feeds: list[EventFeed] = []

    def make_feed(**options: Any) -> EventFeed:
        feeds.append(EventFeed(ledger.hub, ledger.pool, **options))
        return feeds[-1]

    other = replace(ledger, workspace_id=uuid4())
    trouble = Trouble(ledger, make_feed, dice, make_feed(max_items=5))
    kinds: list[dict[str, Any]] = [
        {"workspace_id": None, "topics": None},
        {"workspace_id": ledger.workspace_id, "topics": None},
        {"workspace_id": other.workspace_id, "topics": None},
        {"workspace_id": None, "topics": ["workspace.created"]},
    ]
    followers = [(kind, Seen()) for kind in kinds for _ in range(4)]
    over, calm = asyncio.Event(), asyncio.Event()
    with open_ledger(ledger.url) as writer:

        def write(workspace: Ledger, seed: int) -> None:
            luck = random.Random(seed)
            for _ in range(60):
                kept = replace(writer, workspace_id=workspace.workspace_id)
                kept.record(*(upload(kept) for _ in range(luck.randint(1, 5))))
                if luck.random() < 0.3:
                    kept.record(Workspace.create(uuid4().hex))
                time.sleep(luck.uniform(0, 0.05))

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for number, (kind, seen) in enumerate(followers):
                luck = random.Random(1000 * seed + number)
                group.create_task(faithful(trouble, luck, seen, over, **kind))
            breaking = group.create_task(trouble.make(calm))
            await asyncio.gather(
                *(
                    asyncio.to_thread(write, each, seed + n)
                    for n, each in enumerate([ledger, other])
                )
            )
            calm.set()
            await breaking
            complete = [log_of(ledger, **by_name(kind)) for kind, _ in followers]
            await asyncio.to_thread(
                eventually,
                lambda: all(
                    len(seen.positions) >= len(expected)
                    for (_, seen), expected in zip(followers, complete, strict=True)
                ),
                PATIENCE_SECONDS,
            )
            over.set()
            for workspace in (ledger, other):  # wakes those that wait
                kept = replace(writer, workspace_id=workspace.workspace_id)
                await asyncio.to_thread(kept.record, upload(kept), Workspace.create(uuid4().hex))
    for feed in feeds:
        feed.close()
    for (_, seen), expected in zip(followers, complete, strict=True):
        assert seen.positions[: len(expected)] == expected
    assert trouble.kills > 3
    assert trouble.restarts > 3
    assert any(seen.gaps for _, seen in followers)


def by_name(kind: dict[str, Any]) -> dict[str, Any]:
    return {"workspace": kind["workspace_id"], "topics": kind["topics"]}
