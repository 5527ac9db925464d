"""Broken, hostile and very large exports of Microsoft Teams, and what is read back."""

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
from infrastructure.readers.teams.once import Once, identity, is_of_share, shares_of
from infrastructure.readers.teams.reader import TeamsReader
from tests.infrastructure.readers.support import MemoryFile, Read, damaged, json_file, text_file
from tests.infrastructure.readers.teams_exports import (
    ANN,
    BOB,
    CY,
    DIRECT,
    NOON,
    administrators,
    found_in,
    graph,
    happened,
    key,
    messages_of,
    posted,
    posts_of,
    read_list,
    said,
    user,
)

# Each message once, whatever the number


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(1, 5000), max_size=3000))
def test_a_set_of_identities_is_a_set(numbers: list[int]) -> None:
    once, seen = Once(), set[int]()
    for number in numbers:
        known = number * 0x1_0001_0000_0001 % 2**64
        assert once.add(known) == (known not in seen)
        seen.add(known)
    assert not once.has_forgotten


def test_a_full_set_forgets_and_says_so() -> None:
    once = Once(limit=100)
    assert all(once.add(identity(str(n))) for n in range(150))
    assert once.has_forgotten
    assert once.add(identity("0"))
    assert not once.add(identity("149"))


def test_identities_are_the_same_everywhere() -> None:
    assert identity("19:x", "1") == identity("19:x", "1") != identity("19:x1", "")
    assert identity("a", "b") == 18429100309458631331
    numbers = [identity("c", str(n)) for n in range(3000)]
    shares = [[n for n in numbers if is_of_share(n, share, 3)] for share in range(3)]
    assert sum(map(len, shares)) == 3000
    assert min(map(len, shares)) > 900


