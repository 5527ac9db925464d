"""Lists are cut into elements the same way, whatever the layout and the chunks."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, LeftOutError, Unparsed
from infrastructure.readers.limits import CHUNK
from infrastructure.readers.repairs import Repairs

# NUL is left out of what is read.
characters = st.characters(codec="utf-8", exclude_characters="\0")
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(characters, max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(characters, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
# Most lists in exports hold objects that begin with the same key.
alike = st.fixed_dictionaries(
    {"id": st.integers(0, 99), "text": st.text(characters, max_size=6), "more": values}
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
    raw = json.dumps(elements, indent=indent, ensure_ascii=is_ascii)
    assert list(cursor(raw, chunk).elements()) == json.loads(raw)


@settings(max_examples=40, deadline=None)
@given(st.lists(alike, min_size=1, max_size=6), indents, chunks, st.data())
def test_the_beginning_of_a_list_gives_its_first_elements(
    elements: list[Any], indent: int | None, chunk: int, data: st.DataObject
) -> None:
    raw = json.dumps(elements, indent=indent)
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
@given(
    st.dictionaries(st.text(characters, max_size=4), values, max_size=4), indents, chunks, st.data()
)
def test_an_object_is_walked_by_its_keys(
    value: dict[str, Any], indent: int | None, chunk: int, data: st.DataObject
) -> None:
    raw = json.dumps(value, indent=indent)
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


@settings(max_examples=60, deadline=None)
@given(st.lists(values | alike, max_size=8), indents, chunks, st.booleans())
def test_a_value_of_any_shape_is_skipped_to_its_end(
    elements: list[Any], indent: int | None, chunk: int, is_ascii: bool
) -> None:
    elements = [*elements, '"}]{[\\', {"\\": ['\\"', {"}": "]"}]}] * 3
    raw = json.dumps({"a": elements, "b": 7}, indent=indent, ensure_ascii=is_ascii)
    walk = cursor(raw, chunk)
    found = {}
    for key in walk.keys():  # noqa: SIM118 - a cursor is no dictionary
        if key == "a":
            walk.skip()
        else:
            found[key] = walk.value()
    assert found == {"b": 7}


@pytest.mark.parametrize("raw", ['{"a": [1, 2', '["x', '["x\\', '[{"a": "b"', "[" * 5000])
def test_a_value_that_does_not_end_cannot_be_skipped(raw: str) -> None:
    with pytest.raises(BrokenJsonError, match=f"the file ends at byte {len(raw)}"):
        cursor(raw).skip()


@pytest.mark.parametrize(
    "raw",
    ["[" * 50_000 + "]" * 50_000, '["' + "\\" * 100_000 + '"]', '["' + "x" * 9000 + '"]'],
    ids=["levels", "backslashes", "text"],
)
def test_a_value_with_very_many_levels_or_backslashes_is_skipped(raw: str) -> None:
    for chunk in (4095, 4096, 1_000_000):
        walk = cursor(raw + " true\n", chunk)
        walk.skip()
        assert walk.value() is True


def test_skipping_is_faster_than_a_parser() -> None:
    """Of an export only the part that is wanted should cost time."""
    message = {"id": 1, "type": "message", "from": "Ann", "text": [{"type": "bold", "text": "hi"}]}
    raw = json.dumps([message] * 20_000)

    def seconds(work: Callable[[], Any]) -> float:
        start = thread_time()
        work()
        return thread_time() - start

    skipped = min(seconds(cursor(raw, CHUNK).skip) for _ in range(3))
    parsed = min(seconds(lambda: json.loads(raw)) for _ in range(3))
    assert skipped < parsed * 2


class CountingCursor(JsonCursor):
    """Counts the elements whose end had to be looked for bracket by bracket."""

    searched = 0

    def _find_end(self) -> int:
        self.searched += 1
        return super()._find_end()


@pytest.mark.parametrize(("indent", "inner"), [(None, "uuid"), (2, "uuid"), (None, "id")])
def test_objects_inside_may_begin_with_the_same_key(indent: int | None, inner: str) -> None:
    """As the conversations of AI chats do. Ends are found as fast as those of other elements."""
    elements = [
        {
            "uuid": f"c{number}",
            "name": 'a "title", {"uuid": "x", "name": "y"}',
            "messages": [{inner: f"m{n}", "text": "}, {"} for n in range(number % 5)],
        }
        for number in range(200)
    ]
    raw = json.dumps(elements, indent=indent).encode()
    for chunk in (1, 100, 3000, 100_000):
        walk = CountingCursor(io.BytesIO(raw + b" "), Repairs(), chunk=chunk)
        assert list(walk.elements()) == elements
    walk = CountingCursor(io.BytesIO(b'{"all": ' + raw + b"}"), Repairs())
    assert [key for key in walk.keys() for _ in walk.elements()] == ["all"] * 200  # noqa: SIM118
    assert walk.searched < 20


def test_a_value_left_out_is_no_break_and_says_why() -> None:
    deep = "[" * 2000 + "]" * 2000
    walk = cursor(f'{{"long": "{"x" * 9000}", "deep": {deep}, "last": 1}}', limit=8000)
    reasons = {}
    for key in walk.keys():  # noqa: SIM118
        try:
            reasons[key] = str(walk.value())
        except LeftOutError as error:
            reasons[key] = error.unparsed.reason
    assert reasons == {
        "long": "longer than 8000 bytes, left out",
        "deep": "nested more than 100 levels deep, left out",
        "last": "1",
    }


def test_a_break_is_no_value_left_out() -> None:
    for raw in ("[1 2]", '["x', "nope", ""):
        with pytest.raises(BrokenJsonError) as raised:
            cursor(raw).value()
        assert not isinstance(raised.value, LeftOutError)


def test_a_number_of_thousands_of_digits_is_dropped_and_the_rest_is_read() -> None:
    repairs = Repairs()
    raw = f'[{{"a": {"9" * 5000}, "b": 1}}, {{"a": -{"1" * 4000}, "b": 2}}, {{"a": 3}}]'
    walk = JsonCursor(io.BytesIO(raw.encode()), repairs)
    assert list(walk.elements()) == [
        {"a": None, "b": 1},
        {"a": -int("1" * 4000), "b": 2},
        {"a": 3},
    ]
    assert [(warning.line, warning.reason) for warning in repairs.warnings("x.json")] == [
        (1, "numbers too large for any computer were dropped (in 1 place)")
    ]


def test_lists_without_end_take_no_more_room_than_one() -> None:
    """One after the other, as in a file of documents: each looks whether it is the last one."""
    raw = b'[{"a": "' + b"x" * 200 + b'"}]'
    peaks = []
    for count in (10_000, 100_000):
        found = JsonCursor(io.BytesIO(raw * count), Repairs())
        tracemalloc.start()
        read = 0
        while found.peek():
            read += len(list(found.elements()))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count
    assert peaks[1] < 1.5 * peaks[0]
