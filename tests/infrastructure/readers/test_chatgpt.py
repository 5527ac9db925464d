"""What ChatGPT's export holds: who said what when, and what is kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import UnreadableExportError
from tests.infrastructure.readers.chatgpt_exports import (
    NOON,
    alone,
    conversation,
    found_in,
    line_of,
    node,
    one,
    places,
    said,
    tree,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    zip_file,
)
from tests.support.data import data_path

# The sample


def test_the_sample_s_other_question_is_a_branch_that_answers_the_same_message() -> None:
    found = found_in(data_path("fixtures", "chatgpt") / "conversations-branch.json")
    assert places(found) == [
        ("msg-1", None, None),
        ("msg-2", None, None),
        ("msg-3", "msg-2", None),
        ("msg-4", "msg-3", None),
        ("msg-6", "msg-4", None),
        ("msg-5", "msg-3", "msg-5"),
    ]


# Times


def test_times_are_utc_to_the_microsecond() -> None:
    message = one(said(1, create_time=1704067350.123457))
    assert message.sent_at == datetime(2024, 1, 1, 0, 2, 30, 123457, tzinfo=UTC)
    assert (message.precision, message.zone) == ("microsecond", "stated")
    assert alone(said(1)).facts.timezone == "UTC"


def test_a_message_without_a_time_has_that_of_the_nearest_before_it_or_of_the_conversation() -> (
    None
):
    found = alone(
        said(1, create_time=None),
        said(2),
        said(3, create_time=0),
        said(4, create_time=None),
    )
    assert [(m.sent_at - NOON, m.zone) for m in found.messages] == [
        (timedelta(seconds=-60), "derived"),
        (timedelta(seconds=2), "stated"),
        (timedelta(seconds=2), "derived"),
        (timedelta(seconds=2), "derived"),
    ]


def test_a_time_passes_through_messages_that_hold_none_or_could_not_be_read() -> None:
    mapping = tree(
        {"n1": None, "n2": "n1", "n3": "n2", "n4": "n3"},
        n2=None,
        n3=said(3, content=7),
        n4=said(4, create_time=None),
    )
    found = found_in(json_file([conversation(mapping, "n4")]))
    assert [(m.key, m.sent_at - NOON) for m in found.messages] == [
        ("n1", timedelta(seconds=1)),
        ("n4", timedelta(seconds=1)),
    ]


def test_without_any_time_before_it_a_message_has_the_first_that_there_is() -> None:
    found = alone(
        said(1, create_time=None), said(9), said(5), create_time=None, update_time="never"
    )
    assert [(m.sent_at - NOON).seconds for m in found.messages] == [5, 9, 5]
    assert found.messages[0].zone == "derived"


@pytest.mark.parametrize("time", [True, [], {}, "soon", -1, 1e300, 1e18])
def test_a_time_that_is_none_costs_its_message(time: Any) -> None:
    found = alone(said(1), said(2, create_time=time), said(3))
    assert [m.key for m in found.messages] == ["n1", "n3"]
    assert [w.line for w in found.warnings] == [1]


def test_times_as_text_are_understood() -> None:
    found = alone(said(1, create_time="1741089600.5"), said(2, create_time="2025-03-04T12:00:01Z"))
    assert [m.sent_at - NOON for m in found.messages] == [
        timedelta(seconds=0.5),
        timedelta(seconds=1),
    ]


# People


def test_authors_are_known_by_their_role() -> None:
    found = alone(
        said(1, role="system"),
        said(2),
        said(3, role="assistant", metadata={"model_slug": "gpt-4o"}),
        said(4, author={"role": "tool", "name": "python", "metadata": {"x": 1}}),
        said(5, role="critic"),
    )
    assert [m.author for m in found.messages] == [
        ("system", "System"),
        ("user", "User"),
        ("assistant", "ChatGPT"),
        ("tool", "Tool"),
        ("critic", "Critic"),
    ]
    assert [m.extra for m in found.messages] == [
        None,
        None,
        {"model_slug": "gpt-4o"},
        {"author_name": "python", "author_metadata": {"x": 1}},
        None,
    ]
    assert [m.kind for m in found.messages] == ["system", *["message"] * 4]


def packed(user: Any, *, beside: str = "", path: str = "") -> dict[str, str]:
    """One person's export: the conversations, and `user.json` in the folder `beside`."""
    raw = line_of(said(1), said(2, role="assistant"), id=path or "c")
    return {
        f"{path}conversations.json": json.dumps([raw]),
        f"{beside or path}user.json": user if isinstance(user, str) else json.dumps(user),
    }


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ({"id": "user-1", "email": "ann@example.org", "birth_year": 1990}, "ann@example.org"),
        ({"id": "user-1", "email": "ann@example.org", "name": " Ann "}, "Ann"),
        ({"id": "user-1", "email": None}, "User"),
        ([{"id": "user-1", "email": "ann@example.org"}], "ann@example.org"),
    ],
)
def test_the_user_is_the_account_that_the_export_names(account: Any, name: str) -> None:
    found = found_in(zip_file(packed(account)))
    assert [m.author for m in found.messages] == [("user-1", name), ("assistant", "ChatGPT")]
    assert found.warnings == []


