"""Ids, cursors and pages: what goes out comes back, and nothing else is taken for it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interfaces.graphql.connections import DEFAULT_FIRST, PageOf
from interfaces.graphql.cursors import MAX_CURSOR, decode_cursor, encode_cursor
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.node_ids import kind_of, node_id, parse_id, parse_number
from projections.paging import Slice, Window

NUMBERS = PageOf[int]((int,), lambda row: (row,))
NOTHING: dict[str, Any] = {"first": None, "after": None, "last": None, "before": None}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200)
TIMES = st.datetimes(timezones=st.just(UTC))


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(st.uuids())
def test_an_id_is_taken_in_full_and_bare(id: UUID) -> None:
    assert parse_id("Upload", node_id("Upload", id)) == parse_id("Upload", str(id)) == id
    assert kind_of(node_id("Upload", id)) == "Upload"
    assert kind_of(str(id)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "Upload:",
        "Author:7c7c6c6e-0a4f-4bd5-a1d4-6a3d1b8a0d53",
        "Upload:Upload:7c7c6c6e-0a4f-4bd5-a1d4-6a3d1b8a0d53",
        ":7c7c6c6e-0a4f-4bd5-a1d4-6a3d1b8a0d5",
        "{7c7c6c6e-0a4f-4bd5-a1d4-6a3d1b8a0d53}",
        "7C7C6C6E-0a4f-4bd5-a1d4-6a3d1b8a0d53",
        "7c7c6c6e0a4f4bd5a1d46a3d1b8a0d53",
        "Upload:7c7c6c6e-0a4f-4bd5-a1d4-6a3d1b8a0d53\n",
        "١" * 36,
        "x" * 100_000,
        "\x00",
    ],
    ids=lambda text: repr(text)[:40],
)
def test_what_is_no_id_of_this_kind_is_not_taken_for_one(text: str) -> None:
    assert parse_id("Upload", text) is None


@pytest.mark.parametrize(
    "text", ["-1", "01", "1.0", " 1", "١", str(2**63), "9" * 5_000, "Author:1"]
)
def test_a_number_has_one_form_and_fits_the_database(text: str) -> None:
    assert parse_number("Message", text) is None
    assert parse_number("Message", node_id("Message", 2**63 - 1)) == 2**63 - 1
    assert parse_number("Message", "0") == 0


@given(st.integers(-(2**63) + 1, 2**63 - 1), TEXTS, st.uuids(), TIMES)
def test_a_cursor_comes_back_as_the_keys_that_it_was_made_of(
    number: int, text: str, id: UUID, at: datetime
) -> None:
    cursor = encode_cursor(number, text, id, at)
    assert len(cursor) <= MAX_CURSOR
    assert decode_cursor(cursor, int, str, UUID, datetime) == (number, text, id, at)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "!" * 8,
        "A" * 1_000_000,
        encoded("7"),
        encoded("null"),
        encoded('{"0": 7}'),
        encoded("[]"),
        encoded("[7, 8]"),
        encoded("[true]"),
        encoded("[7.5]"),
        encoded('["7"]'),
        encoded("[null]"),
        encoded("[[7]]"),
        encoded(f"[{2**63}]"),
        encoded(f"[{'9' * 1_000}]"),
        encoded("[" * 1_000),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ArgumentRefusedError):
        decode_cursor(text, int)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (str, '["\\u0000"]'),
        (str, '["\\ud800"]'),
        (str, "[7]"),
        (UUID, '["7"]'),
        (datetime, '["2024-03-01T09:00:00"]'),
        (datetime, '["0001-01-01T00:00:00+14:00"]'),
        (datetime, '["yesterday"]'),
    ],
)
def test_a_key_that_the_database_would_choke_on_is_refused(kind: type, text: str) -> None:
    with pytest.raises(ArgumentRefusedError):
        decode_cursor(encoded(text), kind)


def test_a_page_has_fifty_entries_if_nothing_is_said() -> None:
    assert NUMBERS.window(**NOTHING) == Window(limit=DEFAULT_FIRST)


@pytest.mark.parametrize(
    "asked",
    [
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"last": 0},
        {"last": 101},
        {"first": 1, "last": 1},
        {"after": "no cursor"},
        {"before": encode_cursor("text")},
    ],
    ids=str,
)
def test_a_page_outside_the_limits_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ArgumentRefusedError):
        NUMBERS.window(**(NOTHING | asked))


def page(numbers: list[int], **asked: Any) -> Any:
    """What a list of these numbers answers."""
    window = NUMBERS.window(**(NOTHING | asked))
    inside = [
        number
        for number in numbers
        if (window.after is None or (number,) > window.after)
        and (window.before is None or (number,) < window.before)
    ]
    fetched = (inside[::-1] if window.is_backward else inside)[: window.limit + 1]
    return NUMBERS.connection(window.slice(fetched), window, str)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_forwards_and_backwards_hold_everything_once(length: int, size: int) -> None:
    numbers = list(range(length))
    seen: list[str] = []
    after = None
    while True:
        found = page(numbers, first=size, after=after)
        assert found.page_info.has_previous_page == (after is not None)
        seen += found.nodes
        after = found.page_info.end_cursor
        if not found.page_info.has_next_page:
            break
    assert seen == [str(number) for number in numbers]

    seen = []
    before = None
    while True:
        found = page(numbers, last=size, before=before)
        assert found.page_info.has_next_page == (before is not None)
        assert [edge.node for edge in found.edges] == found.nodes
        seen = found.nodes + seen
        before = found.page_info.start_cursor
        if not found.page_info.has_previous_page:
            break
    assert seen == [str(number) for number in numbers]


def test_an_empty_page_has_no_cursors() -> None:
    found = page([])
    assert (found.edges, found.nodes) == ([], [])
    assert (found.page_info.start_cursor, found.page_info.end_cursor) == (None, None)
    assert found.page_info.has_next_page is found.page_info.has_previous_page is False


@pytest.mark.parametrize(
    ("window", "descending", "sql", "values"),
    [
        (Window(limit=2), False, " ORDER BY at ASC, id ASC LIMIT %s", [3]),
        (Window(limit=2), True, " ORDER BY at DESC, id DESC LIMIT %s", [3]),
        (
            Window(limit=2, after=(1, 2)),
            False,
            " AND (at, id) > (%s, %s) ORDER BY at ASC, id ASC LIMIT %s",
            [1, 2, 3],
        ),
        (
            Window(limit=2, after=(1, 2), before=(3, 4), is_backward=True),
            True,
            " AND (at, id) < (%s, %s) AND (at, id) > (%s, %s) ORDER BY at ASC, id ASC LIMIT %s",
            [1, 2, 3, 4, 3],
        ),
    ],
)
def test_a_window_becomes_sql(
    window: Window, descending: bool, sql: str, values: list[int]
) -> None:
    assert window.sql(["at", "id"], descending=descending) == (sql, values)


def test_a_slice_knows_whether_there_is_more() -> None:
    assert Window(limit=2).slice([1, 2, 3]) == Slice(rows=[1, 2], has_more=True)
    assert Window(limit=2).slice([1, 2]) == Slice(rows=[1, 2], has_more=False)
    assert Window(limit=2, is_backward=True).slice([3, 2, 1]) == Slice(rows=[2, 3], has_more=True)


def test_two_uploads_never_share_an_id() -> None:
    assert node_id("Upload", uuid4()) != node_id("Upload", uuid4())
