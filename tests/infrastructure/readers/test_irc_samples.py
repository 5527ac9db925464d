"""Real IRC logs give what was counted in them, linked by hand, by other means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from domain.message import Message
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import (
    Read,
    expectation,
    local_stamp,
    read,
    zip_file,
)
from tests.support.data import data_path

TWELVE_HOURS = {  # files in which the clock goes from 12:59 to 1:00, or from 11:59 to 0:00
    *("2004-11-15_03.raw.txt", "2004-12-25.train-c.raw.txt", "2005-08-08_01.raw.txt"),
    *("2006-01-02.train-c.raw.txt", "2006-01-12.train-c.raw.txt", "2006-12-06.train-c.raw.txt"),
}
PAST_MIDNIGHT = {
    *("2008-07-03.train-c", "2010-02-13.train-a", "2011-11-13_02", "2012-03-24.train-c"),
    *("2013-01-30.train-a", "2013-07-19.train-a", "2013-10-28.train-a", "2015-05-08.train-c"),
    *("2015-08-10.train-b", "2017-02-06.train-c"),
}


def irc(path: Path) -> Read:
    return read(path, reader=GuardedReader(IrcReader()))


def plain_messages(found: Read) -> list[Message]:
    return [message for message in found.messages if message.kind == "message"]


def digest(messages: list[Message], stamp: Callable[[Message], str]) -> str:
    """As Read.digest, of rows that are sorted before they are escaped."""
    rows = sorted((stamp(m), m.author.name if m.author else "", m.text) for m in messages)
    escaped = (
        "\t".join(field.replace("\\", "\\\\").replace("\t", "\\t") for field in r) for r in rows
    )
    return sha256("".join(f"{row}\n" for row in escaped).encode()).hexdigest()


def clock_stamp(message: Message) -> str:
    return message.sent_at.strftime("%H:%M")


def test_the_ubuntu_logs_give_the_counted_messages() -> None:
    folder = data_path("irc")
    expected = expectation(folder / "expect-ubuntu.json")
    kinds: Counter[str] = Counter()
    for file in expected["files"]:
        path = folder / file["file"]
        found = irc(path)
        counts = Counter(message.kind for message in found.messages)
        kinds += counts
        said = plain_messages(found)
        name = path.name
        assert counts["message"] == file["messages"], name
        assert counts["action"] == file["actions"], name
        assert counts["system"] == file["system_lines"] + file["other_lines"], name
        assert len({m.author for m in found.spoken}) == file["speakers"], name
        assert clock_stamp(said[0]) == file["first_time"], name
        assert clock_stamp(said[-1]) == file["last_time"], name
        assert digest(said, clock_stamp) == file["digest_sha256"], name
        assert found.messages[0].sent_at.date().isoformat() == file["date"], name
        assert len({m.key for m in found.messages}) == file["lines"], name
        assert {(m.precision, m.zone) for m in found.messages} == {("minute", "assumed")}, name
        days = len({m.sent_at.date() for m in found.messages})
        assert days == 1 + (name.removesuffix(".raw.txt") in PAST_MIDNIGHT), name
        assert len(found.warnings) == (name in TWELVE_HOURS), name
        assert all("twelve hours" in reason for reason in found.reasons), name
    totals = expected["totals"]
    assert kinds["message"] == totals["messages"] == 152_045
    assert kinds["action"] == totals["actions"] == 304
    assert kinds["system"] == totals["system_lines"] + totals["other_lines"] == 18_672


def test_the_ubuntu_logs_in_one_archive_are_one_channel_in_the_order_of_time() -> None:
    folder = data_path("irc", "ubuntu")
    files = {f"ubuntu/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
    found = read(zip_file(files), reader=GuardedReader(IrcReader()))
    assert found.conversations == [("#ubuntu", "#ubuntu", "channel")]
    assert len(found.messages) == 171_021
    assert len({m.key for m in found.messages}) == 171_021
    days = [m.sent_at.date() for m in found.messages]
    assert days[0].isoformat() == "2004-11-15"
    assert days == sorted(days)


def test_the_logs_of_four_clients_give_the_counted_messages() -> None:
    folder = data_path("irc")
    for log in expectation(folder / "expect-clients.json")["logs"]:
        found = _client_log(folder, log)
        said = plain_messages(found)
        name = log["format"]
        assert len(said) == log["messages"], name
        assert len({m.author for m in found.spoken}) == log["speakers"], name
        assert digest(said, local_stamp) == log["digest_sha256"], name
        assert min(map(local_stamp, said)) == log["first_ts"], name
        assert max(map(local_stamp, said)) == log["last_ts"], name
        assert {m.precision for m in found.messages} == {log["timestamp_precision"]}, name
        notices = [m for m in found.messages if m.extra and m.extra.get("event") == "notice"]
        assert len(notices) == log["notices"], name
        # What the mIRC log marks twice, "* * nick does", was counted with what happened.
        others = len(found.messages) - len(said) - len(notices)
        assert others == log["actions"] + log["system_lines"], name
        speakers = Counter(m.author.name for m in said if m.author)
        assert all(speakers[nick] == count for nick, count in log["top_speakers"]), name
        assert found.warnings == [], name
        assert found.facts.unknown_keys == {}, name


@pytest.mark.parametrize(
    ("format", "id", "title"),
    [
        ("weechat", "mozilla/#rust", "#rust"),
        ("irssi", "#mediawiki", "#mediawiki"),
        ("znc", "freenode/#stripe-0", "#stripe-0"),
        ("mirc", "#ubuntu-meeting", "#ubuntu-meeting"),
    ],
)
def test_the_logs_of_four_clients_are_called_after_their_channels(
    format: str, id: str, title: str
) -> None:
    folder = data_path("irc")
    logs = expectation(folder / "expect-clients.json")["logs"]
    found = _client_log(folder, next(log for log in logs if log["format"] == format))
    assert found.conversations == [(id, title, "channel")]


def _client_log(folder: Path, log: dict[str, Any]) -> Read:
    if len(log["files"]) == 1:
        return irc(folder / log["files"][0]["file"])
    files = {file["file"]: (folder / file["file"]).read_bytes() for file in log["files"]}
    return read(zip_file(files), reader=GuardedReader(IrcReader()))


def test_a_log_of_supybot_is_read() -> None:
    folder = data_path("fixtures", "irclog2html")
    (expected,) = expectation(folder / "expect.json")["files"]
    found = irc(folder / expected["file"])
    assert found.conversations == [("#pov", "#pov", "channel")]
    assert len(plain_messages(found)) == expected["messages"]
    assert len(found.messages) == expected["lines"]
    assert sorted({m.author.name for m in found.messages if m.author}) == expected["nicks"]
    assert (local_stamp(found.messages[0]), found.messages[0].text) == (
        "2005-01-08T23:33:54",
        "povbot has joined #pov",
    )
    assert found.messages[-1].text.startswith("mgedmin: web1913, jargon, foldoc, vera, and wn res")
    assert found.warnings == []


def test_answers_are_right_nine_times_in_ten_by_links_made_by_hand() -> None:
    folder = data_path("irc")
    links = right = 0
    for path in sorted((folder / "ubuntu-annotations").iterdir()):
        name = path.name.replace(".annotation.txt", ".raw.txt")
        linked = _linked_lines(path)
        messages = irc(folder / "ubuntu" / name).messages  # one for each line of these files
        lines = {message.key: line for line, message in enumerate(messages)}
        for line, message in enumerate(messages):
            if message.reply_to is not None and line in linked:
                links += 1
                right += lines[message.reply_to] in linked[line]
    assert (right, links) == (6_447, 7_241)  # 89.0 %


def _linked_lines(path: Path) -> dict[int, set[int]]:
    """Line -> lines that it answers; both from 0."""
    found: dict[int, set[int]] = {}
    for row in path.read_text().splitlines():
        one, other, _ = row.split()
        later, earlier = max(int(one), int(other)), min(int(one), int(other))
        found.setdefault(later, set()).add(earlier)
    return found
