"""Chats of LINE are recognised, read back, and survive damage."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    DateOrder,
    ReadOptions,
    UnreadableExportError,
)
from domain.message import Message
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.line_exports import GROUP, JAPANESE, claim, dated, day, line
from tests.infrastructure.readers.support import (
    MemoryFile,
    damaged,
    local_stamp,
    text_file,
)
from tests.support.data import SAMPLES, data_path


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02\n10:00\tAnn\thi\n",
        "2024-01-02 10:00:00\tann\thi\n2024-01-02 10:00:01\tbob\thi\n",
        "10:00\tann\thi\n10:01\tbob\tho\n",
        "[2024-01-15 10:30] Ann: hi\n",
        "31/12/23, 21:05 - Ann: hi\n",
        "--- Day changed Tue Jan 02 2024\n10:00 <ann> hi\n",
        "Tue, 01/02/2024\nnothing else\n",
        "",
        "\n\n",
        "[LINE",
    ],
)
def test_other_logs_are_not_claimed(text: str) -> None:
    with suppress(UnreadableExportError):
        assert claim(text_file(text)) is None


def other_samples() -> list[Path]:
    shared = data_path("SOURCE.md").parent
    folders = [SAMPLES, *(shared / name for name in ("chitchat", "fixtures", "irc"))]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


def test_no_other_sample_is_claimed() -> None:
    samples = other_samples()
    assert len(samples) > 50
    claimed = []
    for path in samples:
        with suppress(UnreadableExportError):
            if claim(LocalFile(path)) is not None:
                claimed.append(path.name)
    assert claimed == []


def test_no_other_reader_claims_more_than_this_one() -> None:
    for text in (GROUP, JAPANESE):
        for reader in Readers().formats:
            if reader == "line":
                continue
            with Readers().open(text_file(text)) as export:
                claimed = Readers().by_format(reader).recognise(export)
            assert claimed is None or claimed.confidence < 0.85


def test_an_endless_text_in_marks_is_bounded_and_swallows_no_message() -> None:
    endless = "x" * 1000 + "\n"
    text = day('10:00\tAnn\t"one') + endless * (MESSAGE_LIMIT // 1000 + 2000) + "10:01\tBob\tx\n"
    found = line(text)
    assert [m.author and m.author.name for m in found.messages] == ["Ann", "Bob"]
    assert len(found.messages[0].text) <= MESSAGE_LIMIT + 10
    assert any("lines left out" in reason for reason in found.reasons)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    broken = damaged((GROUP + JAPANESE + dated("Tue, 01/02/2024")).encode() * 5, chance, most=29)
    with suppress(UnreadableExportError):
        line(MemoryFile(broken, "chat.txt"))


Said = tuple[datetime, str, str]
characters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])
texts = st.text(characters | st.sampled_from("\n\"',:&|"), max_size=30).map(lambda t: f"a{t}z")
names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
moments = st.datetimes(datetime(2013, 1, 13), datetime(2029, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0)
)
chats = st.lists(st.tuples(moments, names, texts), min_size=1, max_size=6)


def written(said: list[Said], form: str = "%Y/%m/%d(%a)") -> str:
    lines = ["[LINE] Chat history in Rome", "Saved on: 2030/01/01 10:00"]
    last = ""
    for moment, name, text in said:
        date = moment.strftime(form)
        if date != last:
            lines += ["", date]
            last = date
        doubled = text.replace('"', '""')
        shown = f'"{doubled}"' if "\n" in text else text
        lines.append(f"{moment:%H:%M}\t{name}\t{shown}")
    return "\n".join(lines) + "\n"


def rows(messages: list[Message]) -> list[tuple[str, str, str]]:
    return [(local_stamp(m), m.author.name if m.author else "", m.text) for m in messages]


@pytest.mark.parametrize("form", ["%Y/%m/%d(%a)", "%Y.%m.%d %A", "%a, %d/%m/%Y", "%a, %m/%d/%Y"])
@settings(max_examples=40, deadline=None)
@given(said=chats)
def test_what_is_written_is_read_back(form: str, said: list[Said]) -> None:
    found = line(written(said, form))
    if found.warnings:  # two readings of the dates fall on the same days of the week
        order: DateOrder = "dmy" if "%d/%m" in form else "mdy"
        found = line(written(said, form), ReadOptions(date_order=order))
    expected = [(moment.isoformat(), name, text) for moment, name, text in said]
    assert rows(found.messages) == expected
    assert found.warnings == []
    assert len({m.key for m in found.messages}) == len(said)


@settings(max_examples=80, deadline=None)
@given(said=chats, data=st.data())
def test_the_beginning_of_a_file_gives_the_first_messages(
    said: list[Said], data: st.DataObject
) -> None:
    whole = written(said).encode()
    cut = whole[: data.draw(st.integers(1, len(whole)))]
    try:
        found = line(MemoryFile(cut, "chat.txt"))
    except UnreadableExportError:
        return
    expected = [(moment.isoformat(), name, text) for moment, name, text in said]
    got = rows(found.messages)
    assert got[:-1] == expected[: len(got) - 1]
    assert len(got) <= len(expected)
    kinds = [w for w in found.warnings if "1252" not in w.reason]
    assert len(kinds) <= 1


def test_reading_twice_gives_the_same() -> None:
    start = datetime(2024, 1, 15, 10)  # noqa: DTZ001
    said = [(start + timedelta(minutes=n), "Ann", 'a "x"\nb') for n in (0, 0, 1)]
    assert line(written(said)).messages == line(written(said)).messages
