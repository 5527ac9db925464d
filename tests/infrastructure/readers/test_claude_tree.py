"""Claude's messages name the one that they answer: a tree with one path shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.readers.claude_exports import (
    ROOT,
    alone,
    places,
    said,
    tree,
)


def test_messages_answer_their_parents() -> None:
    found = alone(*tree({1: None, 2: 1, 3: 2}))
    assert places(found) == [("m1", None, None), ("m2", "m1", None), ("m3", "m2", None)]


def test_messages_beside_the_path_to_the_last_one_are_branches_in_the_order_of_the_file() -> None:
    found = alone(*tree({1: None, 2: 1, 3: 2, 4: 3, 5: 2, 6: 3, 7: 5}))
    assert places(found) == [
        ("m1", None, None),
        ("m2", "m1", None),
        ("m3", "m2", "m3"),
        ("m4", "m3", "m3"),
        ("m5", "m2", None),
        ("m6", "m3", "m6"),
        ("m7", "m5", None),
    ]


def test_the_current_leaf_decides_the_path() -> None:
    parents: dict[int, int | None] = {1: None, 2: 1, 3: 1}
    found = alone(*tree(parents), current_leaf_message_uuid="m2")
    assert places(found) == [("m1", None, None), ("m2", "m1", None), ("m3", "m1", "m3")]
    leaves: list[Any] = ["gone", None, 7, []]
    for wrong in leaves:
        found = alone(*tree(parents), current_leaf_message_uuid=wrong)
        assert places(found)[1:] == [("m2", "m1", "m2"), ("m3", "m1", None)]


def test_another_first_question_is_a_branch() -> None:
    found = alone(*tree({1: None, 2: 1, 3: None, 4: 3}))
    assert places(found) == [
        ("m1", None, "m1"),
        ("m2", "m1", "m1"),
        ("m3", None, None),
        ("m4", "m3", None),
    ]


def test_without_parents_messages_answer_nobody_and_have_no_branches() -> None:
    assert places(alone(said(1), said(2))) == [("m1", None, None), ("m2", None, None)]
    lost = alone(*tree({1: None, 2: 9}))
    assert places(lost) == [("m1", None, None), ("m2", None, None)]


def test_an_answer_to_a_message_that_could_not_be_read_is_to_the_one_before() -> None:
    messages = tree({1: None, 2: 1, 3: 2, 4: 1, 5: 4, 6: 1})
    messages[1]["sender"] = 7
    messages[3]["sender"] = 7
    found = alone(*messages, current_leaf_message_uuid="m3")
    assert places(found) == [
        ("m1", None, None),
        ("m3", "m1", None),
        ("m5", "m1", "m5"),
        ("m6", "m1", "m6"),
    ]


def test_a_parent_that_comes_later_is_answered() -> None:
    second, first = said(2, parent_message_uuid="m1"), said(1, parent_message_uuid=ROOT)
    assert [(m.key, m.reply_to) for m in alone(second, first).messages] == [
        ("m2", "m1"),
        ("m1", None),
    ]


@pytest.mark.parametrize("leaf", ["m1", "m2", "m3", "m4"])
def test_circles_are_cut_and_told_of(leaf: str) -> None:
    messages = [*tree({1: 3, 2: 1, 3: 2, 4: None}), said(5, parent_message_uuid="m5")]
    found = alone(*messages, current_leaf_message_uuid=leaf)
    assert [(m.key, m.reply_to) for m in found.messages] == [
        ("m1", None),
        ("m2", "m1"),
        ("m3", "m2"),
        ("m4", None),
        ("m5", None),
    ]
    assert len(found.warnings) == 1
    assert "circle" in found.warnings[0].reason


def test_a_message_that_comes_twice_is_read_once() -> None:
    found = alone(said(1), said(1, "again"), said(2))
    assert found.texts == ["hi", "hi"]
    assert [w.line for w in found.warnings] == [1]


def test_messages_without_an_id_have_one_of_their_content() -> None:
    raw = said(1, uuid="(absent)")
    found = alone(raw, raw, said(2, uuid=None))
    assert len({m.key for m in found.messages}) == 3
    assert {len(m.key) for m in found.messages} == {32}
    assert [m.key for m in found.messages] == [m.key for m in alone(raw, raw).messages] + [
        found.messages[2].key
    ]
