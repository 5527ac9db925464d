"""Broken and hostile exports of claude.ai."""

from __future__ import annotations

import json
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from application.ports.chat_reader import (
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from infrastructure.readers.ai_conversations import documents
from infrastructure.readers.claude.reader import ClaudeReader
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.claude_exports import (
    alone,
    conversation,
    found_in,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    damaged,
    json_file,
    zip_file,
)


def test_a_conversation_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [7, None, [], "x", {}, {"chat_messages": 7}, {"chat_messages": {}}]
    found = found_in(json_file([conversation(said(1)), *wrong, conversation(said(9), uuid="c9")]))
    assert [m.key for m in found.messages] == ["m1", "m9"]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, None, [], "x", {}),
        said(2, sender=None),
        said(2, sender=["human"]),
        said(2, sender=" "),
        said(2, created_at="soon"),
        said(2, created_at=[1]),
        said(2, content=7),
        said(2, content=["x"]),
        said(2, content=[{"text": "x"}]),
        said(2, content=[{"type": "text", "text": 7}]),
        said(2, content=[{"type": ["text"]}]),
        said(2, text=["x"]),
        said(2, files=7),
        said(2, attachments=["a.txt"]),
    ]
    found = alone(said(1), *wrong, said(9))
    assert [m.key for m in found.messages] == ["m1", "m9"]
    assert len(found.warnings) == len(wrong)
    assert {w.line for w in found.warnings} == {1}


def test_everything_before_a_break_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps([conversation(*(said(n) for n in range(20)), uuid=f"c{k}") for k in range(30)])
    where = raw.index('"sender"', raw.index('"m7"', raw.index('"uuid": "c19"')))
    file = MemoryFile((raw[:where] + "!!" + raw[where:]).encode(), "conversations.json")
    found = found_in(file)
    whole = [f"m{n}" for n in range(20)]
    assert [m.key for m in found.messages] == [*(whole * 19), *whole[:7]]
    assert found.messages[-1].conversation == "c19"
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(20, True)]


def test_a_broken_file_does_not_cost_the_others() -> None:
    raw = json.dumps([conversation(said(1), said(2))])
    found = found_in(zip_file({"a.json": raw[:-30], "b.json": raw}))
    assert [m.key for m in found.messages] == ["m1", "m1", "m2"]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [("a.json", 1, False)]


def test_an_unknown_time_zone_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="Europe/Atlantis"):
        found_in(json_file([conversation(said(1))]), ReadOptions(timezone="Europe/Atlantis"))


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"conversations": []}', "", "[[", "\0"])
def test_a_file_without_conversations_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        found_in(MemoryFile(text.encode(), "conversations.json"))


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    raws = [
        conversation(said(1)),
        conversation(said(1), said(2, x=7), said(3), uuid="c2"),
        conversation(said(1), uuid="c3"),
    ]
    nest = "[" * depth + "]" * depth
    text = json.dumps(raws).replace('"x": 7', f'"x": {nest}')
    found = found_in(MemoryFile(text.encode(), "c.json"))
    keys = [(m.conversation, m.key) for m in found.messages if m.key != "m2"]
    assert keys == [("c1", "m1"), ("c2", "m1"), ("c2", "m3"), ("c3", "m1")]
    assert not any(w.is_fatal for w in found.warnings)
    assert len(found.messages) + len(found.warnings) == 5
    json.dumps([m.extra for m in found.messages])


