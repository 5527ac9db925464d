"""CSV and JSON lines: columns guessed or named, values of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import ExportFile, ReadOptions, UnreadableExportError
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.stamps import parse_stamp
from infrastructure.readers.tabular.json_reader import JsonReader
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    local_stamp,
    read,
    text_file,
    utc_stamp,
    zip_file,
)
from tests.support.data import SAMPLES, data_path


@pytest.mark.parametrize(
    ("written", "moment", "precision"),
    [
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00+00:00", "second"),
        ("2024-01-15 10:30", "2024-01-15T10:30:00+00:00", "minute"),
        ("2024-01-15", "2024-01-15T00:00:00+00:00", "day"),
        ("2024-01-15T10:30:00.250+02:00", "2024-01-15T08:30:00.250000+00:00", "millisecond"),
        ("15.01.2024 10:30", "2024-01-15T10:30:00+00:00", "minute"),
        ("15/1/2024, 9:05:07 PM", "2024-01-15T21:05:07+00:00", "second"),
        ("2024/01/15 10:30:00", "2024-01-15T10:30:00+00:00", "second"),
        ("1705314600", "2024-01-15T10:30:00+00:00", "second"),
        (1705314600, "2024-01-15T10:30:00+00:00", "second"),
        (1705314600.0, "2024-01-15T10:30:00+00:00", "second"),
        (1705314600123, "2024-01-15T10:30:00.123000+00:00", "millisecond"),
        ("1705314600.000200", "2024-01-15T10:30:00.000200+00:00", "microsecond"),
        ("15-Jan-24 10:30 AM", "2024-01-15T10:30:00+00:00", "minute"),
        ("Mon, 15 Jan 2024 11:30:00 +0100", "2024-01-15T10:30:00+00:00", "second"),
    ],
)
def test_times_of_many_kinds_are_understood(written: object, moment: str, precision: str) -> None:
    stamp = parse_stamp(written, "dmy", None)
    assert (stamp.at.isoformat(), stamp.precision) == (moment, precision)


@pytest.mark.parametrize(
    "written",
    ["", "soon", "42", 42, -1e9, 1e300, True, None, [], "31.02.2024", "99999999999999999999"],
)
def test_what_is_no_time_is_an_error_and_no_crash(written: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_stamp(written, "dmy", None)


def test_german_columns_with_semicolons_and_a_byte_order_mark_are_understood() -> None:
    rows = "Zeitstempel;Kanal;Absender;Nachricht\n13.01.2024 10:30;Rom;Änn;hi\n"
    found = read(MemoryFile(b"\xef\xbb\xbf" + rows.encode(), "chat.csv"))
    assert found.facts.columns == {
        "sent_at": "Zeitstempel",
        "author": "Absender",
        "text": "Nachricht",
        "conversation": "Kanal",
    }
    assert found.facts.date_order == "dmy"
    assert local_stamp(found.spoken[0]) == "2024-01-13T10:30:00"
    assert found.conversations[0].title == "Rom"


def test_date_and_time_in_two_columns_belong_together() -> None:
    found = read(text_file("Date,Time,Name,Message\n2024-01-15,10:30,Ann,hi\n", "chat.csv"))
    assert local_stamp(found.spoken[0]) == "2024-01-15T10:30:00"


def test_a_table_without_a_header_is_read_by_its_values() -> None:
    rows = [
        f"2024-01-15T10:3{n}:00Z\t{'Ann' if n % 2 else 'Bob'}\tsome longer text" for n in range(6)
    ]
    found = read(text_file("\n".join(rows), "log.tsv"))
    assert len(found.spoken) == 6
    assert found.facts.columns == {"sent_at": "column 1", "author": "column 2", "text": "column 3"}


def test_quoted_line_breaks_and_separators_stay_in_the_text() -> None:
    found = read(text_file('time,author,text\n2024-01-15 10:30,Ann,"a, ""b""\nc"\n', "c.csv"))
    assert found.texts == ['a, "b"\nc']


def test_a_quotation_mark_never_closed_is_told_of() -> None:
    rows = 'time,author,text\n2024-01-15 10:30,Ann,a\n2024-01-15 10:31,Bob,"b\nc\nd'
    found = read(text_file(rows, "c.csv"))
    assert found.texts == ["a", "b\nc\nd"]
    assert [w.line for w in found.warnings] == [3]


def test_a_row_without_a_time_is_skipped_and_told_of_with_its_line() -> None:
    rows = "time,author,text\n2024-01-15 10:30,Ann,a\nsoon,Bob,b\n2024-01-15 10:31,Ann,c\n"
    found = read(text_file(rows, "c.csv"))
    assert found.texts == ["a", "c"]
    assert [w.line for w in found.warnings] == [3]


def test_named_columns_win_over_guesses() -> None:
    rows = [{"when": 1705314600, "a": "hi", "b": "there", "who": "Ann", "text": "no"}]
    file = text_file("\n".join(map(json.dumps, rows)), "c.jsonl")
    options = ReadOptions(columns={"text": "b", "author": "who"})
    found = read(file, options, reader=Readers().by_format("jsonl"))
    assert found.texts == ["there"]
    assert found.facts.columns == {"text": "b", "author": "who", "sent_at": "when"}
    assert found.facts.unknown_keys == {"a": 1, "text": 1}
    assert found.spoken[0].extra == {"a": "hi", "text": "no"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"text": "c"}, "no column 'c'; columns are time, author, text"),
        ({"texts": "text"}, "no field 'texts'"),
    ],
)
def test_a_column_that_does_not_exist_is_an_error(columns: dict[str, str], said: str) -> None:
    file = text_file("time,author,text\n2024-01-15 10:30,Ann,a\n", "c.csv")
    with pytest.raises(UnreadableExportError, match=said):
        read(file, ReadOptions(columns=columns))


def test_columns_that_nobody_can_guess_are_asked_for() -> None:
    file = text_file("a,b,c\n1,2,3\n4,5,6\n", "c.csv")
    with pytest.raises(UnreadableExportError, match="sent_at and text"):
        read(file)


def test_objects_in_json_lines_give_author_and_conversation() -> None:
    row = {
        "conversation": {"id": "C1", "title": "Rome"},
        "key": "k1",
        "author": {"id": "u1", "name": "Ann"},
        "sent_at": "2024-01-15T10:30:00+00:00",
        "kind": "action",
        "text": "waves",
        "reply_to": "k0",
        "thread": "k0",
        "reactions": [{"value": "👍", "authors": ["u2"], "total": 2}],
        "attachments": [{"name": "a.png", "media_type": "image/png", "size": 3}],
    }
    found = read(text_file(json.dumps(row), "c.jsonl"))
    (message,) = found.spoken
    assert found.conversations == [("C1", "Rome", "unknown")]
    assert message.author == ("u1", "Ann")
    assert (message.key, message.kind, message.reply_to, message.thread) == (
        *("k1", "action", "k0"),
        "k0",
    )
    assert message.reactions[0].total == 2
    assert message.attachments[0].size == 3


def test_a_column_inside_an_object_can_be_named() -> None:
    row = {"meta": {"at": 1705314600, "by": "Ann"}, "text": "hi"}
    options = ReadOptions(columns={"sent_at": "meta.at", "author": "meta.by"})
    found = read(text_file(json.dumps(row)), options, reader=Readers().by_format("jsonl"))
    assert found.spoken[0].author == ("Ann", "Ann")


def test_a_broken_line_costs_only_itself() -> None:
    lines = [json.dumps({"ts": 1705314600 + n, "user": "Ann", "text": str(n)}) for n in range(4)]
    lines[1:1] = ['{"ts": 1705314600, "te', "[]", ""]
    found = read(text_file("\n".join(lines), "c.jsonl"))
    assert found.texts == ["0", "1", "2", "3"]
    assert [w.line for w in found.warnings] == [2, 3]


ROW = "2024-01-15 10:3{n},{who},{text}"


def test_a_row_whose_quotation_never_ends_costs_no_other_row() -> None:
    rows = [
        "time,author,text",
        ROW.format(n=0, who="Ann", text="a"),
        ROW.format(n=1, who="Bob", text='"b, and'),
        "more",
        ROW.format(n=2, who="Ann", text="c"),
        ROW.format(n=3, who="Bob", text='"d\nd"'),
    ]
    found = read(text_file("\n".join(rows), "c.csv"))
    assert found.texts == ["a", "b, and\nmore", "c", "d\nd"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(3, False)]


def test_a_quotation_that_another_row_ends_is_taken_apart() -> None:
    rows = [
        "time,author,text",
        ROW.format(n=0, who="Ann", text='"a'),
        ROW.format(n=1, who="Bob", text="b"),
        ROW.format(n=2, who="Ann", text='5" wide'),
        ROW.format(n=3, who="Bob", text='"c, ""d"""'),
        ROW.format(n=4, who="Bob", text="e"),
    ]
    found = read(text_file("\n".join(rows), "c.csv"))
    assert found.texts == ["a", "b", '5" wide', 'c, "d"', "e"]
    assert [w.line for w in found.warnings] == [2]


