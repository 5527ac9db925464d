"""What is found in the logs of IRC, under the words expected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain.message import Message
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.expectations import (
    CheckedBy,
    Checker,
    Mistaken,
    Note,
    Record,
    author_of,
    counted,
    read_cleanly,
    stored,
)
from tests.infrastructure.readers.support import Read, local_stamp, read, zip_file

TWELVE_HOURS = {  # files in which the clock goes from 12:59 to 1:00, or from 11:59 to 0:00
    *("2004-11-15_03", "2004-12-25.train-c", "2005-08-08_01"),
    *("2006-01-02.train-c", "2006-01-12.train-c", "2006-12-06.train-c"),
}
PAST_MIDNIGHT = {
    *("2008-07-03.train-c", "2010-02-13.train-a", "2011-11-13_02", "2012-03-24.train-c"),
    *("2013-01-30.train-a", "2013-07-19.train-a", "2013-10-28.train-a", "2015-05-08.train-c"),
    *("2015-08-10.train-b", "2017-02-06.train-c"),
}
IN_ONE_ARCHIVE = CheckedBy(  # most of the files alone do not tell
    "infrastructure/readers/test_irc_samples.py"
    "::test_the_ubuntu_logs_in_one_archive_are_one_channel_in_the_order_of_time"
)
LINE_SHOWN = 80
ELSEWHERE = re.compile(r"\(\S+/#\S+\) ")  # what somebody has said in another channel


def irc(path: Path) -> Read:
    return read(path, reader=GuardedReader(IrcReader()))


def client_log(folder: Path, log: dict[str, Any]) -> Read:
    paths = [folder / file["file"] for file in log["files"]]
    if len(paths) == 1:
        return read_cleanly(paths[0])
    return read_cleanly(
        zip_file({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})
    )


def _clients(folder: Path, expected: Any) -> Iterator[Record]:
    yield Record(logs=[_client(folder, log) for log in expected["logs"]])


def _client(folder: Path, log: dict[str, Any]) -> Record:
    found = client_log(folder, log)
    record = counted(found, local_stamp)
    record["notices"] = sum((m.extra or {}).get("event") == "notice" for m in found.messages)
    record["system_lines"] -= record["notices"]
    record["days"] = len({message.sent_at.date() for message in found.messages})
    record["files"] = [stored(folder / file["file"]) for file in log["files"]]
    match log["format"]:
        case "mirc":
            reason = "“* * nick does”, which this log has for “* nick does”, was taken for an event"
            record["actions"] = Mistaken(record["actions"], 0, 46, reason)
            record["system_lines"] = Mistaken(record["system_lines"], 73, 27, reason)
        case "znc":
            record["messages_per_channel"] = Mistaken(
                record["messages_per_channel"],
                {"#stripe": 1200},
                {"#stripe-0": 1200},
                "the folder, which ZNC calls after the channel, has another name",
            )
    return record


def _ubuntu(folder: Path, expected: Any) -> Iterator[Record]:
    files: list[Record] = []
    nicks: set[str | None] = set()
    for file in expected["files"]:
        found = irc(folder / file["file"])
        files.append(_ubuntu_log(folder / file["file"], found))
        nicks.update(map(author_of, found.spoken))
    totals = Counter[str]()
    for file in files:
        totals.update({key: value for key, value in file.items() if isinstance(value, int)})
    dates = [file["date"] for file in files]
    yield Record(
        format=Note("described in words"),
        files=files,
        totals=Record(
            totals,
            files=len(files),
            speakers=len(nicks),
            first_date=min(dates),
            last_date=max(dates),
            skipped_for_slurs=Note("no part of the samples"),
        ),
    )


def _ubuntu_log(path: Path, found: Read) -> Record:
    name = path.name.removesuffix(".raw.txt")
    said = [message for message in found.messages if message.kind == "message"]
    days = {message.sent_at.date() for message in found.messages}
    assert len(days) == 1 + (name in PAST_MIDNIGHT), name
    assert len(found.warnings) == (name in TWELVE_HOURS), name
    assert all("twelve hours" in reason for reason in found.reasons), name
    assert {(m.precision, m.zone) for m in found.messages} == {("minute", "assumed")}, name
    record = counted(found, _clock)
    others = sum(bool(ELSEWHERE.match(m.text)) for m in found.messages if m.kind == "system")
    annotation = path.parents[1] / "ubuntu-annotations" / f"{name}.annotation.txt"
    return Record(
        stored(path) | record | _annotated(annotation),
        split=Note("whose use of it is meant"),
        channel=IN_ONE_ARCHIVE,
        date=min(days).isoformat(),
        lines=len({message.key for message in found.messages}),
        other_lines=others,
        system_lines=record["system_lines"] - others,
        first_time=_clock(said[0]),
        last_time=_clock(said[-1]),
    )


def _supybot(folder: Path, expected: Any) -> Iterator[Record]:
    yield Record(
        files=[_supybot_log(folder / file["file"]) for file in expected["files"]],
        note=CheckedBy(
            "infrastructure/readers/test_irc.py::test_a_log_of_dircproxy_is_read_without_its_flags",
            by_name=False,
        ),
    )


def _supybot_log(path: Path) -> Record:
    found = read_cleanly(path)
    record = counted(found, local_stamp)
    first, last = found.messages[0], found.messages[-1]
    return Record(
        stored(path) | record,
        lines=len(found.messages),
        other=record["system_lines"],
        nicks=sorted({m.author.name for m in found.messages if m.author}),
        first_line=f"{local_stamp(first)}  *** {first.text}",
        last_line=f"{local_stamp(last)}  <{author_of(last)}> {last.text}"[:LINE_SHOWN],
    )


def _clock(message: Message) -> str:
    return message.sent_at.strftime("%H:%M")


def _annotated(path: Path) -> Record:
    """No reader reads it, but a test of answers does."""
    links = linked_lines(path)
    groups: dict[int, set[int]] = {}
    for line, earlier in links.items():
        joined = {line, *earlier}
        group = joined.union(*(groups.get(one, ()) for one in joined))
        groups.update(dict.fromkeys(group, group))
    return Record(
        annotated_lines=len(links),
        first_annotated_line=min(links),
        reply_links=sum(map(len, links.values())),
        conversations_annotated=len(set(map(id, groups.values()))),
    )


def linked_lines(path: Path) -> dict[int, set[int]]:
    """Line -> lines that it answers, itself if it answers none; both from 0."""
    found: dict[int, set[int]] = {}
    for row in path.read_text().splitlines():
        one, other, _ = row.split()
        later, earlier = max(int(one), int(other)), min(int(one), int(other))
        found.setdefault(later, set()).add(earlier)
    return found


IRC: dict[str, Checker] = {
    "fixtures/irclog2html/expect.json": _supybot,
    "irc/expect-clients.json": _clients,
    "irc/expect-ubuntu.json": _ubuntu,
}
