"""What is written as an export of Discord is read back, whole or up to where it is cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    UnreadableExportError,
)
from tests.infrastructure.readers.discord_exports import (
    BANNER,
    HEADER,
    TOP,
    below,
    chat,
    discord,
    row,
    said,
    text_said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    utc_stamp,
    zip_file,
)

Said = tuple[datetime, str, str]

plain = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="<[")
names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
texts = st.text(plain | st.sampled_from("\n:,\"'>&|;\t{}"), max_size=30).map(lambda t: f"a{t}z")
moments = st.datetimes(datetime(2015, 1, 13), datetime(2029, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)
chats = st.lists(st.tuples(moments, names, texts), min_size=1, max_size=6).map(
    lambda rows: sorted(rows, key=lambda one: one[0])
)


def as_json(rows: Sequence[Said]) -> bytes:
    messages = [
        said(n, text, timestamp=at.isoformat(), author={"id": f"u{n}", "name": name})
        for n, (at, name, text) in enumerate(rows)
    ]
    return json.dumps(chat(*messages), indent=2, ensure_ascii=False).encode()


def as_csv(rows: Sequence[Said]) -> bytes:
    return (
        HEADER
        + "".join(
            row(text, AuthorID="", Author=name, Date=at.isoformat()) for at, name, text in rows
        )
    ).encode()


def as_text(rows: Sequence[Said]) -> bytes:
    written = [text_said(text, f"{at:%Y-%m-%d %H:%M}", name) for at, name, text in rows]
    return bytes(below(*written).data)


WRITERS = {"json": as_json, "csv": as_csv, "txt": as_text}


def as_said(found: Read) -> list[tuple[str, str, str]]:
    return [(utc_stamp(m), m.author.name if m.author else "", m.text) for m in found.messages]


def expected(rows: Sequence[Said]) -> list[tuple[str, str, str]]:
    return [(f"{at:%Y-%m-%dT%H:%M:%SZ}", name, text) for at, name, text in rows]


@pytest.mark.parametrize("layout", WRITERS)
@settings(max_examples=50, deadline=None)
@given(rows=chats)
def test_what_is_written_is_read_back(layout: str, rows: list[Said]) -> None:
    found = discord(MemoryFile(WRITERS[layout](rows), "export"))
    assert as_said(found) == expected(rows)
    assert found.warnings == []
    assert len({m.key for m in found.messages}) == len(rows)


@settings(max_examples=100, deadline=None)
@given(rows=chats, data=st.data())
def test_the_beginning_of_a_file_gives_its_whole_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = as_json(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    # Only a message's own last brace stands so far from the margin.
    whole = sum(match.end() <= len(cut) for match in re.finditer(rb"\n    \}", raw))
    try:
        found = discord(MemoryFile(cut, "export"))
    except UnreadableExportError:
        assert whole == 0
        return
    assert whole > 0
    assert as_said(found) == expected(rows)[:whole]
    assert sum(warning.is_fatal for warning in found.warnings) == 1
    if all(ord(c) < 128 for c in cut.decode("utf-8", "replace")):
        assert len(found.warnings) == 1


@settings(max_examples=100, deadline=None)
@given(rows=chats, data=st.data())
def test_the_beginning_of_a_table_gives_its_whole_rows_and_a_warning_if_one_is_cut(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = as_csv(rows)
    end = data.draw(st.integers(len(HEADER), len(raw)))
    ends = [len(as_csv(rows[:count])) for count in range(len(rows) + 1)]
    # Without its line break a row is whole, and without its last cell if that may be empty.
    without = {place - less for place in ends[1:] for less in (0, 1, 3)}
    is_cut = end not in {ends[0], *without}
    whole = sum(end >= place for place in ends[1:]) + (end not in ends and not is_cut)
    try:
        found = discord(MemoryFile(raw[:end], "export"))
    except UnreadableExportError:
        assert (whole, is_cut) == (0, True)
        return
    assert as_said(found) == expected(rows)[:whole]
    assert sum(warning.is_fatal for warning in found.warnings) == is_cut


@settings(max_examples=100, deadline=None)
@given(rows=chats, data=st.data())
def test_the_beginning_of_a_text_gives_its_first_messages_and_one_fatal_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = as_text(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - len(BANNER) - 2 - len(") message(s)")))]
    try:
        found = discord(MemoryFile(cut, "export"))
    except UnreadableExportError:
        assert len(cut) <= len(TOP) + len(f"[2024-01-15 10:30] {rows[0][1]}\n".encode())
        return
    got = as_said(found)
    # The last message can end anywhere, and take the beginning of the next header for its own.
    assert got[:-1] == expected(rows)[: len(got) - 1]
    assert got[-1][:2] == expected(rows)[len(got) - 1][:2]
    assert sum(warning.is_fatal for warning in found.warnings) == 1


@settings(max_examples=50, deadline=None)
@given(rows=chats, data=st.data())
def test_two_overlapping_exports_are_the_whole_without_doubles(
    rows: list[Said], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
    parts = (rows[: cuts[1]], rows[cuts[0] :])
    files = {}
    for number, part in enumerate(parts):
        messages = [
            said(1000 + rows.index(one), one[2], timestamp=one[0].isoformat()) for one in part
        ]
        files[f"{number}.json"] = json.dumps(chat(*messages))
    found = discord(zip_file(files))
    keys = [int(m.key) for m in found.messages]
    assert sorted(keys) == sorted({1000 + rows.index(one) for one in rows})
    assert all(a < b for a, b in pairwise(keys))
