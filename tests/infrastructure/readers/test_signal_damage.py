"""Exports of Signal are recognised, read back, and survive damage."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    UnreadableExportError,
)
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.signal.reader import SignalReader
from tests.infrastructure.readers.signal_exports import (
    INFO,
    MARKDOWN,
    backup,
    claim,
    lines,
    row,
    rows,
    said,
    signal,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    damaged,
    local_stamp,
    text_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# Recognition


def test_every_layout_is_recognised() -> None:
    confidences = [
        (recognition.format, recognition.confidence)
        for file in (
            backup(said("hi")),
            MemoryFile(b"".join(backup(said("x")).data.split(b"\n", 1)[1:]), "x.jsonl"),
            zip_file({"e/main.jsonl": backup(said("hi")).data, "e/files/0a/0a": b"x"}),
            rows(row()),
            text_file(MARKDOWN),
            lines("[2024-01-15 10:30:00] Ann: hi\n"),
            text_file("[2024-01-15, 10:30] Ann: hi\n"),
        )
        if (recognition := claim(file))
    ]
    expected = [0.95, 0.95, 0.95, 0.95, 0.9, 0.6, 0.7]
    assert confidences == [("signal", confidence) for confidence in expected]


@pytest.mark.parametrize(
    "text",
    [
        "[2024-01-15 10:30] Ann: hi",
        "[2024-01-15 10:30:00] Ann: hi",
        "[2024-01-15, 10:30:00] Ann: hi",
        "2024-01-15 10:30:00 Ann: hi",
        "[2024-01-15, 10:30] <Ann> hi",
        '{"date": "2024-01-15", "sender": "Ann", "body": "hi"}\n',
        '{"chat": {"id": "1"}}\n{"chat": {"id": "2"}}\n',
        '{"account": "x"}\n',
        '{"recipient": {"id": 1, "name": "x"}}',
        '{"version": 1}\n',
        "[",
        "{",
        "[]",
        "",
    ],
)
def test_other_files_are_not_claimed(text: str) -> None:
    with suppress(UnreadableExportError):
        assert claim(text_file(text, "log.txt")) is None


def test_no_other_sample_is_claimed() -> None:
    shared = data_path("SOURCE.md").parent
    folders = [SAMPLES, *(shared / name for name in ("chitchat", "fixtures", "irc"))]
    samples = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    assert len(samples) > 50
    claimed = []
    for path in samples:
        with suppress(UnreadableExportError):
            if claim(LocalFile(path)) is not None:
                claimed.append(path.name)
    assert sorted(claimed) == ["signal-export.zip", "signal-test_export.txt"]


def test_an_archive_of_many_files_is_recognised_without_reading_them_all() -> None:
    opened = 0

    class Counted(MemoryFile):
        def open(self) -> Any:
            nonlocal opened
            opened += 1
            return super().open()

    files = [Counted(b"x", f"{n}.json") for n in range(20_000)]
    many = SimpleNamespace(name="many.zip", is_packed=True, files=files, warnings=(), breaks={})
    assert SignalReader().recognise(many) is None
    assert opened <= 20


# Round trips

characters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])
texts = st.text(characters | st.sampled_from("\n:,\"'<>&|()-"), max_size=30).map(lambda t: f"a{t}z")
names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
moments = st.datetimes(datetime(2013, 1, 13), datetime(2029, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
Said = tuple[datetime, str, str]
chats = st.lists(st.tuples(moments, names, texts), min_size=1, max_size=6)


def as_backup(found: list[Said]) -> bytes:
    frames: list[Any] = [INFO, {"chat": {"id": "1", "recipientId": "1"}}]
    for number, (moment, name, text) in enumerate(found, start=10):
        sent = int(moment.replace(tzinfo=UTC).timestamp()) * 1000 + number
        frames.append({"recipient": {"id": str(number), "contact": {"systemGivenName": name}}})
        head = {"chatId": "1", "authorId": str(number), "dateSent": str(sent)}
        frames.append({"chatItem": {**head, "standardMessage": {"text": {"body": text}}}})
    return "".join(json.dumps(frame) + "\n" for frame in frames).encode()


def as_rows(found: list[Said]) -> bytes:
    made = [row(date=at.isoformat(), sender=name, body=f"{text}  ") for at, name, text in found]
    return "".join(json.dumps(one) + "\n" for one in made).encode()


def as_lines(found: list[Said]) -> bytes:
    return "".join(f"[{at}] {name}: {text}  \n\n" for at, name, text in found).encode()


WRITERS = {"backup": as_backup, "rows": as_rows, "lines": as_lines}


def plain(found: Read) -> list[tuple[str, str, str]]:
    return [(local_stamp(m), m.author.name if m.author else "", m.text) for m in found.messages]


@pytest.mark.parametrize("layout", WRITERS)
@settings(max_examples=40, deadline=None)
@given(found=chats)
def test_what_is_written_is_read_back(layout: str, found: list[Said]) -> None:
    got = signal(MemoryFile(WRITERS[layout](found), "chat.md"))
    assert plain(got) == [(at.isoformat(), name, text) for at, name, text in found]
    assert len({m.key for m in got.messages}) == len(found)
    assert got.warnings == []


@pytest.mark.parametrize("layout", WRITERS)
@settings(max_examples=60, deadline=None)
@given(found=chats, data=st.data())
def test_the_beginning_of_a_file_gives_the_first_messages(
    layout: str, found: list[Said], data: st.DataObject
) -> None:
    whole = WRITERS[layout](found)
    cut = whole[: data.draw(st.integers(1, len(whole)))]
    try:
        got = signal(MemoryFile(cut, "chat.md"))
    except UnreadableExportError:
        return
    expected = [(at.isoformat(), name, text) for at, name, text in found]
    # Text can end anywhere: the last message may be shorter than it was.
    sure = plain(got)[:-1] if layout == "lines" else plain(got)
    assert sure == expected[: len(sure)]
    assert len(got.messages) <= len(expected)
    if layout != "lines":
        is_whole = cut.endswith(b"\n") or cut.rpartition(b"\n")[2] in whole.split(b"\n")
        assert len(got.warnings) == (0 if is_whole else 1)
        assert all(warning.is_fatal for warning in got.warnings)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    found = [(datetime(2024, 1, 15, 10, n), "Ann", f"text {n}") for n in range(50)]  # noqa: DTZ001
    for write in WRITERS.values():
        broken = damaged(write(found), chance)
        with suppress(UnreadableExportError):
            signal(MemoryFile(broken, "damaged"))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 4_000_000,
        "\n(- " * 1_000_000 + " -)",
        "\n(- " + "a, " * 1_500_000 + "-)",
        "![x](./media/x)  " * 200_000,
        "](./media/" * 400_000 + ")",
        "(( " * 1_000_000 + "))",
        "x" + " " * 4_000_000 + "-)",
    ],
)
def test_texts_full_of_marks_take_no_time(text: str) -> None:
    found = signal(text_file(f"[2024-01-15 10:30:00] Ann: {text}\n", "chat.md"))
    assert len(found.messages) == 1
