"""Bare numbers are times only where they can mean no other one."""

from __future__ import annotations

from typing import Any

import pytest

from application.ports.chat_reader import ReadFacts, ReadOptions
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.stamps import looks_like_time, parse_stamp
from tests.infrastructure.readers.support import read, text_file

BERLIN = LocalClock(ReadOptions(timezone="Europe/Berlin"), ReadFacts(), file="t.csv")


@pytest.mark.parametrize(
    ("value", "at", "precision"),
    [
        (100_000_000, "1973-03-03T09:46:40+00:00", "second"),
        ("1705314600", "2024-01-15T10:30:00+00:00", "second"),
        ("1705314600.25", "2024-01-15T10:30:00.250000+00:00", "microsecond"),
        (1705314600250, "2024-01-15T10:30:00.250000+00:00", "millisecond"),
        ("900000000123", "1998-07-09T16:00:00.123000+00:00", "millisecond"),
        ("1705314600250001", "2024-01-15T10:30:00.250001+00:00", "microsecond"),
        ("1705314600250001999", "2024-01-15T10:30:00.250001+00:00", "microsecond"),
        ("4102444799", "2099-12-31T23:59:59+00:00", "second"),
    ],
)
def test_what_has_passed_since_1970_is_known_by_its_size(
    value: Any, at: str, precision: str
) -> None:
    stamp = parse_stamp(value, "dmy", BERLIN)
    assert (stamp.at.isoformat(), stamp.precision, stamp.zone) == (at, precision, "stated")


@pytest.mark.parametrize(
    ("value", "at", "precision"),
    [
        ("202401151130", "2024-01-15T10:30:00+00:00", "minute"),
        (20240715123000, "2024-07-15T10:30:00+00:00", "second"),
        ("20240115113000250", "2024-01-15T10:30:00.250000+00:00", "millisecond"),
    ],
)
def test_a_date_and_time_without_marks_between_is_local(
    value: Any, at: str, precision: str
) -> None:
    stamp = parse_stamp(value, "dmy", BERLIN)
    assert (stamp.at.isoformat(), stamp.precision, stamp.zone) == (at, precision, "stated")
    assert stamp.written == str(value)


@pytest.mark.parametrize(
    "value",
    [
        "99999999999",  # seconds would mean the year 5138
        14155551234,  # a telephone number
        "4102444800000",
        "20241315103000",  # there is no month 13
        "80351110224678912",  # an id of Discord, of 17 digits
        "13350000000000000",  # microseconds since 1601, as Chrome has them
        "133497882000000000",  # FILETIME: tenths of microseconds since 1601
        "638409114000000000",  # ticks of .NET: the same since the year 1
        "727007400000000000",  # iMessage: nanoseconds since 2001
        "700241746658473788",  # an id of Discord, of 18 digits
        9_000_000_000_000_000_000,
    ],
)
def test_numbers_that_may_mean_something_else_are_no_times(value: Any) -> None:
    assert not looks_like_time(value)
    with pytest.raises(ValueError, match=r"is no time: .* outside the years 1973 to 2100"):
        parse_stamp(value, "dmy", BERLIN)


def test_a_column_of_ids_is_not_taken_for_the_times_of_a_table() -> None:
    rows = "".join(f"{700241746658473788 + n},2024-01-15 10:3{n},Ann,hello {n}\n" for n in range(6))
    found = read(text_file(f"snowflake,when,who,said\n{rows}", "chat.csv"))
    assert found.facts.columns["sent_at"] == "when"
    assert [m.sent_at.isoformat() for m in found.messages[:1]] == ["2024-01-15T10:30:00+00:00"]
