"""Conversations on a real PostgreSQL: their titles, the ones before, and what erasure leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.message import Conversation
from projections.conversations.projection import ConversationsReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message, room
from tests.support.scratch import events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


@pytest.fixture
def history(own_ledger: Ledger) -> History:
    return History(own_ledger)


def rows(history: History, columns: str) -> list[tuple[Any, ...]]:
    with projected(history.ledger, ConversationsReadModel()) as tables:
        return tables.rows("conversation", columns)


def test_a_conversation_has_what_its_export_says(history: History) -> None:
    upload = history.upload(room("Boat trip"), message(0), message(1))
    columns = "workspace_id, conversation_id, format, kind, title, former_titles, upload_id"

    assert rows(history, columns) == [
        (
            history.ledger.workspace_id,
            history.conversation(),
            "list",
            "group",
            "Boat trip",
            [],
            upload,
        )
    ]


def test_titles_are_kept_in_order_and_each_once(history: History) -> None:
    for title in ("A", "B", "A", "C", "C", "B"):
        history.upload(room(title), message(0))

    assert rows(history, "title, former_titles") == [("B", ["A", "B", "C"])]


def test_the_first_upload_stays_and_the_position_is_of_the_last_change(history: History) -> None:
    first = history.upload(room("A"), message(0))
    history.upload(room("B"), message(0))
    [*_, changed] = events_of(history.ledger, ConversationsReadModel())
    history.upload(room("B"), message(1))

    assert rows(history, "upload_id, position") == [(first, changed.position)]


def test_another_kind_is_taken_over_without_a_former_title(history: History) -> None:
    history.upload(message(0))  # never announced
    history.upload(Conversation("Room", "Room", "channel"), message(0))

    assert rows(history, "kind, title, former_titles") == [("channel", "Room", [])]


def test_a_title_longer_than_an_index_takes_does_not_poison(history: History) -> None:
    title = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(5_000))
    history.upload(room(title), message(0))

    assert rows(history, "title") == [(title,)]


def test_an_erased_conversation_is_gone_and_the_others_are_not(history: History) -> None:
    history.upload(room("A"), room("B", "Other"), message(0), message(1, conversation="Other"))
    history.ledger.keyring.destroy(history.conversation())

    assert rows(history, "title") == [("B",)]


def test_workspaces_share_nothing(history: History) -> None:
    other = History(replace(history.ledger, workspace_id=uuid4()))
    history.upload(room("A"), message(0))
    other.upload(room("B"), message(0))

    assert rows(history, "title, former_titles") == [("A", [])]
    assert rows(other, "title, former_titles") == [("B", [])]


titles = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["R1", "R2"]), st.sampled_from("ABC"), st.sampled_from(["group", "ai"])
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda said: said[0],
    ),
    min_size=1,
    max_size=6,
)


@given(uploads=titles)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_where_pages_end_makes_no_difference(
    shared_ledger: Ledger, uploads: list[list[tuple[str, str, Any]]]
) -> None:
    history = History(replace(shared_ledger, workspace_id=uuid4()))
    for said in uploads:
        rooms = [Conversation(id_, title, kind) for id_, title, kind in said]
        history.upload(*rooms, *(message(0, conversation=one.id) for one in rooms))
    events = events_of(history.ledger, ConversationsReadModel())
    found = []
    for page in (1, 2, len(events)):
        with projected(history.ledger, ConversationsReadModel(), events, page=page) as tables:
            found.append(tables.everything("conversation"))

    assert found[0] == found[1] == found[2]
