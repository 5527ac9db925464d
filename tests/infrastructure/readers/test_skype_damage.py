"""Broken, hostile and very large exports of Skype, and what is read back."""

from __future__ import annotations

import html
import json
import random
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from infrastructure.readers.registry import Readers
from infrastructure.readers.skype.reader import SkypeReader
from tests.infrastructure.readers.skype_exports import (
    NOON,
    account,
    chat,
    found_in,
    group,
    key,
    said,
)
from tests.infrastructure.readers.support import MemoryFile, Read, damaged, text_file

# Broken and hostile files


def test_of_a_broken_file_what_comes_before_is_read() -> None:
    raw = json.dumps(account(chat(said(0, "x"), id="8:x"), chat(*(said(n) for n in range(100)))))
    at = raw.index(f'"id": "{key(40)}"')
    found = found_in(MemoryFile((raw[:at] + "!!" + raw[at:]).encode(), "messages.json"))
    assert [m.key for m in found.messages] == [key(0), *(key(n) for n in range(41, 100))]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(60, True)]


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, None, [], "x", {}),
        said(2, originalarrivaltime="x"),
        said(2, originalarrivaltime=7),
        said(2, originalarrivaltime="0001-01-01T00:00:00Z"),
        said(2, originalarrivaltime=None, id="x"),
        said(2, ["x"]),
        said(2, messagetype=[]),
        said(2, properties=[7]),
        said(2, properties={"emotions": [7]}),
        said(2, properties={"edittime": 10**18}),
        said(2, id={"a": 1}),
        said(2, id=True),
        said(2, **{"from": 7}),
    ]
    found = group(said(1, "a"), *wrong, said(9, "z"))
    assert found.texts == ["a", "z"]
    lines = [warning.line for warning in found.warnings if "skipped" in warning.reason]
    assert lines == list(range(len(wrong) + 1, 1, -1))
    assert len(found.warnings) == len(wrong)


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    raw = json.dumps(account(chat(said(1, "a"), said(2, "b", x=7), said(3, "c"))))
    found = found_in(MemoryFile(raw.replace('"x": 7', f'"x": {nest}').encode(), "messages.json"))
    assert set(found.texts) - {"b"} == {"a", "c"}
    json.dumps([m.extra for m in found.messages])


def test_nul_half_characters_and_endless_numbers_never_reach_a_message() -> None:
    raw = json.dumps(account(chat(said(1, "a\0b"), said(2, "@@"), said(3, x=1), said(4))))
    raw = raw.replace("@@", "c\\ud800d").replace('"x": 1', '"x": 1e999')
    found = found_in(MemoryFile(raw.encode(), "messages.json"))
    assert found.texts == ["ab", "c\ufffdd", "hi", "hi"]
    assert sum(word in r for word in ("NUL", "half") for r in found.reasons) == 2


def test_a_huge_message_is_left_out_and_told_of() -> None:
    found = group(said(1, "a"), said(2, "x" * (MESSAGE_LIMIT + 10)), said(3, "c"))
    assert set(found.texts) == {"a", "c"}
    assert any("left out" in reason for reason in found.reasons)


def test_a_conversation_too_large_to_be_turned_round_stays_as_it_is() -> None:
    messages = [said(n, f"{n} " + "x" * 4000) for n in range(2600)]
    found = group(*messages)
    assert len(found.messages) == 2600
    assert found.messages[0].key == key(2599)
    assert [(w.line, "newest first" in w.reason) for w in found.warnings] == [(None, True)]
    assert group(*messages[::-1]).warnings == []


def test_a_break_in_a_large_conversation_doubles_nothing() -> None:
    raw = json.dumps(account(chat(*(said(n, "x" * 4000) for n in range(2600)))))
    at = raw.index(f'"id": "{key(10)}"')
    found = found_in(MemoryFile(raw[:at].encode(), "messages.json"))
    assert [m.key for m in found.messages] == [key(n) for n in range(2599, 10, -1)]
    assert [w.line for w in found.warnings if w.is_fatal] == [2590]