def test_more_messages_than_can_be_remembered_are_still_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limits are those of a very large organisation, made small."""
    talk = [said(n, f"<p>{n}</p>", (ANN, BOB)[n % 2], DIRECT) for n in range(300)]
    bad = said(1, chat=DIRECT, CreatedDateTime="never", Id="x")
    members = {messages_of(ANN): [*talk, bad], messages_of(BOB): talk, messages_of(CY): talk[::2]}
    file = administrators(members)
    expected = found_in(file)
    assert len(expected.messages) == 300
    with Readers().open(file) as export:
        parts = [one for one in export.files if "/messages_" in one.name]
        assert shares_of(parts) == 1
        assert shares_of(parts, 100) == (300 + 1 + 300 + 150) // 100 + 1

    monkeypatch.setattr(
        "infrastructure.readers.teams.reader.shares_of", lambda files: shares_of(files, 100)
    )
    found = found_in(file)
    assert sorted(m.key for m in found.messages) == sorted(m.key for m in expected.messages)
    assert found.conversations == expected.conversations
    assert found.warnings == expected.warnings
    assert len(found.warnings) == 1


# Broken and hostile files


def test_everything_before_a_break_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps([said(n) for n in range(100)])
    at = raw.index(f'"Id": "{key(60)}"')
    found = found_in(MemoryFile((raw[:at] + "!!" + raw[at:]).encode(), "messages.json"))
    assert [m.key for m in found.messages] == [key(n) for n in range(60)]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(61, True)]


def test_a_broken_line_costs_only_itself() -> None:
    lines = [json.dumps(graph(said(n))) for n in range(4)]
    lines[2] = lines[2][:-20]
    found = found_in(text_file("\n".join(lines), "chat.jsonl"))
    assert [m.key for m in found.messages] == [key(0), key(1), key(3)]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(3, False)]


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(17, None, [], "x", {}, {"body": 7}, {"id": "1", "unknown": 2}),
        said(1, CreatedDateTime="x"),
        said(2, CreatedDateTime=7),
        said(3, CreatedDateTime="0001-01-01T00:00:00Z"),
        said(4, CreatedDateTime=None, Id="x"),
        said(5, CreatedDateTime=None, Id=str(10**30)),
        said(6, Body="x"),
        said(7, Body={"ContentType": "html", "Content": ["x"]}),
        said(8, ChatId=7),
        said(9, chat=None, ChannelIdentity=7),
        said(10, chat=None, ChannelIdentity={"TeamId": "x"}),
        said(11, Id={"a": 1}),
        said(12, Id=True),
        said(13, From=7),
        said(14, From={"User": [7]}),
        said(15, Reactions=[7]),
        said(16, Attachments="x"),
        said(17, '<at id="0">x</at>', Mentions=[7]),
        said(18, MessageHistory=7),
        said(19, EventDetail=7),
        happened(20, MembersAdded={"Members": [7]}),
    ]
    found = read_list(said(0, "<p>a</p>"), *wrong, said(99, "<p>z</p>"))
    assert found.texts == ["a", "z"]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
def test_deep_nesting_costs_at_most_its_message(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    raw = json.dumps([said(1, "a"), said(2, "b", Attachments=7, EventDetail=8), said(3, "c")])
    for value in ('"Attachments": 7', '"EventDetail": 8'):
        hostile = raw.replace(value, value[:-1] + nest)
        found = found_in(MemoryFile(hostile.encode(), "messages.json"))
        assert found.texts == ["a", "c"]
        json.dumps([m.extra for m in found.messages])


def test_nul_half_characters_and_endless_numbers_never_reach_a_message() -> None:
    raw = json.dumps([said(1, "a\0b"), said(2, "@@"), said(3, X=1), said(4)])
    raw = raw.replace("@@", "c\\ud800d").replace('"X": 1', '"X": 1e999')
    found = found_in(MemoryFile(raw.encode(), "messages.json"))
    assert found.texts == ["ab", "c\ufffdd", "hi", "hi"]
    assert sum(word in r for word in ("NUL", "half") for r in found.reasons) == 2


def test_a_huge_message_is_left_out_and_told_of() -> None:
    found = read_list(said(1, "a"), said(2, "x" * (MESSAGE_LIMIT + 10)), said(3, "c"))
    assert set(found.texts) == {"a", "c"}
    assert any("left out" in reason for reason in found.reasons)


def test_a_file_too_large_to_be_turned_round_stays_as_it_is() -> None:
    messages = [said(n, f"{n} " + "x" * 4000) for n in range(2200)]
    found = read_list(*messages[::-1])
    assert [m.key for m in found.messages] == [key(n) for n in range(2199, -1, -1)]
    assert [(w.line, "newest first" in w.reason) for w in found.warnings] == [(None, True)]
    found = read_list(*messages)
    assert [m.key for m in found.messages] == [key(n) for n in range(2200)]
    assert found.warnings == []


@pytest.mark.parametrize("is_lines", [True, pytest.param(False, marks=pytest.mark.long)])
def test_long_exports_need_little_memory(is_lines: bool) -> None:
    row = json.dumps(said(0, "x" * 400)).replace(key(0), "@@@")
    rows = (row.replace("@@@", str(1754395200000 + n)) for n in range(35_000))
    data = "\n".join(rows) if is_lines else f"[{', '.join(rows)}]"
    file = MemoryFile(data.encode(), "messages.json")
    assert file.size > 35 * MEBIBYTE
    tracemalloc.start()
    try:
        with Readers().open(file) as export:
            count = sum(1 for _ in TeamsReader().read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 35_001
    assert peak < 40 * MEBIBYTE


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"Id": 1}, [{"Id": "1"}], [7]]
CONTENTS = ["<p>x", "<at id=0>", "<attachment id=", "<a href='", "", "<img alt='", "&#0;<li>"]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    keys = [*said(0).keys(), "Replies", "HostedContents", "SomethingNew"]
    messages = [said(0)]
    for number in range(1, 60):
        raw = chance.choice((said, posted))(number, chance.choice(CONTENTS))
        if chance.random() < 0.3:
            raw = happened(number, MembersAdded=chance.choice(JUNK))
        for name in chance.sample(keys, 3):
            raw[name] = chance.choice(JUNK)
        messages.append(chance.choice((raw, graph(raw))))
    found = read_list(*messages)
    assert found.messages
    json.dumps([m.extra for m in found.messages])
    for message in found.messages:
        assert isinstance(message.text, str)
        assert isinstance(message.key, str)
        assert all(isinstance(a.name, str) for a in message.attachments)
        assert all(isinstance(r.value, str) for r in message.reactions)


@pytest.mark.parametrize("seed", range(20))
def test_lists_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    names = ("teams/teamsList.json", "users/usersList.json", "teams/x/channels_x.json")
    entries = [{"GroupsId": 1}, {"Id": [], "DisplayName": {}}, {"Subject": "a", "OnlineMeeting": 7}]
    entries += [{"Id": "x", "DisplayName": 7}, {"OnlineMeeting": {"JoinUrl": []}, "Subject": " "}]
    members: dict[str, Any] = {
        name: chance.sample([*JUNK, *entries], 6) for name in (*names, "users/a/meetings_a.json")
    }
    members["chats.json"] = [{"id": "19:x", "members": 7}, {"id": "19:y", "members": [7]}]
    found = found_in(administrators(members | {posts_of(): [posted(0)]}))
    assert len(found.messages) == 1


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said(n) for n in range(50)]
    archive = administrators({messages_of(ANN): messages, messages_of(BOB): messages}).data
    lines = "\n".join(json.dumps(graph(raw)) for raw in messages).encode()
    for data in (json.dumps(messages).encode(), archive, lines):
        broken = damaged(data, chance)
        with suppress(UnreadableExportError):
            found_in(MemoryFile(broken, "messages.json"))


@pytest.mark.parametrize("text", [" ", "{", "[]", "{}", '{"value": 7}', "hello", "null", "[7]"])
def test_what_holds_no_messages_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        found_in(text_file(text, "messages.json"))


# What is written is read back

Said = tuple[int, str, str]  # seconds after noon, name, text

names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)
spoken = st.lists(
    st.tuples(st.integers(0, 10**7), names, texts), min_size=1, max_size=8, unique_by=lambda r: r[0]
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def messages(rows: Sequence[Said]) -> list[dict[str, Any]]:
    return [
        said(at, From=user(name, name), Body={"ContentType": "text", "Content": text})
        for at, name, text in rows
    ]


def rows_of(found: Read) -> list[Said]:
    return [
        ((m.sent_at - NOON) // timedelta(seconds=1), m.author.name if m.author else "", m.text)
        for m in found.messages
    ]


@settings(max_examples=60, deadline=None)
@given(rows=spoken, is_newest_first=st.booleans(), is_graph=st.booleans())
def test_what_is_written_is_read_back(
    rows: list[Said], is_newest_first: bool, is_graph: bool
) -> None:
    listed = messages(rows)[::-1] if is_newest_first else messages(rows)
    file = json_file({"value": graph(listed)} if is_graph else listed, "messages.json")
    found = found_in(file)
    assert rows_of(found) == rows
    assert found.warnings == []
    assert found_in(file).messages == found.messages


words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
lines = st.lists(st.lists(words, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(lines=lines)
def test_html_is_read_back(lines: list[str]) -> None:
    content = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)
    assert read_list(said(0, content)).texts == ["\n".join(lines)]


@settings(max_examples=80, deadline=None)
@given(rows=spoken, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_one_warning(
    rows: list[Said], data: st.DataObject
) -> None:
    raw = json.dumps(messages(rows), indent=1).encode()
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = found_in(MemoryFile(cut, "messages.json"))
    except UnreadableExportError:
        assert cut.count(b'"EventDetail"') <= 1
        return
    got = rows_of(found)
    assert got == rows[: len(got)]
    assert got
    assert [warning.is_fatal for warning in found.warnings] == [True]
