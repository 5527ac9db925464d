"""Rows that change: looked up once for all who follow them, told in order, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from interfaces.graphql.live import changes, watch
from interfaces.graphql.live.changes import Changes, Source
from interfaces.graphql.live.item import Item

QUICK = 0.01  # seconds


@dataclass(frozen=True)
class Row:
    key: str
    position: int


class Table:
    """Rows that move up when they change, as a read model keeps them."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.queries: list[int] = []  # the positions that were asked for
        self.listeners: list[Callable[[], None]] = []
        self.is_away = False
        self._last = 0

    def change(self, *keys: str) -> int:
        for key in keys:
            self._last += 1
            self.rows[key] = Row(key, self._last)
        for listener in self.listeners:
            listener()
        return self._last

    def listen(self, on_move: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(on_move)
        return lambda: self.listeners.remove(on_move)

    def head(self) -> int:
        self._ask()
        return max((row.position for row in self.rows.values()), default=0)

    def page(self, after: int, limit: int, key: Hashable | None) -> Sequence[Row]:
        self._ask()
        self.queries.append(after)
        found = [
            row
            for row in self.rows.values()
            if row.position > after and (key is None or row.key == key)
        ]
        return sorted(found, key=lambda row: row.position)[:limit]

    def _ask(self) -> None:
        if self.is_away:
            raise psycopg.OperationalError("the server has gone")

    def changes(self) -> Changes[Row]:
        return Changes(
            Source(
                listen=self.listen,
                head=self.head,
                page=self.page,
                position=lambda row: row.position,
                key=lambda row: row.key,
                build=lambda row: row,
            )
        )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LEAST_SECONDS", QUICK)
    for module in (changes, watch):
        monkeypatch.setattr(module, "RETRY_SECONDS", QUICK)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(limited())


async def opened(items: AsyncGenerator[Item | None, None]) -> AsyncGenerator[Item, None]:
    assert await anext(items) is None
    return items  # type: ignore[return-value]


async def take(items: AsyncGenerator[Item, None], count: int) -> list[Row]:
    built = [(await anext(items)).build() for _ in range(count)]
    return [row for row in built if isinstance(row, Row)]


def test_one_query_serves_all_who_follow() -> None:
    async def work() -> None:
        table = Table()
        table.change("old")
        followed = table.changes()
        several = [await opened(followed.follow(None)) for _ in range(50)]
        asked = len(table.queries)
        position = table.change("a")
        told = await asyncio.gather(*(anext(items) for items in several))
        assert {item.build() for item in told} == {Row("a", position)}
        assert len({id(item.rendered) for item in told}) == 1
        assert len(table.queries) - asked <= 2
        for items in several:
            await items.aclose()

    run(work())


def test_who_begins_after_a_position_is_told_all_that_followed_it() -> None:
    """Also if more has changed than is kept, or than one page holds."""

    async def work() -> None:
        table = Table()
        table.change(*(f"row {number}" for number in range(250)))
        table.change("row 3", "row 7")
        followed = table.changes()
        async with aclosing(await opened(followed.follow(100))) as items:
            rows = await take(items, 152)
            assert [row.position for row in rows] == [*range(101, 253)]
            assert rows[-1].key == "row 7"
            table.change("row 7")
            assert await take(items, 1) == [Row("row 7", 253)]

    run(work())


def test_a_slow_reader_is_told_the_last_state_of_each_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Positions grow, and nothing comes twice, also beyond what is kept."""
    kept = 20
    monkeypatch.setattr(changes, "MAX_KEPT", kept)

    async def work() -> None:
        table = Table()
        followed = table.changes()
        async with (
            aclosing(await opened(followed.follow(None))) as slow,
            aclosing(await opened(followed.follow(None))) as quick,
        ):
            for _ in range(5):
                table.change("a", "b", "c")
                await take(quick, 3)
            assert [row.key for row in await take(slow, 3)] == ["a", "b", "c"]
            table.change(*(str(number) for number in range(kept * 3)))
            rows = await take(slow, kept * 3)
            assert [row.key for row in rows] == [str(n) for n in range(kept * 3)]
            assert [row.position for row in rows] == sorted({row.position for row in rows})

    run(work())


def test_one_row_can_be_followed_alone() -> None:
    async def work() -> None:
        table = Table()
        table.change("mine", "other")
        followed = table.changes()
        async with aclosing(await opened(followed.follow(0, "mine"))) as items:
            assert await take(items, 1) == [Row("mine", 1)]
            table.change("other", "mine", "other")
            assert await take(items, 1) == [Row("mine", 4)]

    run(work())


def test_changes_made_at_random_reach_everybody_in_their_last_state() -> None:
    """Followers that begin anywhere, leave and come back after what they were told last."""

    async def follower(followed: Changes[Row], number: int, last: int) -> dict[str, int]:
        states: dict[str, int] = {}
        told = 0
        while told < last:
            async with aclosing(await opened(followed.follow(told))) as items:
                for count in range(1 + number * 7 % 40):
                    [row] = await take(items, 1)
                    assert row.position > told
                    told = states[row.key] = row.position
                    if told == last:
                        break
                    if count % 3 == number % 3:
                        await asyncio.sleep(0.001)
        return states

    async def work() -> None:
        table = Table()
        followed = table.changes()
        last = 30 * 50 + 1
        following = [asyncio.create_task(follower(followed, n, last)) for n in range(12)]
        for number in range(30 * 50):
            table.change(f"row {number * number % 61}")
            if number % 50 == 0:
                await asyncio.sleep(0.005)
        assert table.change("last") == last
        expected = {row.key: row.position for row in table.rows.values()}
        for states in await asyncio.gather(*following):
            assert states == expected

    run(work())


def test_while_the_database_is_away_followers_wait_and_beginners_are_refused() -> None:
    async def work() -> None:
        table = Table()
        followed = table.changes()
        async with aclosing(await opened(followed.follow(None))) as items:
            table.is_away = True
            position = table.change("a")
            waiting = asyncio.create_task(take(items, 1))
            await asyncio.sleep(10 * QUICK)
            with pytest.raises(psycopg.OperationalError):
                await opened(table.changes().follow(None))
            assert not waiting.done()
            table.is_away = False
            assert await waiting == [Row("a", position)]

    run(work())


def test_a_database_that_was_put_back_is_followed_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes now has positions that were there before."""
    monkeypatch.setattr(changes, "CHECK_SECONDS", QUICK)
    monkeypatch.setattr(changes, "MOST_SECONDS", QUICK)

    async def work() -> None:
        table = Table()
        table.change(*(f"row {number}" for number in range(10)))
        followed = table.changes()
        several = [
            await opened(followed.follow(None)),
            await opened(followed.follow(0, "row 3")),
        ]
        assert await take(several[1], 1) == [Row("row 3", 4)]
        waiting = [asyncio.ensure_future(anext(items)) for items in several]
        table.rows = {key: row for key, row in table.rows.items() if row.position <= 5}
        table._last = 5
        await asyncio.sleep(20 * QUICK)
        assert not any(one.done() for one in waiting)
        position = table.change("row 3")
        assert [(await one).build() for one in waiting] == [Row("row 3", position)] * 2
        for items in several:
            await items.aclose()

    run(work())


def test_nothing_is_looked_at_when_nobody_follows() -> None:
    """A beginner who was refused, and one who never took anything, leave nothing behind."""

    async def work() -> None:
        table = Table()
        followed = table.changes()
        table.is_away = True
        with pytest.raises(psycopg.OperationalError):
            await opened(followed.follow(None))
        assert (table.listeners, followed.is_followed) == ([], False)
        table.is_away = False
        items = await opened(followed.follow(None))
        assert len(table.listeners) == 1
        await items.aclose()
        await asyncio.sleep(QUICK)
        assert (table.listeners, followed.is_followed) == ([], False)
        asked = len(table.queries)
        table.change("a")
        await asyncio.sleep(5 * QUICK)
        assert len(table.queries) == asked
        async with aclosing(await opened(followed.follow(0))) as again:
            assert await take(again, 1) == [Row("a", 1)]

    run(work())
