"""ChatGPT's messages form trees, of which one path is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.readers.ai_conversations import documents
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from tests.infrastructure.readers.chatgpt_exports import (
    ROLES,
    alone,
    conversation,
    found_in,
    line_of,
    node,
    places,
    said,
    tree,
)
from tests.infrastructure.readers.support import json_file


def test_the_path_to_the_current_node_comes_first_and_then_each_branch() -> None:
    edges = {"n1": None, "n2": "n1", "n3": "n2", "n4": "n3", "n5": "n2", "n6": "n5", "n7": "n1"}
    found = found_in(json_file([conversation(tree(edges), "n6")]))
    assert places(found) == [
        ("n1", None, None),
        ("n2", "n1", None),
        ("n5", "n2", None),
        ("n6", "n5", None),
        ("n7", "n1", "n7"),
        ("n3", "n2", "n3"),
        ("n4", "n3", "n3"),
    ]
    assert found.warnings == []


def test_a_branch_that_forks_goes_on_with_its_first_child() -> None:
    edges = {"n1": None, "n2": "n1", "n3": "n1", "n4": "n3", "n5": "n3", "n6": "n5"}
    found = found_in(json_file([conversation(tree(edges), "n2")]))
    assert places(found)[2:] == [
        ("n3", "n1", "n3"),
        ("n4", "n3", "n3"),
        ("n5", "n3", "n5"),
        ("n6", "n5", "n5"),
    ]


def test_the_branches_of_a_fork_come_in_the_order_in_which_it_lists_them() -> None:
    edges = {"n1": None, "n2": "n1", "n3": "n1", "n4": "n3", "n5": "n3", "n6": "n3", "n7": "n4"}
    mapping = tree(edges)
    mapping["n3"]["children"] = ["n6", "n5", "n4"]
    found = found_in(json_file([conversation(mapping, "n2")]))
    assert places(found)[2:] == [
        ("n3", "n1", "n3"),
        ("n6", "n3", "n3"),
        ("n5", "n3", "n5"),
        ("n4", "n3", "n4"),
        ("n7", "n4", "n4"),
    ]


def test_a_branch_is_named_by_its_first_message_that_could_be_read() -> None:
    edges = {"n1": None, "n2": "n1", "n3": "n1", "n4": "n3", "n5": "n4"}
    mapping = tree(edges, n3=None, n4=said(4, content=7))
    found = found_in(json_file([conversation(mapping, "n2")]))
    assert places(found)[2:] == [("n5", "n1", "n5")]
    assert len(found.warnings) == 1


def test_answers_skip_hidden_system_and_empty_messages() -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    found = alone(
        said(1, "", role="system"),
        said(2, "question"),
        said(3, "secret", metadata=hidden),
        said(4, "", role="assistant"),
        said(5, "answer", role="assistant"),
        said(6, "  \n"),
        said(7, "thanks"),
    )
    assert [(m.key, m.reply_to, m.kind) for m in found.messages] == [
        ("n1", None, "system"),
        ("n2", None, "message"),
        ("n3", "n2", "system"),
        ("n4", "n2", "message"),
        ("n5", "n2", "message"),
        ("n6", "n5", "message"),
        ("n7", "n5", "message"),
    ]


def test_an_answer_to_a_message_that_could_not_be_read_is_to_the_one_before() -> None:
    found = alone(said(1, "a"), said(2, "b", author=7), said(3, "c"))
    assert places(found) == [("n1", None, None), ("n3", "n1", None)]


def test_a_parent_that_is_missing_is_none_unless_another_node_lists_the_child() -> None:
    mapping = {
        "n1": node("n1", "gone", said(1), "n2"),
        "n2": node("n2", None, said(2)),
        "n3": node("n3", "lost", said(3)),
    }
    found = found_in(json_file([conversation(mapping, "n2")]))
    assert places(found) == [("n1", None, None), ("n2", "n1", None), ("n3", None, "n3")]


@pytest.mark.parametrize("current", [None, "gone", 7, ["n1"]])
def test_without_a_current_node_the_path_is_that_to_the_newest_message(current: Any) -> None:
    edges = {"n1": None, "n3": "n1", "n2": "n1"}
    found = found_in(json_file([conversation(tree(edges), current)]))
    assert places(found) == [("n1", None, None), ("n3", "n1", None), ("n2", "n1", "n2")]


def test_of_equally_new_messages_the_path_ends_at_the_last() -> None:
    edges = {"n1": None, "n2": "n1", "n3": "n1"}
    same = {"n2": said(5, "b"), "n3": said(5, "c")}
    found = found_in(json_file([conversation(tree(edges, **same), None)]))
    assert [m.text for m in found.messages] == ["1", "c", "b"]


@pytest.mark.parametrize("current", ["n1", "n2", "n3", "n4", None])
def test_circles_are_cut_and_told_of(current: str | None) -> None:
    mapping = tree({"n1": "n3", "n2": "n1", "n3": "n2", "n4": "n2", "n5": None})
    found = found_in(json_file([conversation(mapping, current)]))
    assert sorted(m.key for m in found.messages) == ["n1", "n2", "n3", "n4", "n5"]
    assert len(found.warnings) == 1
    assert "circle" in found.warnings[0].reason
    place = {m.key: index for index, m in enumerate(found.messages)}
    assert all(place[m.reply_to] < place[m.key] for m in found.messages if m.reply_to)


def test_a_node_that_is_its_own_parent_is_a_first_one() -> None:
    mapping = {"n1": node("n1", "n1", said(1), "n1")}
    assert places(found_in(json_file([conversation(mapping, "n1")]))) == [("n1", None, None)]


def lengthy(count: int) -> Iterator[bytes]:
    yield b'[{"title": "long", "id": "c1", "create_time": 1, "mapping": {'
    for n in range(count):
        message = said(n % 1000, "x", role=ROLES[n % 2])
        value = node(f"n{n}", f"n{n - 1}" if n else None, message, f"n{n + 1}")
        yield (b", " if n else b"") + f'"n{n}": {json.dumps(value)}'.encode()
    yield b'}, "current_node": "n%d"}, ' % (count - 1)
    yield json.dumps(line_of(said(1, "after"), id="c2")).encode() + b"]"


@pytest.mark.long
def test_a_conversation_of_a_hundred_thousand_messages_is_read(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    with path.open("wb") as target:
        target.writelines(lengthy(100_000))
    assert path.stat().st_size > 3 * MESSAGE_LIMIT
    found = found_in(path)
    assert len(found.messages) == 100_001
    assert found.warnings == []
    long = found.messages[:-1]
    assert [m.key for m in long] == [f"n{n}" for n in range(100_000)]
    assert all(m.reply_to == f"n{n - 1}" for n, m in enumerate(long) if n)
    assert not any("branch" in (m.extra or {}) for m in long)
    assert found.messages[-1].text == "after"


def test_a_conversation_of_ten_thousand_answers_to_one_question_is_read() -> None:
    edges: dict[str, str | None] = {"n1": None} | {f"n{n}": "n1" for n in range(2, 10_000)}
    found = found_in(json_file([conversation(tree(edges), "n2")]))
    assert len(found.messages) == 9_999
    assert {m.reply_to for m in found.messages[1:]} == {"n1"}
    assert len({(m.extra or {}).get("branch") for m in found.messages}) == 9_998


@pytest.mark.parametrize("at_once", [0, MEBIBYTE])
@pytest.mark.parametrize("is_listed", [True, False])
def test_messages_beyond_the_limit_are_left_out_and_told_of(
    at_once: int, is_listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MESSAGES_HELD", 3)
    monkeypatch.setattr(documents, "_AT_ONCE", at_once)
    raw = line_of(*(said(n) for n in range(1, 8)))
    found = found_in(json_file([raw] if is_listed else raw))
    assert [m.key for m in found.messages] == ["n1", "n2"]
    assert found.reasons[0].endswith("; 5 messages are left out")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30), st.integers(0, 29))
def test_any_mapping_gives_each_message_once_and_parents_first(
    parents: list[int], current: int
) -> None:
    mapping = {f"n{n}": node(f"n{n}", f"n{above}", said(n)) for n, above in enumerate(parents)}
    found = found_in(json_file([conversation(mapping, f"n{current}")]))
    assert sorted(m.key for m in found.messages) == sorted(mapping)
    place = {m.key: index for index, m in enumerate(found.messages)}
    for message in found.messages:
        branch = (message.extra or {}).get("branch")
        assert branch is None or place[branch] <= place[message.key]
        if message.reply_to is not None:
            assert place[message.reply_to] < place[message.key]
            assert message.reply_to == mapping[message.key]["parent"]
