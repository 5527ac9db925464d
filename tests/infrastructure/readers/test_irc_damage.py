"""IRC logs: what is written is read back, and nothing that is broken or hostile breaks reading."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import (
    ExportFile,
    ReadFacts,
    ReadOptions,
    Recognition,
    UnreadableExportError,
)
from domain.message import Message
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers, default_readers
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read, zip_file
from tests.support.data import SAMPLES, data_path

Said = tuple[datetime, str, str]  # local time, nick, text

nicks = st.from_regex(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,8}", fullmatch=True)
# Everything that one line may hold but the codes of colours and styles, which are taken out.
texts = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="\n\r\0\2\3\4\x0f\x11\x16\x1d\x1e\x1f"
    ),
    max_size=40,
).map(lambda text: f"a{text}")
times = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0)
)
conversations = st.lists(st.tuples(times, nicks, texts), min_size=2, max_size=8)


def as_irssi(said: Sequence[Said]) -> str:
    lines: list[str] = []
    for moment, nick, text in said:
        lines.append(f"--- Day changed {moment:%a %b %d %Y}\n{moment:%H:%M} < {nick}> {text}\n")
    return "".join(lines)


def as_weechat(said: Sequence[Said]) -> str:
    return "".join(f"{m:%Y-%m-%d %H:%M:%S}\t{nick}\t{text}\n" for m, nick, text in said)


def as_supybot(said: Sequence[Said]) -> str:
    return "".join(f"{m:%Y-%m-%dT%H:%M:%S}  <{nick}> {text}\n" for m, nick, text in said)


def as_mirc(said: Sequence[Said]) -> str:
    return "".join(
        f"Session Start: {m:%a %b %d %H:%M:%S %Y}\r\nSession Ident: #rome\r\n"
        f"[{m:%H:%M}] <{nick}> {text}\r\n"
        f"Session Close: {m:%a %b %d %H:%M:%S %Y}\r\n\r\n"
        for m, nick, text in said
    )


def as_psybnc(said: Sequence[Said]) -> str:
    return "".join(
        f"{m:%Y-%m-%d-%H-%M-%S}:#rome::{nick}!user@host PRIVMSG #rome :{text}\n"
        for m, nick, text in said
    )


WRITERS: dict[str, Callable[[Sequence[Said]], str]] = {
    "irssi": as_irssi,
    "weechat": as_weechat,
    "supybot": as_supybot,
    "mirc": as_mirc,
    "psybnc": as_psybnc,
}


def irc(data: bytes, name: str = "#rome.log") -> Read:
    return read(MemoryFile(data, name), reader=GuardedReader(IrcReader()))


def as_said(found: Read) -> list[tuple[str, str, str]]:
    return [(local_stamp(m), m.author.id if m.author else "", m.text) for m in found.messages]


def claim(file: ExportFile) -> Recognition | None:
    with Readers().open(file) as export:
        return IrcReader().recognise(export)


@pytest.mark.parametrize("client", WRITERS)
@settings(max_examples=50, deadline=None)
@given(said=conversations)
def test_what_is_written_is_read_back(client: str, said: list[Said]) -> None:
    found = irc(WRITERS[client](said).encode())
    assert as_said(found) == [(moment.isoformat(), nick, text) for moment, nick, text in said]
    assert found.warnings == []
    assert len({m.key for m in found.messages}) == len(found.messages)


@pytest.mark.parametrize("client", WRITERS)
@settings(max_examples=50, deadline=None)
@given(said=conversations, share=st.floats(0, 1))
def test_the_beginning_of_a_file_gives_the_first_messages(
    client: str, said: list[Said], share: float
) -> None:
    """A line that is cut off has no end that could be missed: only the last one may differ."""
    data = WRITERS[client](said).encode()
    whole = as_said(irc(data))
    try:
        found = irc(data[: int(len(data) * share)])
    except UnreadableExportError:
        return
    read_back = as_said(found)
    assert len(read_back) <= len(whole)
    assert read_back[:-1] == whole[: max(len(read_back) - 1, 0)]
    assert len(found.warnings) <= 2


def test_every_whole_line_of_a_cut_file_is_read() -> None:
    lines = [f"[09:{minute:02}] <Ann> line {minute}\n" for minute in range(60)]
    for count in (1, 2, 30, 60):
        data = "".join(lines[:count]).encode()
        assert len(irc(data, "2024-01-31.log").messages) == count
        cut = irc(data + b"[09:5", "2024-01-31.log")
        assert len(cut.messages) == count
        assert [(w.line, w.reason) for w in cut.warnings] == [
            (count + 1, "a line belongs to no message and tell of nothing; left out")
        ]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            (
                *("--- ", "Session ", "Start: ", "**** BEGIN LOGGING AT ", "=== ", "[00:00] --- "),
                *("Day changed ", "Sat Sep 06 2014", "[09:21] ", "12:30 ", "2005-01-08T23:33:54  "),
                *(
                    "<Ann> ",
                    "* ",
                    "*** ",
                    "-!- ",
                    "-Bot- ",
                    "\t",
                    "\n",
                    "\0",
                    "\x03",
                    "has joined #x",
                ),
                *(
                    "is now known as ",
                    "Joins: ",
                    "(a@b) ",
                    "\ud800",
                    "99:99",
                    "Feb 30",
                    "1105227234 ",
                ),
                *("2004-01-31-12-00-00:#c::a!b@c PRIVMSG #c :", "[15 Jan 08:42] ", "+", "ö", "\r"),
            )
        ),
        max_size=40,
    ).map("".join)
)
def test_no_mixture_of_what_logs_hold_breaks_reading(text: str) -> None:
    data = b"[09:20] <Ann> a\n[09:21] <Bob> b\n" * 30 + text.encode("utf-8", "replace")
    found = irc(data, "2024-01-31.log")
    assert len(found.messages) >= 60
    assert len({m.key for m in found.messages}) == len(found.messages)
    assert all("\0" not in m.text for m in found.messages)


@pytest.mark.parametrize(
    "line",
    [
        "[09:21] <" + "a" * 1_000_000,
        "[09:21] <Ann> " + "b: " * 500_000,
        "[09:21] *** mode/" + "] by x " * 200_000,
        "[09:21] *** " + "x was kicked by " * 100_000,
        "[09:21] *** " + "(" * 1_000_000,
        "[09:21] -" + "a" * 1_000_000,
        "[09:21] -" + "a:" * 500_000,
        "--- Day changed " + "a " * 500_000,
        "Session Start: " + "1" * 1_000_000,
        "[" + "0" * 1_000_000,
        "<" + "a!" * 500_000,
        "[09:21] #c: mode change '" + "' by " * 200_000,
    ],
)
def test_long_lines_take_no_long_time(line: str) -> None:
    data = f"[09:20] <Ann> a\n[09:20] <Ann> b\n{line}\n[09:22] <Ann> c\n".encode()
    began = time.perf_counter()
    found = irc(data, "2024-01-31.log")
    assert time.perf_counter() - began < 5
    assert [m.text for m in found.messages if m.kind == "message"][:2] == ["a", "b"]
    assert found.messages[-1].text == "c"


def test_many_nicks_and_marks_do_not_fill_memory() -> None:
    people = irc(
        b"[09:20] <a> a\n"
        + b"".join(b"[09:20] *** n%d is now known as m%d\n" % (n, n) for n in range(30_000)),
        "2024-01-31.log",
    )
    assert len(people.messages) == 30_001
    day = b"--- Day changed Sat Sep 06 2014\n"
    marks = irc(day + b"[09:20] <a> a\n" + day * 120_000 + b"[09:20] <a> b\n")
    assert [local_stamp(m) for m in marks.messages] == ["2014-09-06T09:20:00"] * 2


def test_long_files_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "2024-01-31.log"
    with path.open("wb") as target:
        for number in range(150_000):
            minute = b"%02d:%02d" % (number // 7_500, number // 125 % 60)
            target.write(b"[%s] <nick%d> Ann: is it so?\n" % (minute, number % 30_000))
    tracemalloc.start()
    try:
        with Readers().open(LocalFile(path)) as export:
            items = IrcReader().read(export, ReadOptions(), ReadFacts())
            assert sum(isinstance(item, Message) for item in items) == 150_000
        assert tracemalloc.get_traced_memory()[1] < 48 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_paths_that_climb_are_only_names() -> None:
    found = irc(b"[09:20] <a> a\n", "../../etc/#passwd.log")
    assert found.conversations[0].title == "#passwd"


def test_logs_are_recognised_by_what_they_hold() -> None:
    talk = "[09:21] <Ann> hello\n[09:22] <Bob> hi\n"
    assert claim(MemoryFile(talk.encode(), "x")) == Recognition(
        "irc", 0.9, "lines begin with a time and a nick in angle brackets"
    )
    opened = claim(MemoryFile(b"--- Log opened Sat Sep 06 18:28:43 2014\n18:30 <@Ann> hi\n", "x"))
    assert opened is not None
    assert opened.confidence == 0.95
    assert claim(zip_file({"a/b/2024-01-01.log": talk})) is not None
    others = {f"notes{number}.txt": "Hello.\n" for number in range(3)}
    assert claim(zip_file({"2024-01-01.log": talk, **others})) == Recognition(
        "irc", 0.5, "a few of its files are IRC logs"
    )
    empty = {f"markers/{number}.txt": "" for number in range(50)}
    logs = claim(zip_file({**empty, "2024-01-01.log": talk}))
    assert logs is not None
    assert logs.confidence == 0.9


@pytest.mark.parametrize("part", ["mirc", "irssi", "weechat", "znc", "ubuntu"])
def test_the_sample_logs_are_recognised(part: str) -> None:
    for path in sorted(data_path("irc", part).rglob("*")):
        if path.is_file():
            found = claim(LocalFile(path))
            assert found is not None, path
            assert found.confidence >= 0.9, path
            assert path.stem not in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[09:21] <Ann> only one line\n",
        "2024-01-31, 09:21 - Ann: hello\n2024-01-31, 09:22 - Bob: hi\n",
        "[31.01.24, 09:21:00] Ann: hello\n[31.01.24, 09:22:00] Bob: hi\n",
        "[2024-01-31 09:21] Ann: hello\n[2024-01-31 09:22] Bob: hi\n",
        "21:05\tAnn\n21:06\tBob\n",
        "<html>\n<body>\n<p> a\n</body>\n",
        "<Ann> hello\n<Bob> hi\n",
        "09:21 breakfast\n10:00 meeting\n",
        "2024-01-31 09:21:00 INFO started\n2024-01-31 09:22:00 WARN <x> stopped\n",
        "time\tauthor\ttext\n2024-01-31 09:21:00\tAnn\n",
        '{"a": 1}\n',
    ],
)
def test_other_texts_are_not_recognised(text: str) -> None:
    assert claim(MemoryFile(text.encode() or b" ", "chat.txt")) is None


def test_exports_of_other_formats_are_not_recognised() -> None:
    folders = [SAMPLES, data_path("chitchat"), data_path("fixtures")]
    others = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "irclog2html" not in path.parts
    ]
    assert len(others) > 50
    assert [path for path in others if path.stat().st_size and _is_claimed(path)] == []


def _is_claimed(path: Path) -> bool:
    try:
        return claim(LocalFile(path)) is not None
    except UnreadableExportError:
        return False


def test_the_reader_wins_for_irc_and_loses_for_whatsapp() -> None:
    others = [reader for reader in default_readers() if reader.format != IrcReader.format]
    readers = Readers([*others, IrcReader()])
    for text, name in (
        ("[09:21] <Ann> hello\n[09:22] <Bob> hi\n", "irc"),
        ("[2024-01-31 09:21:00] <Ann> hello\n[2024-01-31 09:22:00] <Bob> hi\n", "irc"),
        ("2024-01-31 09:21:00\tAnn\thello\n2024-01-31 09:22:00\tBob\thi\n", "irc"),
        ("[31.01.24, 09:21:00] Ann: hello\n[31.01.24, 09:22:00] Bob: hi\n", "whatsapp"),
    ):
        with readers.open(MemoryFile(text.encode(), "chat.txt")) as export:
            assert readers.recognise(export)[0].format == name, text
