"""Authors on a real PostgreSQL: their names, the ones before, and what erasure leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.message import Author
from projections.authors.projection import AuthorsReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message
from tests.support.scratch import events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture
def history(own_ledger: Ledger) -> History:
    return History(own_ledger)


def rows(history: History, columns: str) -> list[tuple[Any, ...]]:
    with projected(history.ledger, AuthorsReadModel()) as tables:
        return tables.rows("author", columns)


def test_an_author_has_what_the_export_says(history: History) -> None:
    upload = history.upload(message(0, author=Author("U1", "Ada")), message(1, author=None))
    columns = "workspace_id, author_id, format, source_id, name, former_names, upload_id"
    workspace = history.ledger.workspace_id

    assert rows(history, columns) == [
        (workspace, history.author("U1"), "list", "U1", "Ada", [], upload)
    ]


def test_names_are_kept_in_order_and_each_once(history: History) -> None:
    for name in ("A", "B", "A", "C", "C", "B"):
        history.upload(message(0, author=Author("U1", name)))

    assert rows(history, "name, former_names") == [("B", ["A", "B", "C"])]


def test_the_first_upload_stays_and_the_position_is_of_the_last_change(history: History) -> None:
    first = history.upload(message(0, author=Author("U1", "A")))
    history.upload(message(0, author=Author("U1", "B")))
    [*_, changed] = events_of(history.ledger, AuthorsReadModel())
    history.upload(message(1, author=Author("U1", "B")))

    assert rows(history, "upload_id, position") == [(first, changed.position)]


def test_odd_names_do_not_poison(history: History) -> None:
    """NUL, half characters, and more than an index takes: in ids as well as in names."""
    long = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(5_000))
    history.upload(
        message(0, author=Author("a\x00", "a\x00b")),
        message(1, author=Author("b\ud800", "\udfff")),
        message(2, author=Author(long, long)),
    )

    assert rows(history, "source_id, name") == sorted([("a", "ab"), ("b?", "?"), (long, long)])


def test_an_erased_author_is_gone_and_the_others_are_not(history: History) -> None:
    history.upload(message(0), message(1, author="Bob"))
    history.upload(message(2), message(3, author="Bob"))
    before = rows(history, "author_id, name, upload_id, position")
    history.ledger.keyring.destroy(history.author("Ada"))
    after = rows(history, "author_id, name, upload_id, position")

    assert after == [row for row in before if row[1] == "Bob"] != []


def test_workspaces_share_nothing(history: History) -> None:
    other = History(replace(history.ledger, workspace_id=uuid4()))
    history.upload(message(0))
    other.upload(message(0))

    assert history.author("Ada") != other.author("Ada")
    assert rows(history, "author_id") == [(history.author("Ada"),)]


names = st.lists(
    st.lists(st.tuples(st.sampled_from(["U1", "U2"]), st.sampled_from("ABC")), min_size=1),
    min_size=1,
    max_size=6,
)


@given(uploads=names)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_where_pages_end_makes_no_difference(
    shared_ledger: Ledger, uploads: list[list[tuple[str, str]]]
) -> None:
    history = History(replace(shared_ledger, workspace_id=uuid4()))
    for said in uploads:
        history.upload(*(message(n, author=Author(*one)) for n, one in enumerate(said)))
    events = events_of(history.ledger, AuthorsReadModel())
    found = []
    for page in (1, 2, len(events)):
        with projected(history.ledger, AuthorsReadModel(), events, page=page) as tables:
            found.append(tables.everything("author"))

    assert found[0] == found[1] == found[2]