@pytest.mark.parametrize(
    "value",
    ["1" + "0" * 30, "1" + "0" * 400, "[" * 300 + "]" * 300, "[" * 1010 + "]" * 1010],
    ids=["thirty digits", "four hundred digits", "300 levels", "1010 levels"],
)
def test_a_conversation_read_message_by_message_survives_values_of_any_size(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_AT_ONCE", 0)
    raw = json.dumps(conversation(said(1), said(2, x=7))).replace('"x": 7', f'"x": {value}')
    found = found_in(MemoryFile(raw.encode(), "conversations.json"))
    assert [m.key for m in found.messages] == ["m1", "m2"]
    assert found.warnings == []
    json.dumps([m.extra for m in found.messages])


@pytest.mark.parametrize("depth", [5, 500, 990])
def test_the_name_of_a_file_that_is_no_text_is_not_used(depth: int) -> None:
    name = "[" * depth + "]" * depth
    raw = json.dumps([conversation(said(1, files=[{"file_name": "x"}]))]).replace('"x"', name)
    (message,) = found_in(MemoryFile(raw.encode(), "conversations.json")).messages
    assert [attachment.name for attachment in message.attachments] == ["file"]


@pytest.mark.parametrize("at_once", [0, MEBIBYTE])
@pytest.mark.parametrize("is_listed", [True, False])
def test_messages_beyond_the_limit_are_left_out_and_told_of(
    at_once: int, is_listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MESSAGES_HELD", 3)
    monkeypatch.setattr(documents, "_AT_ONCE", at_once)
    raw = conversation(*(said(n) for n in range(1, 8)))
    found = found_in(json_file([raw] if is_listed else raw))
    assert [m.key for m in found.messages] == ["m1", "m2", "m3"]
    assert found.reasons[0].endswith("; 4 messages are left out")


def test_a_message_that_is_too_long_costs_only_itself() -> None:
    long = conversation(said(1), said(2, "x" * MESSAGE_LIMIT), said(3), uuid="c2")
    found = found_in(json_file([conversation(said(1)), long, conversation(said(1), uuid="c3")]))
    assert [(m.conversation, m.key) for m in found.messages] == [
        ("c1", "m1"),
        ("c2", "m1"),
        ("c2", "m3"),
        ("c3", "m1"),
    ]
    assert [w.line for w in found.warnings] == [2]


def test_nul_half_characters_and_endless_numbers_are_survived_and_told_of() -> None:
    raw = json.dumps([conversation(said(1, "a\0b"), said(2, "c\ud800d"), said(3, big=7))])
    raw = raw.replace('"big": 7', '"big": 1e999, "huge": 1' + "0" * 400)
    found = found_in(MemoryFile(raw.encode(), "c.json"))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert len(found.warnings) == 3
    json.dumps([m.extra for m in found.messages], allow_nan=False)


JUNK: list[Any] = [
    *(None, True, -1, 1e300, "", "x", [], [[]], {}, {"url": 1}, [7], "m1"),
    *([{"type": "text"}], [{"type": 7}], [{"file_name": []}], [{"type": "text", "text": []}]),
]
KEYS = [
    *("uuid", "text", "content", "sender", "created_at", "updated_at", "attachments", "files"),
    *("files_v2", "parent_message_uuid", "index", "truncated", "stop_reason", "something_new"),
]


@pytest.mark.parametrize("seed", range(40))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said(0)]
    for number in range(1, 60):
        raw = said(number, parent_message_uuid=f"m{chance.randrange(70)}")
        for key in chance.sample(KEYS, 3):
            raw[key] = chance.choice(JUNK)
        messages.append(raw)
    header = {key: chance.choice(JUNK) for key in ("account", "created_at", "name")}
    found = alone(*messages, current_leaf_message_uuid=chance.choice(["m5", *JUNK]), **header)
    circles = sum("circle" in reason for reason in found.reasons)
    assert len(found.messages) + len(found.warnings) - circles == len(messages)
    assert len(found.messages) > 1
    json.dumps([m.extra for m in found.messages])
    assert len({m.key for m in found.messages}) == len(found.messages)
    for message in found.messages:
        assert isinstance(message.text, str)
        assert message.author is not None
        assert all(isinstance(part, str) for part in message.author)
        assert all(isinstance(a.name, str) for a in message.attachments)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    raws = [conversation(*(said(n) for n in range(10)), uuid=f"c{k}") for k in range(8)]
    for document in (raws, raws[0], {"conversations": raws}):
        broken = damaged(json.dumps(document).encode(), chance)
        with suppress(UnreadableExportError):
            found_in(MemoryFile(broken, "conversations.json"))


def test_many_conversations_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    row = json.dumps(conversation(*(said(n, "x" * 1000) for n in range(50)))).encode()
    with path.open("wb") as target:
        target.write(b"[" + row)
        for _ in range(400):
            target.write(b", " + row)
        target.write(b"]")
    assert path.stat().st_size > 40 * MEBIBYTE
    tracemalloc.start()
    try:
        with Readers().open(LocalFile(path)) as export:
            count = sum(1 for _ in ClaudeReader().read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 401 * 51
    assert peak < 32 * MEBIBYTE