def test_a_thousand_quotations_without_an_end_are_no_hang() -> None:
    rows = [ROW.format(n=n % 10, who="Ann", text=f'"{n}') for n in range(1001)]
    found = read(text_file("\n".join(["time,author,text", *rows]), "c.csv"))
    assert found.texts == [str(n) for n in range(1001)]


def test_a_quoted_text_that_looks_like_rows_stays_a_text() -> None:
    quoted = "\n".join(ROW.format(n=n, who="Eve", text="x") for n in range(3))
    rows = ["time,author,text", ROW.format(n=0, who="Ann", text=f'"look:\n{quoted}"')]
    found = read(text_file("\n".join(rows), "c.csv"))
    assert found.texts == [f"look:\n{quoted}"]
    assert found.warnings == []


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("has_hint", [True, False])
def test_every_usual_separator_is_found(separator: str, has_hint: bool) -> None:
    rows = [
        ["When", "Who", "What"],
        ["2024-01-15 10:30", "Ann", "a b"],
        ["2024-01-15 10:31", "B", "c"],
    ]
    hint = f"sep={separator}\n" if has_hint else ""
    found = read(text_file(hint + "\n".join(separator.join(row) for row in rows), "c.txt"))
    assert (found.format, found.texts) == ("csv", ["a b", "c"])
    assert found.facts.columns == {"sent_at": "When", "author": "Who", "text": "What"}


