"""Broken, hostile and very large exports of Discord."""

from __future__ import annotations

import json
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports.chat_reader import (
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from domain.message import Reaction
from infrastructure.readers.discord.people import People
from infrastructure.readers.discord.reader import DiscordReader
from infrastructure.readers.discord.snowflakes import SeenIds
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.discord_exports import (
    ANN,
    HEADER,
    PACKAGED,
    READERS,
    ROWS,
    TOP,
    below,
    chat,
    discord,
    row,
    said,
    table,
    text_said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    damaged,
    read,
    text_file,
    zip_file,
)

# Broken files


def test_everything_before_a_break_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps(chat(*(said(n) for n in range(100))), indent=2)
    where = raw.index('"id": "60"')
    found = discord(MemoryFile((raw[:where] + "!!" + raw[where:]).encode(), "general.json"))
    assert [m.key for m in found.messages] == [str(n) for n in range(60)]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [("general.json", 61, True)]


def test_a_broken_file_does_not_cost_the_others() -> None:
    raw = json.dumps(chat(said(1), said(2)))
    other = json.dumps(chat(said(1), said(2), id="5"))
    found = discord(zip_file({"a [987].json": raw[:-400], "b.json": other}))
    assert [m.conversation for m in found.messages] == ["987654321000000000", "5", "5"]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [("a [987].json", 2, True)]


def test_a_file_that_is_named_like_a_channel_and_is_none_is_told_of() -> None:
    good = json.dumps(chat(said(1)))
    files = {"a [987654321000000001].json": "\0" * 99, "b.json": good, "c.json": "{}", "d.png": "x"}
    found = discord(zip_file(files))
    assert found.texts == ["hi"]
    assert [(w.file, w.is_fatal) for w in found.warnings] == [
        ("a [987654321000000001].json", False)
    ]


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(7, None, [], "x", {}),
        said(2, 7),
        said(2, ["x"]),
        said(2, timestamp="soon"),
        said(2, timestamp=None),
        said(2, timestamp="0001-01-01T00:00:00+00:00"),
        said(2, timestamp="9999-12-31T23:59:59-14:00"),
        said(2, timestampEdited="soon"),
        said(2, author="Ann"),
        said(2, author=[ANN]),
        said(2, attachments=[7]),
        said(2, stickers={"x": 1}),
        said(2, reactions=7),
        said(2, reactions=[{"emoji": "a", "users": [7]}]),
        said(2, "", forwardedMessage="x"),
    ]
    found = discord(chat(said(1), *wrong, said(9)))
    assert [m.key for m in found.messages] == ["1", "9"]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "7", '{"messages": 7}', "x", "a,b\nc,d\n", f"{TOP}hi\n", HEADER[:20]]
)
def test_a_file_without_messages_is_an_error_or_an_empty_channel(text: str) -> None:
    try:
        found = discord(text_file(text, "general.json"))
    except UnreadableExportError:
        return
    assert text.startswith("{")
    assert (found.messages, len(found.conversations)) == ([], 1)


def test_an_unknown_time_zone_is_an_error() -> None:
    for reader, file in ((READERS[0], table(row())), (READERS[1], text_file(ROWS))):
        with pytest.raises(UnreadableExportError, match="Europe/Atlantis"):
            read(file, ReadOptions(timezone="Europe/Atlantis"), reader=GuardedReader(reader))


@pytest.mark.parametrize("depth", [200, 900, 1100, 200_000])
@pytest.mark.parametrize("field", ["x", "author", "mentions", "embeds", "reference"])
def test_deep_nesting_costs_at_most_its_message(depth: int, field: str) -> None:
    inside = {**ANN, "roles": "DEEP"} if field == "author" else "DEEP"
    raw = json.dumps(chat(said(1), *(said(n, **{field: inside}) for n in (2, 3)), said(4)))
    nest = "[" * depth + "]" * depth
    found = discord(MemoryFile(raw.replace('"DEEP"', nest).encode(), "x.json"))
    assert {m.key for m in found.messages} >= {"1", "4"}
    json.dumps([m.extra for m in found.messages])


