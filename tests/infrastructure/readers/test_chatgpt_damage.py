"""Broken and hostile exports of ChatGPT."""

from __future__ import annotations

import json
import random
import tracemalloc
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from application.ports.chat_reader import (
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from infrastructure.readers.ai_conversations import documents
from infrastructure.readers.chatgpt.reader import ChatGptReader
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.chatgpt_exports import (
    NOON,
    content,
    conversation,
    found_in,
    line_of,
    node,
    one,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    damaged,
    json_file,
)


def test_a_conversation_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [7, None, [], "x", {}, {"mapping": 7}, {"mapping": None, "title": "t"}]
    found = found_in(json_file([line_of(said(1)), *wrong, line_of(said(9), id="c9")]))
    assert [m.key for m in found.messages] == ["n1", "n9"]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, [], "x", {}),
        said(2, author="Ann"),
        said(2, author={"role": ["user"]}),
        said(2, author={"role": ""}),
        said(2, content=None),
        said(2, content={"content_type": ["text"]}),
        said(2, content={"content_type": "text", "parts": 7}),
        said(2, metadata=7),
        said(2, metadata={"attachments": [7]}),
        content("thoughts", thoughts=7),
        content("code", text=["x"]),
    ]
    messages = [said(1), *wrong, said(99)]
    mapping = {f"n{n}": node(f"n{n}", f"n{n - 1}", one) for n, one in enumerate(messages)}
    mapping |= {"x": 7, "y": None}  # type: ignore[dict-item]
    found = found_in(json_file([conversation(mapping, f"n{len(messages) - 1}")]))
    assert [(m.key, m.reply_to) for m in found.messages] == [("n0", None), ("n15", "n0")]
    assert len(found.warnings) == len(wrong) + 2
    assert {w.line for w in found.warnings} == {1}


def test_everything_before_a_break_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps([line_of(*(said(n) for n in range(20)), id=f"c{k}") for k in range(30)])
    where = raw.index('"content"', raw.index('"n7": {', raw.index('"id": "c19"')))
    file = MemoryFile((raw[:where] + "!!" + raw[where:]).encode(), "conversations.json")
    found = found_in(file)
    whole = [f"n{n}" for n in range(20)]
    assert [m.key for m in found.messages] == [*(whole * 20), *whole[:7]]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(21, True)]


def test_a_single_conversation_that_breaks_off_gives_its_beginning() -> None:
    raw = json.dumps(line_of(*(said(n) for n in range(20))))
    found = found_in(MemoryFile(raw[: raw.index('"n9": {') + 50].encode(), "c.json"))
    assert [m.key for m in found.messages] == [f"n{n}" for n in range(9)]
    assert found.conversations == [("Rome", "Rome", "ai")]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(None, True)]


def test_a_number_that_a_break_cuts_dates_nothing() -> None:
    raw = {"mapping": line_of(said(1, create_time=None), said(2))["mapping"]}
    text = json.dumps([{**raw, "create_time": 1741089600.5}])
    cut = text[: text.index("1741089600") + 7]
    found = found_in(MemoryFile(cut.encode(), "conversations.json"))
    assert [m.sent_at for m in found.messages] == [NOON + timedelta(seconds=2)] * 2


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"conversations": []}', "", "[[", "\0"])
def test_a_file_without_conversations_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        found_in(MemoryFile(text.encode(), "conversations.json"))


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    raw = json.dumps(
        [
            line_of(said(1)),
            line_of(said(1), said(2, x=7), said(3), id="c2"),
            line_of(said(1), id="c3"),
        ]
    )
    nest = "[" * depth + "]" * depth
    found = found_in(MemoryFile(raw.replace('"x": 7', f'"x": {nest}').encode(), "m.json"))
    keys = [(m.conversation, m.key) for m in found.messages if m.key != "n2"]
    assert keys == [("c1", "n1"), ("c2", "n1"), ("c2", "n3"), ("c3", "n1")]
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
    raw = json.dumps(line_of(said(1), said(2, x=7))).replace('"x": 7', f'"x": {value}')
    found = found_in(MemoryFile(raw.encode(), "conversations.json"))
    assert [m.key for m in found.messages] == ["n1", "n2"]
    assert found.warnings == []
    json.dumps([m.extra for m in found.messages])


@pytest.mark.parametrize("depth", [5, 500, 990])
def test_the_name_of_a_file_that_is_no_text_is_not_used(depth: int) -> None:
    name = "[" * depth + "]" * depth
    raw = json.dumps([line_of(said(1, metadata={"attachments": [{"name": "x"}]}))]).replace(
        '"x"', name
    )
    (message,) = found_in(MemoryFile(raw.encode(), "conversations.json")).messages
    assert [attachment.name for attachment in message.attachments] == ["file"]


def test_a_message_that_is_too_long_costs_only_itself() -> None:
    long = line_of(said(1), said(2, "x" * MESSAGE_LIMIT), said(3), id="c2")
    found = found_in(json_file([line_of(said(1)), long, line_of(said(1), id="c3")]))
    assert [(m.conversation, m.key, m.reply_to) for m in found.messages] == [
        ("c1", "n1", None),
        ("c2", "n1", None),
        ("c2", "n3", None),
        ("c3", "n1", None),
    ]
    assert [w.line for w in found.warnings] == [2]


