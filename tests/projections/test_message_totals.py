"""What is kept beside the messages is what counting them would find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.upload import Upload
from projections.messages.projection import MessagesReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message
from tests.support.scratch import Tables, events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

TABLES = {
    "conversation_total": "workspace_id, conversation_id",
    "author_total": "workspace_id, author_id",
    "participation": "workspace_id, author_id, conversation_id",
}


def kept(tables: Tables, table: str) -> list[tuple[Any, ...]]:
    return tables.rows(table, f"{TABLES[table]}, messages, first_at, last_at")


def counted(tables: Tables, table: str) -> list[tuple[Any, ...]]:
    key = TABLES[table]
    query = f"""
        SELECT {key}, count(*), min(sent_at), max(sent_at) FROM scratch.message
        {"" if table == "conversation_total" else "WHERE author_id IS NOT NULL"}
        GROUP BY {key} ORDER BY {key}
    """
    return tables.connection.execute(query.encode()).fetchall()


said = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("AB"), st.sampled_from(["R", "S"])),
    min_size=1,
    max_size=12,
)


@given(uploads=st.lists(said, min_size=1, max_size=4))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_totals_are_what_counting_finds_wherever_pages_end(
    shared_ledger: Ledger, uploads: list[list[tuple[int, str, str]]]
) -> None:
    """A message is the same in every upload: its minute and author tell which it is."""
    history = History(replace(shared_ledger, workspace_id=uuid4()))
    for lines in uploads:
        history.upload(
            *(
                message(minute, author=author, conversation=room, key=f"{minute}{author}")
                for minute, author, room in lines
            )
        )
    events = events_of(history.ledger, MessagesReadModel())
    for page in (1, 2, len(events)):
        with projected(history.ledger, MessagesReadModel(), events, page=page) as tables:
            for table in TABLES:
                assert kept(tables, table) == counted(tables, table), table


EDITS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["A", "B", None]),
        st.sampled_from("xyz"),
        st.integers(0, 2),
        st.sampled_from("RS"),
    ),
    min_size=1,
    max_size=6,
)


@given(uploads=st.lists(EDITS, min_size=1, max_size=4), is_withdrawn=st.booleans())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_totals_are_exact_where_an_edit_changes_who_said_it_and_when(
    shared_ledger: Ledger,
    uploads: list[list[tuple[int, str | None, str, int, str]]],
    is_withdrawn: bool,
) -> None:
    """A source may correct itself: the same message, by another author, at another time."""
    history = History(replace(shared_ledger, workspace_id=uuid4()))
    for lines in uploads:
        history.upload(
            *(
                message(minute + later, text, author=author, conversation=room, key=f"k{minute}")
                for minute, author, text, later, room in lines
            )
        )
    if is_withdrawn:
        upload = history.ledger.archive.load(Upload, history.uploads[-1])
        upload.withdraw()
        history.ledger.record(upload)
    events = events_of(history.ledger, MessagesReadModel())
    for page in (1, 2, len(events)):
        with projected(history.ledger, MessagesReadModel(), events, page=page) as tables:
            for table in TABLES:
                assert kept(tables, table) == counted(tables, table), table


def test_somebody_who_said_nothing_after_all_takes_no_part(own_ledger: Ledger) -> None:
    history = History(own_ledger)
    history.upload(message(0, "one"), message(1))
    history.upload(message(0, "two", author="Bob"), message(1))
    with projected(own_ledger, MessagesReadModel()) as tables:
        ada, bob = history.author("Ada"), history.author("Bob")
        said = sorted([(ada, 1), (bob, 1)])
        assert tables.rows("author_total", "author_id, messages", "ORDER BY 1") == said
        assert tables.rows("participation", "author_id, messages", "ORDER BY 1") == said


def test_the_system_is_nobody(own_ledger: Ledger) -> None:
    history = History(own_ledger)
    history.upload(message(0, author=None, kind="system"), message(1))
    with projected(own_ledger, MessagesReadModel()) as tables:
        assert tables.rows("author_total", "author_id, messages") == [(history.author("Ada"), 1)]
        assert tables.one("conversation_total", "messages") == (2,)


@pytest.mark.parametrize("text", ["Hello", "Another text"])
def test_a_message_that_comes_again_is_counted_once(own_ledger: Ledger, text: str) -> None:
    history = History(own_ledger)
    history.upload(message(0))
    history.upload(message(0, text))
    with projected(own_ledger, MessagesReadModel()) as tables:
        assert [tables.one(table, "messages") for table in TABLES] == [(1,)] * 3