def test_nul_half_characters_and_huge_messages_are_survived_and_told_of() -> None:
    huge = said(3, "x" * MESSAGE_LIMIT)
    found = discord(chat(said(1, "a\0b"), said(2, "c\ud800d"), huge, said(4)))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert len(found.warnings) == 3


def test_numbers_beyond_all_bounds_are_no_crash() -> None:
    raw = json.dumps(chat(said(1), said(2, x="BIG"), said(3)))
    for number in ("1e999", "1" + "0" * 4000, "18446744073709551615", "-9223372036854775809"):
        found = discord(MemoryFile(raw.replace('"BIG"', number).encode(), "x.json"))
        assert [m.key for m in found.messages] == ["1", "2", "3"]
        json.dumps([m.extra for m in found.messages])
    ids = [said("9" * 30), said(2**63), said(2**63 - 1), said("-5"), said("٣"), said("007")]
    found = discord(chat(*ids, *ids))
    assert [m.key for m in found.messages] == [one["id"] for one in ids]


def test_a_text_of_endless_lines_is_cut_off_and_told_of() -> None:
    many = ("x" * 1000 + "\n") * 9000
    found = discord(below(text_said(many), text_said("after")))
    assert len(found.texts[0]) <= MESSAGE_LIMIT + 1
    assert found.texts[1] == "after"
    assert any("lines left out" in reason for reason in found.reasons)


def test_a_quotation_mark_that_is_never_closed_is_fatal() -> None:
    found = discord(table(row("first"), '"1","a","2024-01-15T12:00:00Z","' + "x\n" * 5_000_000))
    assert found.texts == ["first"]
    assert [w.is_fatal for w in found.warnings] == [True]


