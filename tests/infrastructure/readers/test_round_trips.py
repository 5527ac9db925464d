"""What is written in a format is read back; the beginning of a file gives the first messages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import DateOrder, ReadOptions, UnreadableExportError
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read, zip_file

Said = tuple[datetime, str, str]  # local time to the minute, name, text

plain_characters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])
names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,10}[A-Za-z]", fullmatch=True)
texts = st.text(plain_characters | st.sampled_from("\n:,\"'<>&|;\t"), max_size=30).map(
    lambda text: f"a{text}z"
)
times = st.datetimes(datetime(2013, 1, 13), datetime(2029, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0)
)
messages = st.lists(st.tuples(times, names, texts), min_size=1, max_size=6)


def as_whatsapp(said: Sequence[Said], pattern: str) -> bytes:
    lines = [f"{moment.strftime(pattern)}{name}: {text}\n" for moment, name, text in said]
    return "".join(lines).encode()


def as_iso_whatsapp(said: Sequence[Said]) -> bytes:
    return as_whatsapp(said, "%Y/%m/%d, %H:%M - ")


def as_telegram(said: Sequence[Said]) -> bytes:
    rows = [
        {"id": n, "type": "message", "date": moment.isoformat(), "from": name, "from_id": name}
        | {"text": text}
        for n, (moment, name, text) in enumerate(said, start=1)
    ]
    chat = {"name": "Rome", "type": "private_group", "id": 7, "messages": rows}
    return json.dumps(chat, indent=1, ensure_ascii=False).encode()


def as_slack(said: Sequence[Said]) -> bytes:
    escaped = [
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for _, _, text in said
    ]
    day = [
        {"type": "message", "user": f"U{n}", "text": text, "ts": f"{_epoch(moment)}.{n:06}"}
        for n, ((moment, _, _), text) in enumerate(zip(said, escaped, strict=True))
    ]
    users = [{"id": f"U{n}", "profile": {"real_name": name}} for n, (_, name, _) in enumerate(said)]
    files = {
        "users.json": users,
        "channels.json": [{"id": "C", "name": "c"}],
        "c/2024-01-01.json": day,
    }
    return zip_file({name: json.dumps(value) for name, value in files.items()}).data


def _epoch(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1)) / timedelta(seconds=1))  # noqa: DTZ001


def as_csv(said: Sequence[Said]) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["time", "author", "text"])
    writer.writerows([moment.isoformat(" "), name, text] for moment, name, text in said)
    return target.getvalue().encode()


def as_jsonl(said: Sequence[Said]) -> bytes:
    rows = ({"ts": _epoch(moment), "user": name, "text": text} for moment, name, text in said)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


WRITERS: dict[str, Callable[[Sequence[Said]], bytes]] = {
    "telegram": as_telegram,
    "slack": as_slack,
    "csv": as_csv,
    "jsonl": as_jsonl,
}


def as_said(found: Read) -> list[tuple[str, str, str]]:
    return [(local_stamp(m), m.author.name if m.author else "", m.text) for m in found.spoken]


def expected(said: Sequence[Said]) -> list[tuple[str, str, str]]:
    return [(moment.isoformat(), name, text) for moment, name, text in said]


@pytest.mark.parametrize("format", WRITERS)
@settings(max_examples=20, deadline=None)
@given(said=messages)
def test_what_is_written_is_read_back(format: str, said: list[Said]) -> None:
    file = MemoryFile(WRITERS[format](said), "export")
    found = read(file, reader=Readers().by_format(format))
    assert as_said(found) == expected(said)
    assert found.warnings == []


@pytest.mark.parametrize(
    "pattern",
    [
        "%d/%m/%Y, %H:%M - ",
        "[%d.%m.%y, %H:%M:%S] ",
        "%m/%d/%y, %I:%M\u202f%p - ",
        "%Y/%m/%d, %H:%M - ",
        "\u200e[%m/%d/%Y, %I:%M:%S %p] ",
    ],
)
@settings(max_examples=20, deadline=None)
@given(said=messages)
def test_whatsapp_chats_are_read_back(pattern: str, said: list[Said]) -> None:
    has_day_first = pattern.index("%d") < pattern.index("%m")
    order: DateOrder = "ymd" if "%Y/" in pattern else "dmy" if has_day_first else "mdy"
    file = MemoryFile(as_whatsapp(said, pattern), "_chat.txt")
    found = read(file, ReadOptions(date_order=order))
    assert as_said(found) == expected(said)
    assert len({m.key for m in found.messages}) == len(said)


@settings(max_examples=30, deadline=None)
@given(moments=st.lists(times, min_size=1, max_size=10), is_day_first=st.booleans())
def test_the_date_order_is_found_if_one_day_is_above_twelve(
    moments: list[datetime], is_day_first: bool
) -> None:
    certain = datetime(2021, 6, 25, 10, 0)  # noqa: DTZ001
    said = [(moment, "Ann", "az") for moment in [*moments, certain]]
    pattern = "%d/%m/%Y, %H:%M - " if is_day_first else "%m/%d/%Y, %H:%M - "
    found = read(MemoryFile(as_whatsapp(said, pattern)))
    assert as_said(found) == expected(said)


@pytest.mark.parametrize("format", ["telegram", "csv", "jsonl", "whatsapp"])
@settings(max_examples=20, deadline=None)
@given(said=messages, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_at_most_one_warning(
    format: str, said: list[Said], data: st.DataObject
) -> None:
    raw = (WRITERS | {"whatsapp": as_iso_whatsapp})[format](said)
    cut = raw[: data.draw(st.integers(1, len(raw)))]
    try:
        found = read(MemoryFile(cut, "export"), reader=Readers().by_format(format))
    except UnreadableExportError:
        return
    whole = expected(said)
    got = as_said(found)
    # Where a text can end anywhere, the last message may be shorter than it was.
    sure = got if format in ("telegram", "jsonl") else got[:-1]
    assert sure == whole[: len(sure)]
    assert len(got) <= len(whole)
    if all(ord(c) < 128 for c in cut.decode("utf-8", "replace")):
        assert len(found.warnings) <= 1


@pytest.mark.parametrize("format", WRITERS)
def test_reading_twice_gives_the_same(format: str) -> None:
    said = [(datetime(2024, 1, 15, 10, n), "Ann", "same") for n in (1, 1, 2)]  # noqa: DTZ001
    file = MemoryFile(WRITERS[format](said), "export")
    assert read(file).messages == read(file).messages
