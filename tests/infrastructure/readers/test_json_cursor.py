"""Lists are cut into elements the same way, whatever the layout and the chunks."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.repairs import Repairs

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
# Most lists in exports hold objects that begin with the same key.
alike = st.fixed_dictionaries(
    {"id": st.integers(0, 99), "text": st.text(max_size=6), "more": values}
)
indents = st.sampled_from([None, 0, 1, 4])
chunks = st.integers(1, 40)


def cursor(raw: str, chunk: int = 16, limit: int = 10_000) -> JsonCursor:
    return JsonCursor(io.BytesIO(raw.encode()), Repairs(), chunk=chunk, limit=limit)


@settings(max_examples=60, deadline=None)
@given(st.lists(values | alike, max_size=8), indents, chunks, st.booleans())
def test_elements_are_those_of_the_list(
    elements: list[Any], indent: int | None, chunk: int, is_ascii: bool
) -> None:
    raw = json.dumps(elements, indent=indent, ensure_ascii=is_ascii).replace("\\u0000", "z")
    assert list(cursor(raw, chunk).elements()) == json.loads(raw)


@settings(max_examples=40, deadline=None)
@given(st.lists(alike, min_size=1, max_size=6), indents, chunks, st.data())
def test_the_beginning_of_a_list_gives_its_first_elements(
    elements: list[Any], indent: int | None, chunk: int, data: st.DataObject
) -> None:
    raw = json.dumps(elements, indent=indent).replace("\\u0000", "z")
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    found: list[Any] = []
    with pytest.raises(BrokenJsonError):
        found.extend(cursor(cut, chunk).elements())
    found_before = []
    try:
        for element in cursor(cut, chunk).elements():
            found_before.append(element)  # noqa: PERF402 - an error ends the loop
    except BrokenJsonError:
        pass
    assert found_before == json.loads(raw)[: len(found_before)]


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=4), values, max_size=4), indents, chunks, st.data())
def test_an_object_is_walked_by_its_keys(
    value: dict[str, Any], indent: int | None, chunk: int, data: st.DataObject
) -> None:
    raw = json.dumps(value, indent=indent).replace("\\u0000", "z")
    expected = json.loads(raw)
    walk = cursor(raw, chunk)
    found = {}
    for key in walk.keys():  # noqa: SIM118 - a cursor is no dictionary
        if data.draw(st.booleans()):
            walk.skip()
            found[key] = expected[key]
        else:
            found[key] = walk.value()
    assert found == expected
    assert walk.peek() == b""


@pytest.mark.parametrize("raw", ["", "[", "[1", "[1,", "[1 2]", '[{"a" 1}]', "[nope]", "[}", '["x'])
def test_broken_lists_are_errors_with_a_place(raw: str) -> None:
    with pytest.raises(BrokenJsonError, match="byte"):
        list(cursor(raw).elements())


def test_a_separator_inside_a_text_or_an_inner_list_does_not_cut_an_element() -> None:
    elements = [
        {"a": "x"},
        {"a": '},{"a"'},
        {"a": [{"a": 1}, {"a": 2}]},
        {"b": 1},
        {"a": "\\"},
        {"a": "y"},
    ]
    for chunk in range(1, 60):
        raw = json.dumps(elements, separators=(",", ":"))
        assert list(cursor(raw, chunk).elements()) == elements


def test_an_element_beyond_the_limit_is_passed_over() -> None:
    raw = json.dumps([1, "x" * 100, {"a": ["y" * 100]}, 2])
    found = list(cursor(raw, limit=50).elements())
    assert (found[0], found[3]) == (1, 2)
    assert all(isinstance(one, Unparsed) for one in found[1:3])