@pytest.mark.parametrize(
    "unit",
    ["<", "[", "](", "[a](http://", "<@", "[a](http://x(", "<t:1", "</", "[a](<http://b", "<:a"],
)
def test_markup_without_an_end_takes_no_time_to_speak_of(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    assert discord(chat(said(1, text), said(2))).texts == [text, "hi"]


@pytest.mark.parametrize("unit", [" ", "x", "x (1) ", "(1"])
def test_reactions_without_an_end_take_no_time_to_speak_of(unit: str) -> None:
    cell = unit * (400_000 // len(unit))
    (message,) = discord(table(row(Reactions=f"👍 (2),{cell}"))).messages
    assert message.reactions[0] == Reaction("👍", (), 2)
    (message,) = discord(below(text_said(f"hi\n\n{{Reactions}}\n👍 (2) {cell}"))).messages
    assert message.reactions[0] == Reaction("👍", (), 2)


def test_many_mentions_in_one_message_take_no_time_to_speak_of() -> None:
    people = [{"id": str(n), "name": f"p{n}"} for n in range(40_000)]
    text = "".join(f"<@{n}>" for n in range(39_999, -1, -1))
    (message,) = discord(chat(said(1, text, mentions=people))).messages
    assert message.text.startswith("@p39999@p39998")


def test_a_row_that_never_ends_is_fatal() -> None:
    """Each of its cells is short, and closed."""
    endless = '"1","a","2024-01-15T12:00:00Z","' + '","\n' * (MESSAGE_LIMIT // 2)
    found = discord(table(row("first"), endless))
    assert found.texts == ["first"]
    assert [(w.is_fatal, "larger than the limit" in w.reason) for w in found.warnings] == [
        (True, True)
    ]


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"id": 1}, [{"id": []}], [7]]
KEYS = [
    *("id", "type", "timestamp", "timestampEdited", "callEndedTimestamp", "isPinned", "content"),
    *("author", "attachments", "embeds", "stickers", "reactions", "mentions", "reference"),
    *("forwardedMessage", "interaction", "inlineEmojis", "components", "something_new"),
]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    messages = [said("first")]
    for number in range(1, 60):
        raw = said(number)
        for key in chance.sample(KEYS, 4):
            raw[key] = chance.choice(JUNK)
        if chance.random() < 0.5:
            raw["author"] = {**ANN, chance.choice(list(ANN)): chance.choice(JUNK)}
        messages.append(raw)
    found = discord(chat(*messages))
    assert found.messages
    json.dumps([m.extra for m in found.messages])
    for message in found.messages:
        assert isinstance(message.text, str)
        assert message.author is None or all(isinstance(part, str) for part in message.author)
    discord({**chat(said(1)), "guild": chance.choice(JUNK), "dateRange": chance.choice(JUNK)})
    for value in JUNK:
        discord({**chat(said(1)), "channel": value})
        discord(chat(said(1), **dict.fromkeys(("id", "name", "type", "category"), value)))


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    for data in (
        json.dumps(chat(*(said(n) for n in range(50)))).encode(),
        table(*(row(f"hi {n}") for n in range(50))).data,
        below(*(text_said(f"hi {n}") for n in range(50))).data,
        PACKAGED.encode(),
        ROWS.encode() * 50,
        zip_file(
            {"a [987].json": json.dumps(chat(said(1))), "messages/c7/messages.csv": ROWS}
        ).data,
    ):
        broken = damaged(data, chance)
        for reader in READERS:
            with suppress(UnreadableExportError):
                read(MemoryFile(broken, "damaged"), reader=GuardedReader(reader))


# Memory


def peak_of(path: Path) -> tuple[int, int]:
    """Messages read, and the most bytes of Python objects at once."""
    tracemalloc.start()
    try:
        with Readers().open(LocalFile(path)) as export:
            count = sum(1 for _ in DiscordReader().read(export, ReadOptions(), ReadFacts()))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    head, _, tail = json.dumps(chat()).partition("[]")
    with path.open("w") as target:
        target.write(f"{head}[")
        for number in range(12_000):
            author = {**ANN, "id": str(number)}
            target.write(f"{',' if number else ''}\n{json.dumps(said(number, author=author))}")
            target.write(" " * 600)
        target.write(f"]{tail}")
    count, peak = peak_of(path)
    assert count == 12_002  # with the conversation, and a warning about the count
    assert peak < 32 * MEBIBYTE


def test_people_with_much_to_tell_are_not_remembered_whole() -> None:
    people = People()
    tracemalloc.start()
    try:
        for number in range(300):
            role = {"id": f"r{number}", "name": "x" * 100_000}
            person = people.person({"id": f"p{number}", "name": "y" * 100_000, "roles": [role]})
            assert person.author == (f"p{number}", "y" * 100_000)
        del person, role
        assert tracemalloc.get_traced_memory()[0] < MEBIBYTE
    finally:
        tracemalloc.stop()


# Ids


@given(st.lists(st.integers(0, 2**64), max_size=60).flatmap(
    lambda ids: st.lists(st.sampled_from(ids), max_size=200) if ids else st.just([])
))  # fmt: skip
def test_an_id_is_new_exactly_once(ids: list[int]) -> None:
    seen = SeenIds()
    known: set[int] = set()
    for id in ids:
        assert seen.add(str(id)) == (id not in known)
        known.add(id)


@pytest.mark.parametrize("step", [1, -1])
def test_ids_in_order_need_eight_bytes_each(step: int) -> None:
    seen = SeenIds()
    tracemalloc.start()
    try:
        for number in range(100_000)[::step]:
            assert seen.add(str(10**18 + number))
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert not any(seen.add(str(10**18 + number)) for number in range(0, 100_000, 97))


def test_of_too_many_ids_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.readers.discord.snowflakes._RUN", 10)
    seen = SeenIds()
    assert all(seen.add(str(n)) for n in range(1000))
    assert not any(seen.add(str(n)) for n in range(999, 400, -1))
    assert seen.add("0")


def test_long_ids_are_told_apart_and_not_remembered_whole() -> None:
    seen = SeenIds()
    tracemalloc.start()
    try:
        assert all(seen.add("x" * 100_000 + str(n)) for n in range(100))
        assert tracemalloc.get_traced_memory()[0] < MEBIBYTE
    finally:
        tracemalloc.stop()
    assert not seen.add("x" * 100_000 + "7")
