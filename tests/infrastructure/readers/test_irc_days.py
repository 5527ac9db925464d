"""Which day a line of an IRC log is of: most lines have only a time."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import ReadOptions
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read, utc_stamp


def irc(text: str, name: str, options: ReadOptions | None = None) -> Read:
    return read(MemoryFile(text.encode(), name), options, reader=GuardedReader(IrcReader()))


def said_at(*times: str) -> str:
    return "".join(f"[{time}] <Ann> hi\n" for time in times)


def days(found: Read) -> list[str]:
    return [local_stamp(message)[5:16] for message in found.messages]


@pytest.mark.parametrize(
    "line",
    [
        "--- Log opened Sat Sep 06 18:28:43 2014",
        "--- Day changed Sat Sep 06 2014",
        "--- Day changed Sa Sep 06 2014",
        "--- Day changed sam. sept. 06 2014",
        "--- Day changed to Sat Sep 06 2014",
        "-!- Day changed to 06 Sep 2014",
        "Session Start: Sat Sep 06 18:28:43 2014",
        "Session Time: Sat Sep 06 00:00:00 2014",
        "**** BEGIN LOGGING AT Sat Sep  6 18:28:43 2014",
        "[00:00] --- Sat Sep  6 2014",
        "[00:00:00] --- Sat Sep  6 2014",
        "--- Log opened 2014-09-06 18:28:43",
        "--- Log opened Sat Sep 06 18:28:43 CEST 2014",
    ],
)
def test_lines_about_days_are_understood(line: str) -> None:
    found = irc(f"{line}\n[18:30] <Ann> hi\n[18:31] <Bob> hi\n", "#rome.log")
    assert list(map(local_stamp, found.messages)) == ["2014-09-06T18:30:00", "2014-09-06T18:31:00"]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("month", "number"),
    [
        *(("Mär", 3), ("Mai", 5), ("Okt", 10), ("Dez", 12)),
        *(("févr.", 2), ("avril", 4), ("juin", 6), ("juil.", 7), ("août", 8), ("déc.", 12)),
        *(("ene", 1), ("abr", 4), ("ago", 8), ("dic", 12), ("gen", 1), ("mag", 5), ("lug", 7)),
        *(("mrt", 3), ("mei", 5), ("maj", 5), ("out", 10), ("set", 9), ("ott", 10)),
    ],
)
def test_months_are_understood_in_several_languages(month: str, number: int) -> None:
    found = irc(f"--- Day changed Sa {month} 06 2014\n{said_at('18:30')}", "#rome.log")
    assert local_stamp(found.messages[0]) == f"2014-{number:02}-06T18:30:00"


@pytest.mark.parametrize(
    "name",
    [
        *("2014-09-06.log", "#rome.2014-09-06.log", "#rome_20140906.log", "2014_09_06.txt"),
        *("2014.09.06.log", "#rome.log.06Sep2014", "2014-09-06_12.raw.txt", "rome-20140906.txt"),
    ],
)
def test_the_name_of_the_file_says_the_day(name: str) -> None:
    found = irc(said_at("18:30", "18:31"), name)
    assert list(map(local_stamp, found.messages)) == ["2014-09-06T18:30:00", "2014-09-06T18:31:00"]
    assert found.warnings == []


def test_without_any_day_a_warning_says_so() -> None:
    found = irc(said_at("23:59", "00:01"), "#rome.log")
    assert list(map(local_stamp, found.messages)) == ["1970-01-01T23:59:00", "1970-01-02T00:01:00"]
    (reason,) = found.reasons
    assert reason.startswith("neither a line nor the file's name says which day it is")
    assert "1970-01-01" in reason


def test_without_any_year_a_warning_says_so() -> None:
    found = irc("[29 Feb 08:42] <Ann> a\n[01 Mar 08:42] <Ann> b\n", "#rome.log")
    assert list(map(local_stamp, found.messages)) == ["1972-02-29T08:42:00", "1972-03-01T08:42:00"]
    (reason,) = found.reasons
    assert reason.startswith("nothing says which year it is: 1972 was taken")


def test_a_name_with_a_month_alone_says_no_day() -> None:
    found = irc(said_at("08:00"), "#rome.2014-09.log")
    assert local_stamp(found.messages[0]) == "2014-09-01T08:00:00"
    assert "counted from 2014-09-01 on" in found.reasons[0]


def test_a_name_with_day_and_month_either_way_is_told_of_and_its_order_can_be_stated() -> None:
    found = irc(said_at("08:00"), "01.02.2014.log")
    assert local_stamp(found.messages[0]) == "2014-02-01T08:00:00"
    assert found.reasons == [
        "the date in its name was read as day, month, year; if wrong, state the date order"
    ]
    for order, expected in (("mdy", "2014-01-02T08:00:00"), ("dmy", "2014-02-01T08:00:00")):
        stated = irc(said_at("08:00"), "01.02.2014.log", ReadOptions(date_order=order))
        assert local_stamp(stated.messages[0]) == expected
        assert stated.warnings == []
    assert irc(said_at("08:00"), "01.13.2014.log").warnings == []


def test_a_missing_year_goes_on_at_the_end_of_december() -> None:
    found = irc(
        "[30 Dec 08:00] <Ann> a\n[02 Jan 08:00] <Ann> b\n[01 Jan 23:59] <Ann> c\n"
        "[15 Jun 08:00] <Ann> d\n[10 Feb 08:00] <Ann> e\n",
        "#rome.2004.log",
    )
    assert [local_stamp(m)[:10] for m in found.messages] == [
        *("2004-12-30", "2005-01-02", "2005-01-01", "2005-06-15", "2006-02-10"),
    ]


def test_lines_around_the_end_of_a_year_that_are_out_of_order_do_not_turn_it_twice() -> None:
    found = irc(
        "[31 Dec 23:59] <Ann> a\n[01 Jan 00:00] <Ann> b\n[31 Dec 23:59] <Ann> c\n"
        "[01 Jan 00:01] <Ann> d\n",
        "#rome.2004.log",
    )
    assert [local_stamp(m)[:10] for m in found.messages] == [
        *("2004-12-31", "2005-01-01", "2004-12-31", "2005-01-01"),
    ]


def test_a_29th_of_february_without_a_year_waits_for_one_that_has_it() -> None:
    found = irc("[01 Nov 08:00] <Ann> a\n[29 Feb 08:00] <Ann> b\n", "#rome.2002.log")
    assert [local_stamp(m)[:10] for m in found.messages] == ["2002-11-01", "2004-02-29"]


def test_a_clock_that_goes_back_past_midnight_means_the_next_day() -> None:
    found = irc(said_at("21:55", "23:59", "00:00", "00:27", "03:00"), "2014-09-06.log")
    assert days(found) == [
        "09-06T21:55",
        "09-06T23:59",
        *(f"09-07T{t}" for t in ("00:00", "00:27", "03:00")),
    ]
    assert found.warnings == []


def test_a_file_of_one_day_runs_on_into_the_next_day_only_once() -> None:
    found = irc(said_at("21:55", "03:00", "23:00", "02:00"), "2014-09-06.log")
    assert days(found) == ["09-06T21:55", "09-07T03:00", "09-07T23:00", "09-07T02:00"]


def test_a_clock_that_is_set_back_by_an_hour_means_the_same_day() -> None:
    found = irc(said_at("02:59", "02:00", "02:30", "02:29", "03:00"), "2014-10-26.log")
    assert days(found) == [f"10-26T{t}" for t in ("02:59", "02:00", "02:30", "02:29", "03:00")]


def test_lines_around_midnight_that_are_out_of_order_do_not_turn_the_day_twice() -> None:
    text = "Session Start: Sat Sep 06 20:00:00 2014\n" + said_at(
        *("23:58", "00:00", "23:59", "00:00", "00:01", "12:00")
    )
    assert days(irc(text, "#rome.log")) == [
        *("09-06T23:58", "09-07T00:00", "09-06T23:59", "09-07T00:00", "09-07T00:01", "09-07T12:00")
    ]


def test_a_session_over_several_nights_is_counted_on() -> None:
    text = "Session Start: Sat Sep 06 20:00:00 2014\n" + said_at(
        *("20:00", "01:00", "23:00", "09:00", "07:00")
    )
    assert days(irc(text, "#rome.log")) == [
        *("09-06T20:00", "09-07T01:00", "09-07T23:00", "09-08T09:00", "09-09T07:00")
    ]


def test_the_end_of_a_session_says_that_a_day_is_not_over() -> None:
    text = (
        "Session Start: Tue Nov 09 20:39:00 2010\n"
        f"{said_at('20:39', '12:58', '19:26')}"
        "Session Close: Tue Nov 09 19:26:00 2010\n\n"
        "Session Start: Wed Nov 10 10:00:00 2010\n"
        f"{said_at('10:00')}"
    )
    assert days(irc(text, "#rome.log")) == [
        *("11-09T20:39", "11-09T12:58", "11-09T19:26", "11-10T10:00")
    ]


def test_where_each_day_has_its_line_only_these_lines_turn_the_day() -> None:
    text = (
        f"--- Log opened Sat Sep 06 18:28:43 2014\n{said_at('23:00', '01:00')}"
        f"--- Day changed Sun Sep 07 2014\n{said_at('02:00')}"
    )
    assert days(irc(text, "#rome.log")) == ["09-06T23:00", "09-06T01:00", "09-07T02:00"]


def test_what_stands_before_the_first_line_about_a_day_is_of_the_day_before() -> None:
    text = f"{said_at('23:00')}--- Day changed Sun Sep 07 2014\n{said_at('02:00')}"
    found = irc(text, "#rome.log")
    assert days(found) == ["09-06T23:00", "09-07T02:00"]
    assert found.warnings == []


def test_a_clock_of_twelve_hours_stays_in_its_day_and_is_told_of() -> None:
    found = irc(said_at("09:14", "12:59", "01:00", "06:09"), "2004-12-25.log")
    assert days(found) == [f"12-25T{t}" for t in ("09:14", "12:59", "01:00", "06:09")]
    (reason,) = found.reasons
    assert reason.startswith("the clock has twelve hours, and nothing says which times are before")
    assert reason.endswith("they were kept as they are written")


@pytest.mark.parametrize("noon", ["12", "00"])
def test_a_whole_day_of_a_clock_of_twelve_hours_has_an_afternoon(noon: str) -> None:
    found = irc(said_at(f"{noon}:01", "11:59", f"{noon}:00", "01:00", "11:58"), "2004-12-25.log")
    assert days(found) == [f"12-25T{t}" for t in ("00:01", "11:59", "12:00", "13:00", "23:58")]
    assert "its second round is the afternoon" in found.reasons[0]


def test_hours_before_13_of_a_log_with_sessions_are_those_of_24() -> None:
    text = f"Session Start: Sat Sep 06 11:00:00 2014\n{said_at('11:50', '00:10')}"
    found = irc(text, "#rome.log")
    assert days(found) == ["09-06T11:50", "09-07T00:10"]
    assert found.warnings == []


def test_a_session_that_begins_on_another_day_turns_the_day_though_the_date_looks_the_same() -> (
    None
):
    found = irc(
        "**** BEGIN LOGGING AT Sat Jan  8 23:00:00 2005\nJan 08 23:33:54 <Ann>\ta\n"
        "**** BEGIN LOGGING AT Sun Jan  8 23:00:00 2006\nJan 08 23:33:54 <Ann>\tb\n"
        "**** ENDING LOGGING AT Mon Jan  9 01:00:00 2006\n",
        "#rome.log",
    )
    assert [local_stamp(m)[:10] for m in found.messages] == ["2005-01-08", "2006-01-08"]


def test_a_quiet_morning_is_no_clock_of_twelve_hours() -> None:
    found = irc(said_at("08:00", "12:30", "12:59"), "2004-12-25.log")
    assert found.warnings == []


def test_a_clock_that_says_both_0_and_12_has_24_hours() -> None:
    found = irc(said_at("00:30", "11:00", "12:30", "00:10"), "2004-12-25.log")
    assert days(found) == ["12-25T00:30", "12-25T11:00", "12-25T12:30", "12-26T00:10"]
    assert found.warnings == []


def test_am_and_pm_make_24_hours() -> None:
    found = irc(said_at("11:59 AM", "12:01 PM", "11:59 PM", "12:01 AM"), "2004-12-25.log")
    assert days(found) == ["12-25T11:59", "12-25T12:01", "12-25T23:59", "12-26T00:01"]


def test_a_night_in_summer_time_is_placed_in_its_zone() -> None:
    options = ReadOptions(timezone="Europe/Berlin")
    found = irc(said_at("23:30", "00:30"), "2014-07-01.log", options)
    assert list(map(utc_stamp, found.messages)) == ["2014-07-01T21:30:00Z", "2014-07-01T22:30:00Z"]


@pytest.mark.parametrize(
    "line",
    [
        *("--- Day changed Sat Foo 06 2014", "--- Day changed Sat Feb 30 2014", "--- Day changed"),
        *("Session Start: Sat Sep 06 18:28:43 9999", "--- Log opened 0000-00-00"),
    ],
)
def test_lines_about_days_that_do_not_exist_turn_no_day(line: str) -> None:
    found = irc(f"{said_at('08:00')}{line}\n{said_at('09:00')}", "2014-09-06.log")
    said = [m for m in found.messages if m.kind == "message"]
    assert list(map(local_stamp, said)) == ["2014-09-06T08:00:00", "2014-09-06T09:00:00"]
