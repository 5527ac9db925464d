"""Chat logs of no particular program."""

from __future__ import annotations

import pytest

from tests.infrastructure.readers.support import local_stamp, read, text_file


@pytest.mark.parametrize(
    "line",
    [
        "[2024-01-15 10:30] Ann: hi",
        "[2024-01-15 10:30:00] Ann: hi",
        "2024-01-15 10:30:00 Ann: hi",
        "2024-01-15T10:30:00Z Ann: hi",
        "2024-01-15T12:30:00+02:00 Ann: hi",
        "2024-01-15 10:30 - Ann: hi there".replace(" there", ""),
        "2024-01-15T10:30:00 <Ann> hi",
    ],
)
def test_lines_with_a_date_and_a_name_are_messages(line: str) -> None:
    found = read(text_file(line))
    (message,) = found.spoken
    assert local_stamp(message) == "2024-01-15T10:30:00"
    assert (message.author, message.text) == (("Ann", "Ann"), "hi")


def test_other_lines_continue_the_message_and_stamped_ones_without_a_name_are_notices() -> None:
    lines = ["[2024-01-15 10:30] Ann: one", "two", "", "[2024-01-15 10:31] Bob joined the room"]
    found = read(text_file("\n".join(lines)))
    assert [(m.kind, m.text) for m in found.messages] == [
        ("message", "one\ntwo"),
        ("system", "Bob joined the room"),
    ]


def test_a_transcript_without_times_keeps_its_order_and_says_so() -> None:
    found = read(text_file("Ann: hi\nBob: hello\nhow are you?\nAnn: fine\nBob: good\n"))
    assert found.texts == ["hi", "hello\nhow are you?", "fine", "good"]
    assert [m.precision for m in found.messages] == ["day"] * 4
    times = [m.sent_at for m in found.messages]
    assert times == sorted(set(times))
    assert "no times" in found.reasons[0]
