"""Broken and hostile content: never a crash, never silence."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions, UnreadableExportError
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import (
    MemoryFile,
    damaged,
    json_file,
    read,
    text_file,
    zip_file,
)

LINE = "31/12/23, 21:05 - Ann: "


def telegram(*messages: Any) -> dict[str, Any]:
    return {"name": "Rome", "type": "private_group", "id": 7, "messages": list(messages)}


def said(number: int, text: Any = "hi") -> dict[str, Any]:
    head = {"id": number, "type": "message", "date_unixtime": "1705314600"}
    return {**head, "from": "Ann", "from_id": "user1", "text": text}


def test_everything_before_a_break_in_json_is_read_and_the_break_is_fatal() -> None:
    raw = json.dumps(telegram(*(said(n) for n in range(100))))
    at = raw.index('"id": 60')
    found = read(MemoryFile((raw[:at] + "!!" + raw[at:]).encode(), "result.json"))
    assert [m.key for m in found.messages] == [str(n) for n in range(60)]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [("result.json", 61, True)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_unicode_encodings_are_understood(encoding: str) -> None:
    text = f"{LINE}Grüße 👋\n{LINE}zwei\n"
    assert read(MemoryFile(text.encode(encoding))).texts == ["Grüße 👋", "zwei"]
    raw = json.dumps(telegram(said(1, "Grüße 👋")), ensure_ascii=False)
    if encoding != "utf-32":
        assert read(MemoryFile(raw.encode(encoding))).texts == ["Grüße 👋"]


def test_lines_that_are_not_utf_8_are_read_as_windows_1252_with_one_warning() -> None:
    lines = [f"{LINE}Grüße".encode(), f"{LINE}Grüße".encode("cp1252"), b"\xe9\x81\xff"]
    found = read(MemoryFile(b"\n".join(lines), "chat.txt"))
    assert found.texts[0] == "Grüße"
    assert found.texts[1].startswith("Grüße\né")
    (warning,) = [w for w in found.warnings if "1252" in w.reason]
    assert "2 places" in warning.reason
    assert warning.line == 2


def test_nul_and_half_characters_never_reach_a_message() -> None:
    lines = read(MemoryFile(f"{LINE}a\0b\n".encode(), "chat.txt"))
    assert lines.texts == ["ab"]
    assert any("NUL" in reason for reason in lines.reasons)

    found = read(json_file(telegram(said(1, "a\0b"), said(2, "c\ud800d"), said(3))))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert sum("NUL" in r or "surrogate" in r for r in found.reasons) == 2

    rows = "".join(json.dumps({"ts": 1705314600, "user": "A\0", "text": "\0b\udfff"}) + "\n")
    table = read(text_file(rows, "c.jsonl"))
    assert table.texts == ["b\ufffd"]
    assert table.spoken[0].author == ("A", "A")


def test_numbers_beyond_all_bounds_are_no_crash() -> None:
    raw = json.dumps(telegram(said(1), said(2), said(3)))
    raw = raw.replace('"id": 2', '"id": 2, "views": 1e999, "big": 1' + "0" * 5000)
    found = read(MemoryFile(raw.encode(), "result.json"))
    assert found.messages[0].key == "1"
    line = '{"ts": 1e999, "user": "A", "text": "x"}\n{"ts": 1705314600, "user": "A", "text": "y"}'
    assert read(text_file(line), reader=Readers().by_format("jsonl")).texts == ["y"]


@pytest.mark.parametrize("depth", [200, 900, 1100, 50_000])
def test_deep_nesting_is_no_crash(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    raw = json.dumps(telegram(said(1), said(2), said(3))).replace(
        '"id": 2', f'"id": 2, "x": {nest}'
    )
    found = read(MemoryFile(raw.encode(), "result.json"))
    assert found.messages[-1].key == "3"
    row = f'{{"ts": 1705314600, "user": "A", "text": "x", "y": {nest}}}'
    good = '{"ts": 1705314600, "user": "A", "text": "y"}'
    table = read(text_file(f"{good}\n{row}\n{good}"), reader=Readers().by_format("jsonl"))
    assert table.texts[-1] == "y"
    json.dumps([m.extra for m in table.messages])


def test_a_line_without_an_end_is_cut_off_and_told_of() -> None:
    found = read(text_file(f"{LINE}{'x' * (MESSAGE_LIMIT * 2)}\n{LINE}after\n"))
    assert len(found.texts[0]) <= MESSAGE_LIMIT
    assert found.texts[1] == "after"
    assert any("longer than the limit" in reason for reason in found.reasons)


def test_a_message_of_endless_lines_is_cut_off_and_told_of() -> None:
    many = ("x" * 1000 + "\n") * 9000
    found = read(text_file(f"{LINE}a\n{many}{LINE}after\n"))
    assert len(found.texts[0]) <= MESSAGE_LIMIT + 1
    assert found.texts[1] == "after"
    assert any("lines left out" in reason for reason in found.reasons)


def test_a_huge_element_is_left_out_and_told_of() -> None:
    found = read(json_file(telegram(said(1), said(2, "x" * (MESSAGE_LIMIT + 10)), said(3))))
    assert [m.key for m in found.messages] == ["1", "3"]
    assert [w.line for w in found.warnings] == [2]


def test_a_field_without_an_end_in_csv_is_told_of() -> None:
    rows = 'time,author,text\n2024-01-15 10:30,Ann,a\n2024-01-15 10:31,Bob,"' + "x\n" * 5_000_000
    found = read(text_file(rows, "c.csv"))
    assert found.texts[0] == "a"
    assert found.warnings


def test_an_unknown_time_zone_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="Europe/Atlantis"):
        read(text_file(f"{LINE}a"), ReadOptions(timezone="Europe/Atlantis"))


def test_a_file_name_that_is_no_text_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"chat \xff.txt")
    try:
        path.write_text(f"{LINE}a")
    except OSError:
        pytest.skip("this file system has only names that are text")
    assert read(path).conversations[0].title == "chat ?"


def test_a_table_of_a_hundred_thousand_columns_is_refused_at_once() -> None:
    with pytest.raises(UnreadableExportError):
        read(text_file("," * 120_000 + "\n" + "1," * 120_000))
    wide = text_file("time,author,text" + ",x" * 1000 + "\n2024-01-15,A,b\n")
    with pytest.raises(UnreadableExportError, match="1003 columns"):
        read(wide, reader=Readers().by_format("csv"))


def test_only_so_many_unknown_keys_are_told_apart() -> None:
    found = read(json_file(telegram(*({**said(n), f"key{n}": 1} for n in range(1500)))))
    assert len(found.facts.unknown_keys) == 1001
    assert found.facts.unknown_keys["(other keys)"] == 500


@pytest.mark.parametrize("seconds", ["67768036191676800", "-1", "9" * 30, "1e3", " "])
def test_a_time_out_of_this_world_costs_only_its_message(seconds: str) -> None:
    odd = {**said(2), "date_unixtime": seconds}
    found = read(json_file(telegram(said(1), odd, said(3))))
    assert [m.key for m in found.messages] == ["1", "3"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(2, False)]


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", [], [[]], {}, {"id": 1}, ["x", {"text": 1}]]


@pytest.mark.parametrize("seed", range(30))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    keys = [
        *("id", "type", "date", "date_unixtime", "from", "from_id", "text", "photo", "file"),
        *("reactions", "poll", "members", "edited_unixtime", "reply_to_message_id", "actor"),
        *("ts", "user", "subtype", "files", "edited", "thread_ts", "blocks", "attachments"),
        *("comment", "bot_id", "user_profile", "action", "location_information", "media_type"),
    ]
    messages = [said(1) | {"ts": "1.0001", "user": "U1"}]
    for _ in range(40):
        raw = {
            **said(2),
            "ts": "2.0002",
            "user": "U1",
            "type": chance.choice(["message", "service"]),
        }
        for key in chance.sample(keys, 4):
            raw[key] = chance.choice(JUNK)
        messages.append(raw)
    assert read(json_file(telegram(*messages))).messages
    slack = {"users.json": JUNK, "channels.json": [*JUNK, {"id": "C1", "name": "g"}]}
    members = {name: json.dumps(value) for name, value in slack.items()}
    assert read(zip_file({**members, "g/2024-01-15.json": json.dumps(messages)})).messages
    rows = "\n".join(json.dumps(raw) for raw in messages)
    read(text_file(rows), reader=Readers().by_format("jsonl"))


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    texts = (
        json.dumps(telegram(*(said(n) for n in range(50)))).encode(),
        "".join(f"{LINE}message {n}\n" for n in range(50)).encode(),
        b"time,author,text\n" + b"2024-01-15 10:30,Ann,hi\n" * 50,
        b'{"ts": 1705314600, "user": "A", "text": "x"}\n' * 50,
        zip_file({"_chat.txt": LINE * 50}).data,
    )
    for data in texts:
        broken = damaged(data, chance)
        file = MemoryFile(broken, "damaged")
        for name in Readers().formats:
            with suppress(UnreadableExportError):
                read(file, reader=Readers().by_format(name))
