"""Dates in words, as Google Takeout writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    ReadFacts,
    ReadOptions,
)
from infrastructure.readers.google_chat.dates import parse_date
from infrastructure.readers.local_time import LocalClock
from tests.infrastructure.readers.google_chat_exports import (
    in_words,
)


def parsed(text: str, zone: str | None = None) -> tuple[str, str, str]:
    clock = LocalClock(ReadOptions(timezone=zone), ReadFacts(), file="x")
    moment, precision, stated = parse_date(text, clock)
    return moment.isoformat(), precision, stated


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday, March 4, 2025 at 3:04:05 PM UTC",
        "Tuesday, March 4, 2025 at 3:04:05\u202fPM UTC",
        "Tuesday, March 4, 2025 at 3:04:05\u00a0PM UTC",
        "Tuesday, March 4, 2025 at 3:04:05PM UTC",
        "Tuesday, March 4, 2025, 3:04:05 p.m. UTC",
        "  March 4, 2025 at 03:04:05 pm GMT ",
        "Tuesday, March 4, 2025 at 15:04:05 UTC",
        "Tuesday, 4 March 2025 at 15:04:05 UTC",
        "Tue, Mar 4, 2025, 3:04:05 PM UTC",
        "Tuesday, March 4, 2025 at 4:04:05 PM GMT+1",
        "Tuesday, March 4, 2025 at 11:34:05 AM GMT-03:30",
        "Tuesday, March 4, 2025 at 8:34:05 PM UTC+0530",
        "2025-03-04T15:04:05Z",
        "2025-03-04 15:04:05 UTC",
        "2025-03-04T16:04:05+01:00",
        "Dienstag, 4. März 2025 um 15:04:05 UTC",
        "mardi 4 mars 2025 à 15:04:05 UTC",
        "martes, 4 de marzo de 2025, 3:04:05 p.\u00a0m. UTC",
        "martedì 4 marzo 2025 alle ore 15:04:05 UTC",
        "terça-feira, 4 de março de 2025 às 15:04:05 UTC",
        "dinsdag 4 maart 2025 om 15:04:05 UTC",
        "tisdag 4 mars 2025 kl. 15:04:05 UTC",
        "tirsdag den 4. marts 2025 kl. 15.04.05 UTC",
        "2025年3月4日火曜日 15:04:05 UTC",
        "2025年3月4日星期二 下午3:04:05 UTC",
        "2025년 3월 4일 화요일 오후 3:04:05 UTC",
    ],
)
def test_a_date_in_words_is_understood(text: str) -> None:
    assert parsed(text) == ("2025-03-04T15:04:05+00:00", "second", "stated")


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:00:01 AM", "00"), ("1:00:01 AM", "01"), ("12:00:01 PM", "12"), ("11:00:01 PM", "23")],
)
def test_half_days_begin_at_twelve(text: str, hour: str) -> None:
    found, _, _ = parsed(f"Tuesday, March 4, 2025 at {text} UTC")
    assert found == f"2025-03-04T{hour}:00:01+00:00"


def test_a_date_without_a_zone_is_local_and_without_seconds_less_precise() -> None:
    text = "Tuesday, March 4, 2025 at 3:04 PM"
    assert parsed(text) == ("2025-03-04T15:04:00+00:00", "minute", "assumed")
    assert parsed(text, "Europe/Berlin") == ("2025-03-04T14:04:00+00:00", "minute", "stated")


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2025", "3:04:05 PM UTC", "Tuesday, March 4, 2025", "x" * 10_000),
        "Tuesday, March 40, 2025 at 3:04:05 PM UTC",
        "Tuesday, Smarch 4, 2025 at 3:04:05 PM UTC",
        "Tuesday, March 4, 2025 at 13:04:05 PM UTC",
        "Tuesday, March 4, 2025 at 0:04:05 AM UTC",
        "Tuesday, March 4, 2025 at 25:04:05 UTC",
        "Tuesday, March 4, 2025 at 3:04:05 PM EST",
        "mar 4 giu 2025, 15:04:05 UTC",  # “mar” is Tuesday here
        "04/03/2025 15:04:05 UTC",  # the day or the month first?
        "March 4, 2025 to May 5, 2026 at 3:04:05 PM UTC",
        "2025-02-30T00:00:00Z",
    ],
)
def test_what_is_not_understood_to_the_last_word_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parsed(text)


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_every_second_is_read_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    text = in_words(moment).replace(f", {moment.year} at", f", {moment.year:04} at")
    assert parsed(text)[0] == moment.isoformat()
