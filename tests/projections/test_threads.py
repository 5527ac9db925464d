"""Threads: from any of its messages the same one, in order, however it hangs together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.message import Message
from projections.messages import threads
from projections.messages.queries import MessageRow
from projections.messages.threads import messages_in_threads, threads_of
from projections.paging import Window
from tests.support.archive import Ledger
from tests.support.chats import NOON, message, room
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture
def site(own_ledger: Ledger) -> Iterator[SearchSite]:
    site = SearchSite(own_ledger)
    yield site
    site.close()


def answers(minute: int, to: int | None, **changes: Any) -> Message:
    """A message that says its own number."""
    reply = None if to is None else f"k{to}"
    return message(minute, str(minute), reply_to=reply, **changes)


def ids(site: SearchSite) -> dict[str, int]:
    """By text."""
    with site.ledger.pool.connection() as connection:
        rows = connection.execute(
            "SELECT text, message_id FROM read.message WHERE workspace_id = %s",
            (site.ledger.workspace_id,),
        )
        return dict(rows.fetchall())


def read(site: SearchSite, *texts: str, **window: Any) -> list[list[MessageRow]]:
    known = ids(site)
    keys = [(site.ledger.workspace_id, known[text]) for text in texts]
    with site.ledger.pool.connection() as connection:
        found = messages_in_threads(connection, keys, window=Window(**window))
    return [found[key].rows for key in keys]


def thread(site: SearchSite, text: str) -> list[str]:
    [rows] = read(site, text)
    return [row.text for row in rows]


def summary(site: SearchSite, text: str) -> tuple[int, bool, str | None] | None:
    key = (site.ledger.workspace_id, ids(site)[text])
    with site.ledger.pool.connection() as connection:
        row = threads_of(connection, [key]).get(key)
    if row is None:
        return None
    return row.messages, row.is_whole, None if row.root is None else row.root.text


def test_answers_are_followed_up_to_the_first_and_down_to_the_last(site: SearchSite) -> None:
    site.tell(
        answers(0, None),
        answers(1, 0),
        answers(2, None),  # between them, and not of them
        answers(3, 1),
        answers(4, 0),
        answers(5, 2),
        answers(6, 3),
        answers(7, 99),  # what nobody has
        answers(8, None),
    )
    first, second = ["0", "1", "3", "4", "6"], ["2", "5"]
    for text in first:
        assert thread(site, text) == first
        assert summary(site, text) == (5, True, "0")
    for text in second:
        assert thread(site, text) == second
        assert summary(site, text) == (2, True, "2")
    for text in ("7", "8"):
        assert thread(site, text) == [text]
        assert summary(site, text) is None


def test_a_thread_with_a_name_has_its_root_its_replies_and_answers_to_these(
    site: SearchSite,
) -> None:
    site.tell(
        answers(0, None),
        answers(1, 0),  # the message that the thread hangs on answers another
        answers(2, 1, thread="k1"),
        answers(3, None, thread="k1"),
        answers(4, 3),  # said outside, in answer to a message of the thread
        answers(5, 0),
        answers(6, 90, thread="k90"),  # whose root nobody has
        answers(7, 90, thread="k90"),
        answers(8, None, thread="k8"),  # some sources name the root itself so
        answers(9, 8, thread="k8"),
    )
    for texts, root in (
        (["1", "2", "3", "4"], "1"),
        (["0", "5"], "0"),
        (["6", "7"], None),
        (["8", "9"], "8"),
    ):
        for text in texts:
            assert thread(site, text) == texts
            assert summary(site, text) == (len(texts), True, root)


@pytest.mark.parametrize("circle", [[(0, 0)], [(0, 1), (1, 0)], [(0, 1), (1, 2), (2, 0), (3, 1)]])
def test_circles_end(site: SearchSite, circle: list[tuple[int, int]]) -> None:
    site.tell(*(answers(number, to) for number, to in circle))
    texts = [str(number) for number, _ in circle]
    for text in texts:
        assert thread(site, text) == texts
        assert summary(site, text) == (None if len(texts) == 1 else (len(texts), True, "0"))


def test_pages_are_by_time_in_both_directions_of_many_threads_at_once(site: SearchSite) -> None:
    site.tell(
        *(answers(n, n - 1 if n else None) for n in range(9)),
        *(answers(20 + n, 20 if n else None, sent_at=NOON + timedelta(days=1)) for n in range(3)),
    )
    rows, others = read(site, "5", "21", limit=2)
    assert [row.text for row in (*rows, *others)] == ["0", "1", "20", "21"]
    after = (rows[-1].sent_at, rows[-1].message_id)
    [rows] = read(site, "8", limit=3, after=after)
    assert [row.text for row in rows] == ["2", "3", "4"]
    [rows] = read(site, "0", limit=2, is_backward=True, before=after)
    assert [row.text for row in rows] == ["0"]


def test_what_arrives_and_what_stands_elsewhere(site: SearchSite, own_ledger: Ledger) -> None:
    site.tell(
        room("Other", "Other"),
        answers(0, None),
        answers(1, 0),
        message(2, "elsewhere", conversation="Other", key="k9", reply_to="k0"),
    )
    assert thread(site, "1") == ["0", "1"]
    site.tell(answers(5, 1), answers(6, 5))
    assert thread(site, "0") == ["0", "1", "5", "6"]
    strangers = [(uuid4(), ids(site)["0"]), (own_ledger.workspace_id, 2**62)]
    with own_ledger.pool.connection() as connection:
        found = messages_in_threads(connection, strangers, window=Window())
        assert [page.rows for page in found.values()] == [[], []]
        assert threads_of(connection, strangers) == {}


def test_long_chains_and_wide_threads_have_bounds(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.tell(
        *(answers(n, n - 1 if n else None) for n in range(1_100)),
        *(answers(2_000 + n, 2_000 if n else None) for n in range(1_100)),
    )
    assert summary(site, "500") == (threads.MOST_COUNTED, False, "0")
    assert summary(site, "2500") == (threads.MOST_COUNTED, False, "2000")
    [chain, wide] = read(site, "500", "2500", limit=5_000)
    assert [row.text for row in chain] == [str(n) for n in range(1_100)]
    assert [row.text for row in wide] == [str(2_000 + n) for n in range(1_100)]
    # Too far from the first: its thread begins as far up as it was followed, and it is in it.
    texts = [row.text for row in read(site, "1099", limit=5_000)[0]]
    assert texts == [str(n) for n in range(100, 1_100)]