def test_a_conversation_that_is_broken_inside_is_read_up_to_there_and_the_next_ones_whole() -> None:
    long = line_of(
        said(1, "x" * (MESSAGE_LIMIT // 2)), said(2, "y" * (MESSAGE_LIMIT // 2)), said(3)
    )
    raw = json.dumps([long, line_of(said(1), id="c3")])
    where = raw.index('"n3": {')
    found = found_in(MemoryFile((raw[:where] + "!!" + raw[where:]).encode(), "c.json"))
    assert [m.key for m in found.messages] == ["n1", "n2", "n1"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(1, False)]


def test_nul_half_characters_and_endless_numbers_are_survived_and_told_of() -> None:
    raw = json.dumps([line_of(said(1, "a\0b"), said(2, "c\ud800d"), said(3, big=7))])
    raw = raw.replace('"big": 7', '"big": 1e999, "huge": 1' + "0" * 400)
    found = found_in(MemoryFile(raw.encode(), "c.json"))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert len(found.warnings) == 3
    json.dumps([m.extra for m in found.messages], allow_nan=False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_unicode_encodings_are_understood(encoding: str) -> None:
    first = [said(n, "字" * 1000) for n in range(20)]
    long = line_of(said(1, "字" * MESSAGE_LIMIT), said(2, "Grüße 👋"), id="c2")
    text = json.dumps([line_of(*first), long], ensure_ascii=False)
    found = found_in(MemoryFile(text.encode(encoding), "c.json"))
    assert found.texts == [*["字" * 1000] * 20, "Grüße 👋"]
    assert [w.line for w in found.warnings] == [2]


def test_paths_in_names_of_files_open_nothing() -> None:
    upload = {"id": "a", "name": "../../etc/passwd"}
    (attachment,) = one(said(1, metadata={"attachments": [upload]})).attachments
    assert attachment.name == "../../etc/passwd"


JUNK: list[Any] = [
    *(None, True, -1, 1e300, "", "x", [], [[]], {}, {"url": 1}, [7], [{"id": 1}], ["n1"]),
    *([{"asset_pointer": [], "content_type": []}], {"content_type": "text", "parts": [[]]}),
]
KEYS = [
    *("id", "author", "create_time", "update_time", "content", "status", "weight", "metadata"),
    *("recipient", "channel", "end_turn", "something_new"),
]
METADATA = [
    *("attachments", "citations", "content_references", "model_slug", "finish_details"),
    *("is_visually_hidden_from_conversation", "user_context_message_data"),
]
CONTENT = ["parts", "text", "thoughts", "result", "summary", "title", "url", "content", "language"]
TYPES = [
    *("text", "multimodal_text", "code", "execution_output", "thoughts", "reasoning_recap"),
    *("tether_quote", "tether_browsing_display", "sonic_webpage", "system_error", "hologram"),
    "user_editable_context",
]


@pytest.mark.parametrize("seed", range(40))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    mapping: dict[str, Any] = {"n0": node("n0", None, said(0))}
    for number in range(1, 80):
        raw = said(number)
        fields = {key: chance.choice(JUNK) for key in chance.sample(CONTENT, 3)}
        raw["content"] = {"content_type": chance.choice(TYPES), **fields}
        raw["metadata"] = {key: chance.choice(JUNK) for key in chance.sample(METADATA, 2)}
        for key in chance.sample(KEYS, chance.randrange(3)):
            raw[key] = chance.choice(JUNK)
        one = node(f"n{number}", f"n{chance.randrange(90)}", raw, f"n{chance.randrange(90)}")
        if chance.random() < 0.2:
            one[chance.choice(["parent", "children", "id"])] = chance.choice(JUNK)
        mapping[f"n{number}"] = one
    found = found_in(json_file([conversation(mapping, chance.choice(["n5", *JUNK]))]))
    circles = sum("circle" in reason for reason in found.reasons)
    nothing = sum(one["message"] is None for one in mapping.values())
    assert len(found.messages) + len(found.warnings) - circles + nothing == len(mapping)
    json.dumps([m.extra for m in found.messages])
    keys = {m.key for m in found.messages}
    assert len(keys) == len(found.messages)
    for message in found.messages:
        assert isinstance(message.text, str)
        assert message.author is not None
        assert all(isinstance(part, str) for part in message.author)
        assert message.reply_to is None or message.reply_to in keys
        assert all(isinstance(a.name, str) for a in message.attachments)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    raws = [line_of(*(said(n) for n in range(10)), id=f"c{k}") for k in range(8)]
    for document in (raws, raws[0], {"conversations": raws}):
        broken = damaged(json.dumps(document).encode(), chance)
        with suppress(UnreadableExportError):
            found_in(MemoryFile(broken, "conversations.json"))


def test_many_conversations_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    row = json.dumps(line_of(*(said(n, "x" * 2000) for n in range(50)))).encode()
    with path.open("wb") as target:
        target.write(b"[" + row)
        for _ in range(400):
            target.write(b", " + row)
        target.write(b"]")
    assert path.stat().st_size > 40 * MEBIBYTE
    tracemalloc.start()
    try:
        with Readers().open(LocalFile(path)) as export:
            count = sum(1 for _ in ChatGptReader().read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 401 * 51
    assert peak < 32 * MEBIBYTE
