"""Lines of IRC logs: their times, keys and encodings, and what belongs to nothing."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import ReadOptions, UnreadableExportError
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read, utc_stamp

TALK = """--- Log opened Sat Jan 26 15:04:04 2013
15:04 <@Ann> hello
15:05  * Bob waves
--- Day changed Sun Jan 27 2013
00:01 <@Ann> good morning
"""


def irc(text: str, name: str = "2024-01-31.log", options: ReadOptions | None = None) -> Read:
    return read(MemoryFile(text.encode(), name), options, reader=GuardedReader(IrcReader()))


def test_times_since_1970_are_understood() -> None:
    found = irc("1105227234 <Ann> hello\n1105227235 * Ann waves\n")
    assert list(map(utc_stamp, found.messages)) == ["2005-01-08T23:33:54Z", "2005-01-08T23:33:55Z"]
    assert {(m.precision, m.zone) for m in found.messages} == {("second", "stated")}


@pytest.mark.parametrize(
    ("stamp", "local"),
    [
        ("[09:21]", "2024-01-31T09:21:00"),
        ("09:21", "2024-01-31T09:21:00"),
        ("(09:21)", "2024-01-31T09:21:00"),
        ("[9:21]", "2024-01-31T09:21:00"),
        ("[09:21:07]", "2024-01-31T09:21:07"),
        ("09:21:07", "2024-01-31T09:21:07"),
        ("[09:21 PM]", "2024-01-31T21:21:00"),
        ("[9:21pm]", "2024-01-31T21:21:00"),
        ("[12:21 a.m.]", "2024-01-31T00:21:00"),
        ("[2005-01-08 23:33:54]", "2005-01-08T23:33:54"),
        ("2005-01-08 23:33", "2005-01-08T23:33:00"),
        ("[2005/01/08 23:33:54]", "2005-01-08T23:33:54"),
        ("[08 Jan 2005 23:33:54]", "2005-01-08T23:33:54"),
        ("14 Jan 10:36", "2024-01-14T10:36:00"),
        ("[Jan 14 10:36:01]", "2024-01-14T10:36:01"),
        ("14 janv. 10:36", "2024-01-14T10:36:00"),
        ("14 Dez 10:36", "2024-12-14T10:36:00"),
    ],
)
def test_times_are_understood_in_every_form(stamp: str, local: str) -> None:
    name = "2024-01-31.log" if "14" not in stamp else "#rome.2024.log"
    found = irc(f"{stamp} <Ann> hello\n{stamp} <Bob> hi\n", name)
    assert [local_stamp(m) for m in found.messages] == [local, local]
    assert found.warnings == []


def test_a_stated_offset_is_believed() -> None:
    found = irc(
        "2005-01-08T23:33:54+01:00 <Ann> hello\n", "x.log", ReadOptions(timezone="Asia/Tokyo")
    )
    (message,) = found.messages
    assert (utc_stamp(message), message.zone) == ("2005-01-08T22:33:54Z", "stated")


def test_a_stated_zone_places_the_times_and_changes_no_key() -> None:
    assumed = irc(TALK, "#rome.log")
    placed = irc(TALK, "#rome.log", ReadOptions(timezone="Europe/Berlin"))
    assert utc_stamp(placed.messages[0]) == "2013-01-26T14:04:00Z"
    assert {m.zone for m in placed.messages} == {"stated"}
    assert placed.facts.timezone == "Europe/Berlin"
    assert [m.key for m in placed.messages] == [m.key for m in assumed.messages]


def test_equal_messages_of_one_minute_have_different_keys() -> None:
    found = irc("[09:21] <Ann> ha\n[09:21] <Ann> ha\n[09:21] <Bob> ha\n[09:22] <Ann> ha\n")
    assert len({m.key for m in found.messages}) == 4


def test_lines_that_belong_to_nothing_are_counted_and_told_of_once() -> None:
    found = irc("[09:20] <Ann> a\nwhat is this\n\n   \n[09:21] <Ann> b\nand this\n")
    assert found.texts == ["a", "b"]
    assert [(w.line, w.reason) for w in found.warnings] == [
        (2, "2 lines belong to no message and tell of nothing; left out")
    ]


def test_lines_of_a_form_that_no_client_is_known_for_are_notices() -> None:
    found = irc("[01:09] <Ann> a\n[01:09] <Ann> b\n[01:09] (Bob/#rome) Ann: have you seen it?\n")
    last = found.messages[2]
    assert (last.kind, last.author, last.text) == (
        *("system", None, "(Bob/#rome) Ann: have you seen it?"),
    )
    assert found.warnings == []


def test_lines_whose_time_is_none_are_told_of_and_skipped() -> None:
    found = irc("[09:20] <Ann> a\n[25:00] <Ann> b\n[09:61] * Ann c\n[09:21] <Ann> d\n")
    assert found.texts == ["a", "d"]
    assert [(w.line, w.reason) for w in found.warnings] == [
        (2, "line skipped: '25:00' is no time"),
        (3, "line skipped: '09:61' is no time"),
    ]


def test_texts_keep_their_spaces_and_may_be_empty() -> None:
    found = irc("[09:20] <Ann>   a  b \n[09:21] <Ann>\n[09:22] <Ann> \n[09:23] <Ann> \tc\n")
    assert [m.text for m in found.messages] == ["  a  b ", "", "", "\tc"]


def test_each_line_has_the_encoding_it_was_written_in() -> None:
    data = "[09:20] <Änn> grün\n".encode() + "[09:21] <Bob> grün\n".encode("cp1252")
    found = read(MemoryFile(data, "2024-01-31.log"), reader=GuardedReader(IrcReader()))
    assert found.texts == ["grün", "grün"]
    assert [(w.line, w.reason) for w in found.warnings] == [
        (2, "bytes that are not UTF-8 were read as Windows-1252 (in 1 place)")
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_read(encoding: str) -> None:
    data = "[09:20] <Änn> grün\r\n[09:21] <Bob> ciao\r\n".encode(encoding)
    found = read(MemoryFile(data, "2024-01-31.log"), reader=GuardedReader(IrcReader()))
    assert found.texts == ["grün", "ciao"]


def test_a_person_may_do_what_sounds_like_a_notice() -> None:
    found = irc(
        "[09:20] <Ann> a\n[09:21] * Ann has quit smoking\n[09:22] * Ann has left the building\n"
        "[09:23] * Ann sets the table\n[09:24] * Ann joined us\n"
    )
    assert [(m.kind, m.text) for m in found.messages[1:]] == [
        ("action", "has quit smoking"),
        ("action", "has left the building"),
        ("action", "sets the table"),
        ("action", "joined us"),
    ]


def test_a_file_that_is_no_irc_log_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="it is no IRC log"):
        irc("Dear Ann,\nthis is a letter.\n")
