"""Lists are read along an index, a page at a time: none sorts, and none reads what it skips."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from infrastructure.container import Container
from projections.authors import queries as authors
from projections.conversations import queries as conversations
from projections.messages import counts
from projections.messages import queries as messages
from projections.paging import Listing, Window
from projections.uploads import queries as uploads
from tests.support.full_archive import MANY, Full, fill
from tests.support.graphql_archive import container

__all__ = ["container"]

AT = datetime(2024, 5, 1, tzinfo=UTC)
MOMENT = (AT, 2**40)
NAMED = ("b", UUID(int=1))
# Each with keys somewhere in its order.
LISTS: dict[str, tuple[Listing[Any], tuple[Any, ...]]] = {
    "uploads": (uploads.IN_WORKSPACE, (AT, UUID(int=1))),
    "log lines": (uploads.LINES, (1,)),
    "conversations by title": (conversations.BY_TITLE, NAMED),
    "conversations by last message": (conversations.BY_LAST_MESSAGE, (AT, UUID(int=1))),
    "conversations of an author": (conversations.OF_AUTHOR, (AT, UUID(int=1))),
    "authors by name": (authors.BY_NAME, NAMED),
    "messages in a conversation": (messages.IN_CONVERSATION, MOMENT),
    "messages of an author": (messages.BY_AUTHOR, MOMENT),
    "messages in a thread": (messages.IN_THREAD, MOMENT),
    "versions": (messages.VERSIONS, (1,)),
}
VALUES = {"uuid": uuid4(), "text": "x", "int8": 1, "timestamptz": AT}


@pytest.fixture(scope="module")
def full(container: Container) -> Full:
    return fill(container)


def plan(container: Container, listing: Listing[Any], window: Window) -> str:
    """How PostgreSQL would read a page of a table that is too large to be read as a whole."""
    placed, places = window.sql(listing.order, descending=listing.is_descending)
    parents = [[VALUES[kind]] for kind in listing.types]
    statement = f"EXPLAIN (COSTS OFF) {listing._below}{placed}) AS page"
    with container.pool.connection() as connection, connection.transaction(force_rollback=True):
        for node in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
            connection.execute(f"SET LOCAL enable_{node} = off".encode())
        rows = connection.execute(statement.encode(), [*parents, *places]).fetchall()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("is_backward", [False, True])
@pytest.mark.parametrize("name", LISTS)
def test_a_page_is_read_along_an_index(
    container: Container, full: Full, name: str, is_backward: bool
) -> None:
    listing, keys = LISTS[name]
    found = plan(container, listing, Window(limit=10, after=keys, is_backward=is_backward))
    assert "Sort" not in found, found
    assert "Seq Scan" not in found, found
    assert "Index" in found
    conditions = [line for line in found.splitlines() if "Index Cond" in line]
    assert any("ROW(" in line or " > " in line or " < " in line for line in conditions), found


def test_pages_of_many_parents_are_those_of_each(container: Container, full: Full) -> None:
    parents = [(full.history.ledger.workspace_id, id) for id in full.conversations]
    for window in (Window(limit=2), Window(limit=2, is_backward=True)):
        with container.pool.connection() as connection:
            together = messages.messages_in_conversation(connection, parents, window=window)
            for parent in parents[::20]:
                alone = messages.IN_CONVERSATION.page(connection, parent, window)
                assert together[parent] == alone
                assert [row.conversation_id for row in alone.rows] == [parent[1]] * 2
                assert alone.has_more
    assert len(together) == MANY


def test_a_parent_without_rows_has_an_empty_page(container: Container, full: Full) -> None:
    nobody = (full.history.ledger.workspace_id, uuid4())
    with container.pool.connection() as connection:
        found = messages.messages_by_author(connection, [nobody], window=Window())
        assert found[nobody].rows == []
        assert counts.author_totals(connection, [nobody]) == {}
        assert messages.messages_by_author(connection, [], window=Window()) == {}


def test_what_is_asked_for_by_id_is_of_the_workspaces_that_are_given(
    container: Container, full: Full
) -> None:
    own, other = full.workspaces[:2]
    with container.pool.connection() as connection:
        for find, ids in (
            (messages.messages_among, full.messages[:2]),
            (authors.authors_among, full.authors[:2]),
            (conversations.conversations_among, full.conversations[:2]),
            (uploads.uploads_among, full.uploads[:2]),
        ):
            asked: Any = find
            assert asked(connection, [own, other], ids).keys() == set(ids)
            assert asked(connection, [other], ids) == {}
            assert asked(connection, [], ids) == {}


def test_times_bound_a_page_from_a_moment_to_another_excluded(
    container: Container, full: Full
) -> None:
    key = (full.history.ledger.workspace_id, full.conversations[3])
    with container.pool.connection() as connection:
        [first, second, third] = messages.messages_in_conversation(
            connection, [key], window=Window()
        )[key].rows
        between = messages.messages_in_conversation(
            connection, [key], window=Window(), since=first.sent_at, until=third.sent_at
        )
    assert between[key].rows == [first, second]