def test_epochs_in_columns_are_times() -> None:
    rows = "ts,user,text\n1705314600,Ann,a\n1705314600250,Ann,b\n1705314600.5,Ann,c\n"
    found = read(text_file(rows, "c.csv"))
    assert [utc_stamp(m) for m in found.messages] == ["2024-01-15T10:30:00Z"] * 3
    assert [m.precision for m in found.messages] == ["second", "millisecond", "microsecond"]
    assert {m.zone for m in found.messages} == {"stated"}


def test_the_order_of_dates_is_a_property_of_the_file() -> None:
    days = [f"0{day}/02/2024 10:00" for day in range(1, 9)] + ["28/02/2024 10:00"]
    found = read(text_file("time,who,text\n" + "".join(f"{d},Ann,x\n" for d in days), "c.csv"))
    assert (found.facts.date_order, found.warnings) == ("dmy", [])
    assert local_stamp(found.messages[0]) == "2024-02-01T10:00:00"


def test_what_is_left_of_an_object_is_kept() -> None:
    row = {"ts": 1705314600, "user": {"name": "Ann", "id": "u1", "team": {"x": 1}}, "text": "hi"}
    found = read(text_file(json.dumps(row), "c.jsonl"), reader=Readers().by_format("jsonl"))
    assert found.facts.columns == {
        "sent_at": "ts",
        "author": "user.name",
        "author_id": "user.id",
        "text": "text",
    }
    assert found.messages[0].author == ("u1", "Ann")
    assert found.messages[0].extra == {"user": {"team": {"x": 1}}}
    assert found.facts.unknown_keys == {"user.team": 1}


def read_json(file: ExportFile | Path, options: ReadOptions | None = None) -> Read:
    return read(file, options, reader=GuardedReader(JsonReader()))


def said(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "ts": 1705314600 + number, "user": "Ann", "text": f"m{number}", **more}


MESSAGES = [said(n) for n in range(1, 4)]


@pytest.mark.parametrize(
    "document",
    [
        MESSAGES,
        {"messages": MESSAGES},
        {"title": "x", "people": [{"name": "Ann"}], "data": {"items": MESSAGES}, "more": [1]},
        {"messages": MESSAGES, "messages_count": 3},
    ],
)
def test_a_list_of_objects_in_a_json_file_is_a_chat(document: Any) -> None:
    file = json_file(document, "chat.json")
    found = read_json(file)
    assert found.conversations == [("chat", "chat", "unknown")]
    assert [(m.key, m.text, utc_stamp(m)[17:19]) for m in found.messages] == [
        *(("1", "m1", "01"), ("2", "m2", "02"), ("3", "m3", "03")),
    ]
    assert found.facts.columns == {"sent_at": "ts", "author": "user", "text": "text", "key": "id"}
    with Readers().open(file) as export:
        claim = JsonReader().recognise(export)
    assert claim is not None
    assert (claim.format, claim.confidence) == ("json", 0.5)


