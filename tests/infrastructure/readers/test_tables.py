"""CSV and JSON lines: columns guessed or named, values of every kind."""

from __future__ import annotations

import json

import pytest

from application.ports.chat_reader import ReadOptions, UnreadableExportError
from infrastructure.readers.registry import Readers
from infrastructure.readers.stamps import parse_stamp
from tests.infrastructure.readers.support import MemoryFile, local_stamp, read, text_file


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
