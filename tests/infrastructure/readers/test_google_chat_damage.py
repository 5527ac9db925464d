"""Recognising Google Chat, broken files, and what is read back."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
    UnreadableExportError,
)
from infrastructure.readers.google_chat.reader import GoogleChatReader
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.google_chat_exports import (
    ANN,
    alone,
    chat,
    found_in,
    in_words,
    said,
    takeout,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    damaged,
    json_file,
    utc_stamp,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# Recognition


def claim_of(source: ExportFile) -> float | None:
    with Readers().open(source) as export:
        claim = GoogleChatReader().recognise(export)
    return None if claim is None else claim.confidence


def test_the_format_is_recognised_by_content() -> None:
    assert claim_of(json_file(chat(said(1)), "anything")) == 0.95
    assert claim_of(takeout({"Groups/DM a/messages.json": chat(said(1))})) == 0.95
    assert claim_of(takeout({"Groups/DM a/messages.json": {"messages": [{"id": 1}]}})) is None
    assert claim_of(json_file({"messages": []}, "messages.json")) is None
    assert claim_of(json_file([said(1)], "messages.json")) is None
    assert claim_of(MemoryFile(b"hello", "messages.json")) is None


def test_no_sample_of_another_format_is_claimed() -> None:
    files = [path for path in SAMPLES.iterdir() if path.suffix in {".zip", ".json"}]
    with suppress(pytest.skip.Exception):
        files += [path for path in data_path().rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        if path.stat().st_size:
            with suppress(UnreadableExportError):
                assert claim_of(MemoryFile(path.read_bytes(), path.name)) is None, path


def test_no_other_reader_claims_these_files_as_surely() -> None:
    for file in (
        json_file(chat(said(1)), "messages.json"),
        takeout({"Groups/DM a/messages.json": chat(said(1))}),
    ):
        readers = Readers()
        with readers.open(file) as export:
            for name in set(readers.formats) - {"google_chat"}:
                claim = readers.by_format(name).recognise(export)
                assert claim is None or claim.confidence < 0.85, name


# Broken and hostile files


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, None, [], "x", {}),
        said(2, created_date="soon"),
        said(2, created_date=7),
        said(2, created_date=None),
        said(2, creator="Ann"),
        said(2, creator={"name": ["Ann"], "email": ["x"]}),
        said(2, text=["x"]),
        said(2, attached_files=7),
        said(2, reactions=[7]),
        said(2, previous_message_versions=[7]),
        said(2, annotations=[7]),
    ]
    found = alone(said(1), *wrong, said(9))
    assert [m.key for m in found.messages] == ["AAAA/t1/t1", "AAAA/t9/t9"]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


def test_everything_before_a_break_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps(chat(*(said(n) for n in range(100))))
    where = raw.index('"AAAA/t60/t60"')
    found = found_in(MemoryFile((raw[:where] + "!!" + raw[where:]).encode(), "messages.json"))
    assert [m.key for m in found.messages] == [f"AAAA/t{n}/t{n}" for n in range(60)]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [("messages.json", 61, True)]


def test_a_broken_file_does_not_cost_the_others() -> None:
    raw = json.dumps(chat(said(1), said(2)))
    file = zip_file({"Groups/DM a/messages.json": raw[:-30], "Groups/DM b/messages.json": raw})
    found = found_in(file)
    assert [m.conversation for m in found.messages] == ["a", "b", "b"]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [
        ("Groups/DM a/messages.json", 2, False)
    ]


def test_a_file_without_messages_is_an_error() -> None:
    for text in ("{}", "[]", '{"messages": 7}', "7"):
        with pytest.raises(UnreadableExportError):
            found_in(MemoryFile(text.encode(), "messages.json"))


def test_an_unknown_time_zone_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="Europe/Atlantis"):
        found_in(json_file(chat(said(1))), ReadOptions(timezone="Europe/Atlantis"))


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    raw = json.dumps(chat(said(1), said(2, x=7), said(3)))
    nest = "[" * depth + "]" * depth
    found = found_in(MemoryFile(raw.replace('"x": 7', f'"x": {nest}').encode(), "m.json"))
    assert {m.key for m in found.messages} >= {"AAAA/t1/t1", "AAAA/t3/t3"}
    json.dumps([m.extra for m in found.messages])


def test_nul_half_characters_and_huge_messages_are_survived_and_told_of() -> None:
    found = alone(said(1, "a\0b"), said(2, "c\ud800d"), said(3, "x" * MESSAGE_LIMIT), said(4))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert len(found.warnings) == 3


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"url": 1}, [{"emoji": "a"}], [7]]
KEYS = [
    *("creator", "created_date", "updated_date", "text", "topic_id", "message_id", "annotations"),
    *("attached_files", "reactions", "previous_message_versions", "quoted_message_metadata"),
    *("message_state", "deleted_date", "something_new"),
]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said(0)]
    for number in range(1, 60):
        raw = said(number)
        for key in chance.sample(KEYS, 4):
            raw[key] = chance.choice(JUNK)
        messages.append(raw)
    found = alone(*messages)
    assert found.messages
    assert len(found.messages) + len(found.warnings) == len(messages)
    json.dumps([m.extra for m in found.messages])
    for message in found.messages:
        assert isinstance(message.text, str)
        assert message.author is None or all(isinstance(part, str) for part in message.author)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    broken = damaged(json.dumps(chat(*(said(n) for n in range(50)))).encode(), chance)
    with suppress(UnreadableExportError):
        found_in(MemoryFile(broken, "messages.json"))


# What is written is read back

Said = tuple[datetime, str, str]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
spoken = st.lists(
    st.tuples(st.datetimes(datetime(2013, 1, 1), datetime(2029, 12, 31)), texts, texts),  # noqa: DTZ001
    min_size=1,
    max_size=6,
).map(lambda rows: [(at.replace(microsecond=0, tzinfo=UTC), f"n{n}", t) for at, n, t in rows])


def written(rows: Sequence[Said]) -> bytes:
    messages = [
        said(n, text, created_date=in_words(moment), creator={**ANN, "name": name})
        for n, (moment, name, text) in enumerate(rows)
    ]
    return json.dumps(chat(*messages), indent=1).encode()


def rows_of(found: Read) -> list[Said]:
    return [(m.sent_at, m.author.name if m.author else "", m.text) for m in found.messages]


@settings(max_examples=60, deadline=None)
@given(rows=spoken)
def test_what_is_written_is_read_back(rows: list[Said]) -> None:
    found = found_in(MemoryFile(written(rows), "messages.json"))
    assert rows_of(found) == rows
    assert found.warnings == []


@settings(max_examples=60, deadline=None)
@given(rows=spoken, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = written(rows)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = found_in(MemoryFile(cut, "messages.json"))
    except UnreadableExportError:
        assert cut.count(b'"creator"') <= 1
        return
    got = rows_of(found)
    assert got
    assert got == rows[: len(got)]
    assert [warning.is_fatal for warning in found.warnings] == [True]


def test_reading_twice_gives_the_same() -> None:
    file = json_file(chat(said(1), said(2, message_id=None), said(2, message_id=None)))
    assert found_in(file).messages == found_in(file).messages
    assert utc_stamp(found_in(file).messages[0]) == "2025-03-04T12:00:01Z"