def test_keys_inside_objects_are_guessed_and_can_be_named() -> None:
    row = {
        "meta": {"at": {"epoch": 1705314600}},
        "sender": {"name": "Ann", "id": 7, "avatar": "a.png"},
        "message": {"text": "hi"},
    }
    options = ReadOptions(columns={"sent_at": "meta.at.epoch"})
    found = read_json(json_file([row]), options)
    assert found.facts.columns == {
        "sent_at": "meta.at.epoch",
        "author": "sender",
        "author_id": "sender.id",
        "text": "message.text",
    }
    assert (found.messages[0].author, found.texts) == (("7", "Ann"), ["hi"])
    assert found.messages[0].extra == {"sender": {"avatar": "a.png"}}
    with pytest.raises(UnreadableExportError, match=r"no column 'meta.when'"):
        read_json(json_file([row]), ReadOptions(columns={"sent_at": "meta.when"}))


def test_long_lists_before_the_messages_are_passed_over() -> None:
    people = [{"name": f"P{n}", "about": "x" * 1000} for n in range(1000)]
    found = read_json(json_file({"people": people, "messages": MESSAGES}))
    assert found.texts == ["m1", "m2", "m3"]


def test_elements_that_are_no_messages_cost_only_themselves() -> None:
    found = read_json(json_file([said(1), 5, said(2, ts="soon"), ["x"], said(3)]))
    assert found.texts == ["m1", "m3"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(2, False), (3, False), (4, False)]


def test_json_without_messages_says_so() -> None:
    for document in ({"a": 1}, [1, 2], [], {"a": {"b": {"c": {"d": {"e": MESSAGES}}}}}, "x"):
        with pytest.raises(UnreadableExportError, match="no list of JSON objects"):
            read_json(json_file(document))
    with pytest.raises(UnreadableExportError, match="sent_at and text"):
        read_json(json_file([{"a": 1, "b": 2}]))


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=8),
    is_inside=st.booleans(),
    data=st.data(),
)
def test_json_is_read_back_and_its_beginning_gives_the_first_messages(
    texts: list[str], is_inside: bool, data: st.DataObject
) -> None:
    rows = [said(n, text=text) for n, text in enumerate(texts, start=1)]
    raw = json.dumps({"messages": rows, "n": 1} if is_inside else rows).encode()
    whole = read_json(MemoryFile(raw, "c.json"))
    assert (whole.texts, whole.warnings) == (texts, [])
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = read_json(MemoryFile(cut, "c.json"))
    except UnreadableExportError:
        return
    assert found.messages == whole.messages[: len(found.messages)]
    assert [w.is_fatal for w in found.warnings] == [True]


def test_deep_and_hostile_json_is_no_crash() -> None:
    nest = b"[" * 200_000
    for raw in (nest, b'{"a": ' * 200_000, b'{"messages": ' + nest, b"\x00[", b"[1e999", b"{", b""):
        if raw:
            with pytest.raises(UnreadableExportError):
                read_json(MemoryFile(raw, "c.json"))
    odd = json.dumps([said(1), said(2, text=["a", {"text": "b"}], user=[], extra={"x": "\ud800"})])
    found = read_json(MemoryFile(odd.encode(), "c.json"))
    assert found.texts == ["m1", "a\nb"]


def test_real_json_lines_as_one_list_are_the_same_chat() -> None:
    path = data_path("chitchat", "generic", "chat.jsonl")
    lines = path.read_bytes().strip().split(b"\n")
    listed = read_json(MemoryFile(b"[" + b",".join(lines) + b"]", "chat.json"))
    assert listed.messages == read(path).messages
    assert listed.conversations == read(path).conversations


@pytest.mark.parametrize("name", ["slack-export.zip", "telegram-result.json", "whatsapp-chat.zip"])
def test_other_formats_are_surer_of_their_files(name: str) -> None:
    with Readers().open(MemoryFile((SAMPLES / name).read_bytes(), name)) as export:
        claim = JsonReader().recognise(export)
    assert claim is None or claim.confidence <= 0.5


def test_files_of_an_archive_that_hold_no_chat_are_told_of() -> None:
    found = read_json(zip_file({"a.json": json.dumps(MESSAGES), "b.json": "{}", "c.png": "x"}))
    assert len(found.messages) == 3
    assert [w.file for w in found.warnings] == ["b.json"]


@pytest.mark.parametrize(
    ("cut", "texts"),
    [
        ("2024-0", ["a", "a"]),
        ("2024-01-15T10:31", ["a", "a", ""]),
        ('2024-01-15T10:31:00,Bob,"b\nc', ["a", "a", "b\nc"]),
    ],
)
def test_a_last_row_that_is_cut_off_is_one_warning(cut: str, texts: list[str]) -> None:
    rows = ["time,author,text,id", *["2024-01-15T10:30:00,Ann,a,"] * 2, cut]
    found = read(text_file("\n".join(rows), "c.csv"))
    assert found.texts == texts
    assert [warning.line for warning in found.warnings] == [4]
