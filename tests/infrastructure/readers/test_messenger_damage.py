"""Broken and hostile files of Messenger, and what is read back."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.messenger.reader import InstagramReader, MessengerReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.meta_exports import (
    INBOX,
    NOON,
    encrypted,
    found_in,
    one,
    said,
    thread,
    whispered,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    damaged,
    json_file,
    read,
    zip_file,
)

# Broken and hostile files


def test_of_a_broken_file_the_newest_messages_are_read_oldest_first() -> None:
    raw = json.dumps(thread(*(said(n, f"{n}") for n in range(100))))
    at = raw.index('"content": "40"')
    found = found_in(MemoryFile((raw[:at] + "!!" + raw[at:]).encode(), "message_1.json"))
    assert found.texts == [str(n) for n in range(41, 100)]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(60, True)]


def test_a_broken_file_does_not_cost_the_others() -> None:
    raw = json.dumps(thread(said(1, "a"), said(2, "b"), thread_path=None))
    members = {
        f"{INBOX}/ann_1/message_2.json": raw[: raw.index('], "title"')],
        f"{INBOX}/ann_1/message_1.json": json.dumps(thread(said(3, "c"))),
        f"{INBOX}/bob_2/message_1.json": "{",
        f"{INBOX}/cy_3/message_1.json": "[]",
        f"{INBOX}/di_4/message_1.json": '{"participants": []}',
    }
    found = found_in(zip_file(members))
    assert found.texts == ["a", "b", "c"]
    assert [c.id for c in found.conversations] == ["inbox/ann_1"]
    names = [warning.file.split("/")[-2] for warning in found.warnings]
    assert names == ["ann_1", "bob_2", "cy_3", "di_4"]
    assert not any(warning.is_fatal for warning in found.warnings)


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, None, [], "x", {}),
        {"sender_name": "Ann"},
        {**said(2), "timestamp_ms": "x"},
        {**said(2), "timestamp_ms": True},
        {**said(2), "timestamp_ms": -1},
        {**said(2), "timestamp_ms": 10**20},
        {**said(2), "timestamp_ms": 1e999},
        {**said(2), "content": ["x"]},
        {**said(2), "sender_name": {"name": "Ann"}},
        {**said(2), "share": "x"},
        {**said(2), "reactions": 7},
        {**said(2), "photos": [7]},
    ]
    raw = thread(said(1, "a"), said(9, "z"))
    raw["messages"][1:1] = wrong
    text = json.dumps(raw).replace("Infinity", "1e999")
    found = found_in(MemoryFile(text.encode(), "message_1.json"))
    assert found.texts == ["a", "z"]
    lines = [warning.line for warning in found.warnings if "skipped" in warning.reason]
    assert lines == list(range(len(wrong) + 1, 1, -1))


def test_a_time_in_quotes_is_understood() -> None:
    plain, quoted = one(said(0)), one({**said(0), "timestamp_ms": str(NOON)})
    assert plain == quoted


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    raw = json.dumps(thread(said(1, "a"), said(2, "b", x=7), said(3, "c")))
    found = found_in(MemoryFile(raw.replace('"x": 7', f'"x": {nest}').encode(), "m.json"))
    assert set(found.texts) - {"b"} == {"a", "c"}
    json.dumps([m.extra for m in found.messages])


def test_nul_and_half_characters_never_reach_a_message() -> None:
    found = found_in(json_file(thread(said(1, "a\0b"), said(2, "c"), said(3, "d"))))
    assert found.texts == ["ab", "c", "d"]
    raw = json.dumps(thread(said(1, "x"))).replace('"x"', '"a\\ud800b"')
    half = found_in(MemoryFile(raw.encode(), "m.json"))
    assert half.texts == ["a\ufffdb"]
    assert [sum(word in r for word in ("NUL", "half")) for r in found.reasons + half.reasons] == [
        1,
        1,
    ]


def test_a_huge_message_is_left_out_and_told_of() -> None:
    raw = thread(said(1, "a"), said(2, "x" * (MESSAGE_LIMIT * 2 + 10)), said(3, "c"))
    found = found_in(json_file(raw, "m.json"))
    assert found.texts == ["c", "a"]
    assert any("left out" in reason for reason in found.reasons)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_understood(encoding: str) -> None:
    raw = json.dumps(thread(said(1, "Grüße 👋")), ensure_ascii=False)
    assert found_in(MemoryFile(raw.encode(encoding), "m.json")).texts == ["Grüße 👋"]


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"uri": 1}, [{"uri": "a/b"}], [7]]
KEYS = [
    *("sender_name", "timestamp_ms", "content", "type", "photos", "videos", "audio_files", "files"),
    *("gifs", "sticker", "share", "reactions", "call_duration", "missed", "is_unsent", "users"),
    *("bumped_message_metadata", "ip", "is_geoblocked_for_viewer", "something_new"),
]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said(0)]
    for _ in range(60):
        raw = said(chance.randrange(1000), type=chance.choice(["Subscribe", "Call", "Generic"]))
        for key in chance.sample(KEYS, 4):
            raw[key] = chance.choice(JUNK)
        messages.append(raw)
    header = {key: chance.choice(JUNK) for key in ("title", "participants", "thread_path")}
    found = found_in(json_file(thread(*messages, **header)))
    assert found.messages
    assert len(found.messages) + len(found.warnings) == len(messages)
    json.dumps([m.extra for m in found.messages])
    for message in found.messages:
        assert isinstance(message.text, str)
        assert message.author is not None
        assert all(isinstance(a.name, str) for a in message.attachments)
        assert all(isinstance(r.value, str) for r in message.reactions)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    broken = damaged(json.dumps(thread(*(said(n) for n in range(50)))).encode(), chance)
    for reader in (MessengerReader(), InstagramReader()):
        with suppress(UnreadableExportError):
            read(MemoryFile(broken, "m.json"), reader=GuardedReader(reader))


# What is written is read back

Said = tuple[int, str, str]  # milliseconds, name, text

names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
spoken = st.lists(
    st.tuples(st.integers(1_300_000_000_000, 1_900_000_000_000), names, texts),
    min_size=1,
    max_size=8,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def written(rows: Sequence[Said]) -> bytes:
    messages = [said(at - NOON, text, name) for at, name, text in rows]
    return json.dumps(thread(*messages), indent=1).encode()


def written_encrypted(rows: Sequence[Said]) -> bytes:
    messages = [whispered(at - NOON, text, name) for at, name, text in rows]
    return json.dumps(encrypted(*messages), ensure_ascii=False).encode()


def rows_of(found: Read) -> list[Said]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    millisecond = timedelta(milliseconds=1)
    return [
        ((m.sent_at - epoch) // millisecond, m.author.name if m.author else "", m.text)
        for m in found.messages
    ]


@settings(max_examples=60, deadline=None)
@given(rows=spoken)
def test_what_is_written_is_read_back(rows: list[Said]) -> None:
    found = found_in(MemoryFile(written(rows), "message_1.json"))
    assert rows_of(found) == rows
    assert len({m.key for m in found.messages}) == len(rows)
    assert found.warnings == []


@settings(max_examples=60, deadline=None)
@given(rows=spoken)
def test_encrypted_chats_are_read_back(rows: list[Said]) -> None:
    """Their messages may come in either order; of one moment alone nobody could tell which."""
    rows = list({row[0]: row for row in rows}.values())
    found = found_in(MemoryFile(written_encrypted(rows), "Ann_1.json"))
    assert rows_of(found) == rows
    assert found.warnings == []


@settings(max_examples=60, deadline=None)
@given(rows=spoken, data=st.data())
def test_the_beginning_of_a_file_gives_its_newest_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = written(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = found_in(MemoryFile(cut, "message_1.json"))
    except UnreadableExportError:
        assert cut.count(b'"content"') <= 1
        return
    got = rows_of(found)
    assert got
    assert got == rows[len(rows) - len(got) :]
    assert [warning.is_fatal for warning in found.warnings] == [True]


def test_reading_twice_gives_the_same() -> None:
    file = json_file(thread(said(1), said(1), said(2, photos=[{"uri": "a/1.jpg"}])))
    assert found_in(file).messages == found_in(file).messages