def test_the_exports_of_two_people_in_one_archive_are_those_of_two() -> None:
    ann = packed({"id": "user-1", "email": "ann@example.org"}, path="ann/chats/", beside="ann/")
    bob = packed({"id": "user-2", "email": "bob@example.org"}, path="bob/")
    nobody = packed("[]", path="else/")
    found = found_in(zip_file(ann | bob | nobody))
    users = [m.author.id for m in found.messages if m.author and m.author.id != "assistant"]
    assert users == ["user-1", "user-2", "user"]
    assert found.warnings == []


@pytest.mark.parametrize(
    "account",
    [
        *({}, [], [7], {"id": ""}, {"id": 7, "email": "ann@example.org"}, {"id": "x" * 1000}),
        [{"id": "user-1"}, {"id": "user-2"}, {"id": "user-1"}],
    ],
)
def test_a_user_whose_account_is_not_told_is_known_by_the_role(account: Any) -> None:
    found = found_in(zip_file(packed(account)))
    assert found.messages[0].author == ("user", "User")
    assert found.warnings == []


def test_an_account_list_that_breaks_off_names_nobody_and_costs_no_message() -> None:
    found = found_in(zip_file(packed('[{"id": "user-1", "email": "a@example.org"}, {"id"')))
    assert [m.author for m in found.messages] == [("user", "User"), ("assistant", "ChatGPT")]
    assert [(w.file, w.is_fatal) for w in found.warnings] == [("user.json", False)]


# What is kept


def test_unusual_states_are_kept_and_usual_ones_are_not() -> None:
    message = one(
        said(1, status="in_progress", weight=0.0, recipient="bio", channel="final", update_time=5.5)
    )
    assert message.extra == {
        "status": "in_progress",
        "weight": 0.0,
        "recipient": "bio",
        "channel": "final",
        "update_time": 5.5,
    }
    assert message.edited_at is None
    assert one(said(1)).extra is None


def test_metadata_is_kept_without_what_says_nothing() -> None:
    metadata = {
        "request_id": "r",
        "finish_details": {"type": "stop", "stop_tokens": [1]},
        "citations": [],
        "gizmo_id": "g-1",
        "is_complete": True,
    }
    assert one(said(1, metadata=metadata)).extra == {"metadata": {"gizmo_id": "g-1"}}
    cut = {"finish_details": {"type": "max_tokens"}}
    assert one(said(1, metadata=cut)).extra == {"metadata": cut}


def test_unknown_keys_are_kept_and_counted() -> None:
    raw = line_of(said(1, mood=4, metadata={"aura": 5}), said(2, mood=6), shape="round")
    raw["mapping"]["n1"]["colour"] = "red"
    found = found_in(json_file([raw]))
    assert found.facts.unknown_keys == {
        "conversations.shape": 1,
        "messages.mood": 2,
        "metadata.aura": 1,
        "nodes.colour": 1,
    }
    assert [m.extra for m in found.messages] == [
        {"mood": 4, "metadata": {"aura": 5}, "colour": "red"},
        {"mood": 6},
    ]


def test_a_message_is_known_by_its_node() -> None:
    mapping = {"a": node("a", None, said(1))}
    (message,) = found_in(json_file([conversation(mapping, "a")])).messages
    assert (message.key, message.extra) == ("a", {"message_id": "n1"})


# What is written is read back


Said = tuple[datetime, str, str]

texts = st.text(
    st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\0"), max_size=30
)
rows_said = st.lists(
    st.tuples(
        st.datetimes(datetime(2022, 12, 1), datetime(2029, 12, 31)),  # noqa: DTZ001
        st.sampled_from(["user", "assistant", "tool"]),
        texts,
    ),
    min_size=1,
    max_size=6,
).map(lambda rows: [(at.replace(tzinfo=UTC), role, text) for at, role, text in rows])


def written(rows: Sequence[Said]) -> bytes:
    """A conversation for each two messages."""
    messages = [
        said(n, text, role=role, create_time=moment.timestamp())
        for n, (moment, role, text) in enumerate(rows)
    ]
    pairs = [messages[n : n + 2] for n in range(0, len(messages), 2)]
    return json.dumps([line_of(*pair, id=f"c{n}") for n, pair in enumerate(pairs)]).encode()


def rows_of(found: Read) -> list[Said]:
    return [(m.sent_at, m.author.id if m.author else "", m.text) for m in found.messages]


@settings(max_examples=60, deadline=None)
@given(rows=rows_said)
def test_what_is_written_is_read_back(rows: list[Said]) -> None:
    found = found_in(MemoryFile(written(rows), "conversations.json"))
    assert rows_of(found) == rows
    assert found.warnings == []


@settings(max_examples=100, deadline=None)
@given(rows=rows_said, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = written(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    complete = len(re.findall(rb'"parent": "[^"]*", "children": \[[^\]]*\]\}', cut))
    try:
        found = found_in(MemoryFile(cut, "conversations.json"))
    except UnreadableExportError:
        assert complete == 0
        return
    assert rows_of(found) == rows[:complete]
    assert [warning.is_fatal for warning in found.warnings] == [True]


def test_reading_twice_gives_the_same() -> None:
    file = json_file([conversation(tree({"n1": None, "n2": "n1", "n3": "n1"}), "n3")])
    assert found_in(file).messages == found_in(file).messages