def test_long_conversations_need_little_memory() -> None:
    row = json.dumps(said(0, "x" * 600))
    many = ", ".join([row] * 60_000)
    head = json.dumps(account(chat(MessageList=[]))).removesuffix("]}]}")
    file = MemoryFile(f"{head}{many}]}}]}}".encode(), "messages.json")
    assert file.size > 40 * MEBIBYTE
    tracemalloc.start()
    try:
        with Readers().open(file) as export:
            items = SkypeReader().read(export, ReadOptions(), ReadFacts())
            count = sum(1 for _ in items)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 60_002
    assert peak < 32 * MEBIBYTE


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"id": 1}, [{"key": 1}], [7]]
KEYS = [
    *("id", "displayName", "originalarrivaltime", "messagetype", "version", "content", "from"),
    *("properties", "amsreferences", "conversationid", "skypeemoteoffset", "something_new"),
]
TYPES = [
    *("RichText", "RichText/Html", "RichText/UriObject", "RichText/Contacts", "RichText/Location"),
    *("Event/Call", "ThreadActivity/AddMember", "ThreadActivity/MemberJoined", "Notice", "Text"),
]
CONTENTS = [
    *("<URIObject", "<partlist><part>", '{"members": [7, {"id": 3}]}', "<addmember><target>"),
    *('<quote messageid="', "<location latitude='x'>", "<Swift b64='!'>", "[[[", "<c s='a'>"),
]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said(0)]
    for _ in range(60):
        raw = said(chance.randrange(1000), chance.choice(CONTENTS))
        raw["messagetype"] = chance.choice(TYPES)
        names = ("edittime", "emotions", "qtdMsgs", "files", "deletetime")
        raw["properties"] = {name: chance.choice(JUNK) for name in chance.sample(names, 2)}
        for name in chance.sample(KEYS, 2):
            raw[name] = chance.choice(JUNK)
        messages.append(raw)
    header = {name: chance.choice(JUNK) for name in ("displayName", "threadProperties", "id")}
    found = group(*messages, **header)
    assert found.messages
    skipped = [reason for reason in found.reasons if "skipped" in reason]
    assert len(found.messages) + len(skipped) == len(messages)
    json.dumps([m.extra for m in found.messages])
    for message in found.messages:
        assert isinstance(message.text, str)
        assert isinstance(message.key, str)
        assert all(isinstance(a.name, str) for a in message.attachments)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    broken = damaged(json.dumps(account(chat(*(said(n) for n in range(50))))).encode(), chance)
    with suppress(UnreadableExportError):
        found_in(MemoryFile(broken, "messages.json"))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"conversations": 7}', "hello", "null"])
def test_what_holds_no_messages_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        found_in(text_file(text or " ", "messages.json"))


# What is written is read back

Said = tuple[int, str, str]  # seconds after noon, name, text

names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)
spoken = st.lists(
    st.tuples(st.integers(0, 10**7), names, texts), min_size=1, max_size=8, unique_by=lambda r: r[0]
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def written(rows: Sequence[Said], *, is_newest_first: bool) -> bytes:
    messages = [
        said(at, html.escape(text), displayName=name, **{"from": f"8:{name}"})
        for at, name, text in rows
    ]
    raw = account(chat(MessageList=messages[::-1] if is_newest_first else messages))
    return json.dumps(raw, indent=1, ensure_ascii=False).encode()


def rows_of(found: Read) -> list[Said]:
    return [
        ((m.sent_at - NOON) // timedelta(seconds=1), m.author.name if m.author else "", m.text)
        for m in found.messages
    ]


@settings(max_examples=60, deadline=None)
@given(rows=spoken, is_newest_first=st.booleans())
def test_what_is_written_is_read_back(rows: list[Said], is_newest_first: bool) -> None:
    file = MemoryFile(written(rows, is_newest_first=is_newest_first), "messages.json")
    found = found_in(file)
    assert rows_of(found) == rows
    assert found.warnings == []
    assert found_in(file).messages == found.messages


@settings(max_examples=80, deadline=None)
@given(rows=spoken, is_newest_first=st.booleans(), data=st.data())
def test_the_beginning_of_a_file_gives_what_lies_there_and_one_warning(
    rows: list[Said], is_newest_first: bool, data: st.DataObject
) -> None:
    raw = written(rows, is_newest_first=is_newest_first)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = found_in(MemoryFile(cut, "messages.json"))
    except UnreadableExportError:
        assert cut.count(b'"amsreferences"') <= 1
        return
    got = rows_of(found)
    assert got
    assert got == (rows[len(rows) - len(got) :] if is_newest_first else rows[: len(got)])
    assert [warning.is_fatal for warning in found.warnings] == [True]
