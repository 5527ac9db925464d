"""Local times become the right moments, also in the hour that comes twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import ChatReader, ReadFacts, ReadOptions
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.line.reader import LineReader
from infrastructure.readers.local_time import LineClock, LocalClock
from infrastructure.readers.plain_text import PlainTextReader
from infrastructure.readers.whatsapp.reader import WhatsAppReader
from tests.infrastructure.readers.support import read, text_file, zip_file

BERLIN = ReadOptions(timezone="Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo")


def clock(zone: str | None) -> LocalClock:
    return LocalClock(ReadOptions(timezone=zone), ReadFacts(), file="chat.txt")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return at(text).replace(tzinfo=UTC)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.lists(
        st.datetimes(datetime(1900, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001
        min_size=1,
        max_size=4,
    ),
    st.sampled_from((0, 1)),
)
def test_a_time_is_what_the_zone_says(zone: str, times: list[datetime], fold: int) -> None:
    kept = clock(zone)
    for local in times:
        asked = local.replace(fold=fold)
        assert kept.utc(asked) == asked.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_around_each_change_are_read_minute_by_minute(zone: str) -> None:
    kept = clock(zone)
    for day in ("2010-10-01", "2010-10-31", "2024-03-10", "2024-04-07", "2024-10-06", "2024-11-03"):
        for minutes in range(0, 2 * 24 * 60, 7):
            for fold in (0, 1):
                local = (at(day) + timedelta(minutes=minutes)).replace(fold=fold)
                expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
                assert kept.utc(local) == expected


def test_without_a_zone_times_are_utc_and_the_edges_of_the_calendar_are_errors() -> None:
    assert clock(None).utc(datetime.max) == datetime.max.replace(tzinfo=UTC)  # noqa: DTZ901
    assert clock("UTC").utc(at("2024-07-01T12:00")) == utc("2024-07-01T12:00")
    with pytest.raises(OverflowError):
        clock("America/New_York").utc(datetime.max)  # noqa: DTZ901
    with pytest.raises(OverflowError):
        clock("Asia/Kolkata").utc(datetime.min)  # noqa: DTZ901


def test_of_a_repeated_hour_the_second_is_meant_when_the_clock_goes_back() -> None:
    lines = LineClock(clock("Europe/Berlin"))
    local = ("01:59", "02:00", "02:59", "02:00", "02:58", "02:57", "03:00", "02:59")
    found = [lines.utc(at(f"2024-10-27T{time}")) for time in local]
    expected = ("23:59", "00:00", "00:59", "01:00", "01:58", "01:57", "02:00", "01:59")
    days = ("26", *["27"] * 7)
    assert found == [utc(f"2024-10-{d}T{t}") for d, t in zip(days, expected, strict=True)]


def test_a_line_that_is_simply_out_of_order_moves_no_other_hour() -> None:
    lines = LineClock(clock("Europe/Berlin"))
    assert lines.utc(at("2024-10-27T09:00")) == utc("2024-10-27T08:00")
    assert lines.utc(at("2024-10-27T02:30")) == utc("2024-10-27T00:30")
    assert lines.utc(at("2024-10-26T02:30")) == utc("2024-10-26T00:30")


def test_in_the_hour_that_is_left_out_time_goes_on() -> None:
    """Nobody's clock showed 02:30; a line that does is read with the offset of before."""
    lines = LineClock(clock("Europe/Berlin"))
    found = [lines.utc(at(f"2024-03-31T{time}")) for time in ("03:40", "02:30", "03:45")]
    assert found == [utc(f"2024-03-31T{time}") for time in ("01:40", "01:30", "01:45")]


PLAIN = """\
[2024-10-27 02:50] Ann: before
[2024-10-27 02:10] Ben: after
"""
LINE = """\
2024.10.27 Sunday
02:50\tAnn\tbefore
02:10\tBen\tafter
"""
IRC = """\
[2024-10-27 02:50:00] <Ann> before
[2024-10-27 02:10:00] <Ben> after
"""
WHATSAPP = """\
27/10/2024, 02:50 - Ann: before
27/10/2024, 02:10 - Ben: after
"""
SIGNAL = """\
[2024-10-27 02:50:00] Ann: before

[2024-10-27 02:10:00] Ben: after
"""


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        (PLAIN, PlainTextReader()),
        (LINE, LineReader()),
        (IRC, IrcReader()),
        (WHATSAPP, WhatsAppReader()),
    ],
)
def test_a_log_that_goes_on_in_the_repeated_hour_stays_in_order(
    text: str, reader: ChatReader
) -> None:
    found = read(text_file(text), BERLIN, reader=reader)
    assert [(m.text, m.sent_at) for m in found.spoken] == [
        ("before", utc("2024-10-27T00:50")),
        ("after", utc("2024-10-27T01:10")),
    ]


def test_so_does_a_chat_of_signal_export_in_both_its_forms() -> None:
    rows = [
        {"date": f"2024-10-27 {time}:00", "sender": name, "body": body, "quote": ""}
        | {"sticker": "", "reactions": [], "attachments": []}
        for time, name, body in (("02:50", "Ann", "before"), ("02:10", "Ben", "after"))
    ]
    for name, data in {
        "chat.md": SIGNAL,
        "data.json": "".join(json.dumps(row) + "\n" for row in rows),
    }.items():
        found = read(zip_file({f"Trip/{name}": data}), BERLIN)
        assert [m.sent_at for m in found.spoken] == [
            utc("2024-10-27T00:50"),
            utc("2024-10-27T01:10"),
        ]
