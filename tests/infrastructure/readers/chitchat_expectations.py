"""What is found in the samples of the formats people export from, under the words expected."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from application.ports.chat_reader import ReadOptions
from tests.infrastructure.readers.expectations import (
    CheckedBy,
    Checker,
    Record,
    counted,
    read_cleanly,
    stored,
)
from tests.infrastructure.readers.support import MemoryFile, local_stamp, read, utc_stamp


def _discord(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    found = read_cleanly(path)
    assert {conversation.kind for conversation in found.conversations} == {"channel"}
    yield Record(
        **stored(path),
        **counted(found, utc_stamp),
        files=len(_members(path)),
        csv=[_discord_table(folder / case["file"]) for case in expected["csv"]],
    )


def _discord_table(path: Path) -> Record:
    return Record(
        **stored(path),
        **counted(read_cleanly(path), utc_stamp),
        note=CheckedBy(
            "infrastructure/readers/test_discord_tables.py"
            "::test_a_real_table_says_what_the_json_of_its_channel_says",
            by_name=False,
        ),
    )


def _messenger(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    found = read_cleanly(path)
    threads = len(found.conversations)
    more = {"threads": threads, "messages_per_channel": f"{threads} threads (omitted)"}
    yield Record(stored(path) | counted(found, utc_stamp) | more)


def _signal(folder: Path, expected: Any) -> Iterator[Record]:
    """Its titles are names of folders, which lack some characters."""
    path = folder / expected["file"]
    record = counted(read_cleanly(path), local_stamp)
    titles = {_letters(title): title for title in expected["messages_per_channel"]}
    record["messages_per_channel"] = {
        titles.get(_letters(title), title): count
        for title, count in record["messages_per_channel"].items()
    }
    note = CheckedBy(
        "infrastructure/readers/test_signal_files.py"
        "::test_the_markdown_and_the_rows_of_a_real_export_hold_the_same_messages",
        by_name=False,
    )
    yield Record(**stored(path), **record, note=note)


def _skype(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    yield Record(**stored(path), **counted(read_cleanly(path), utc_stamp))


def _slack(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    found = read_cleanly(path)
    replies = [m for m in found.spoken if m.thread not in (None, m.key)]
    record = counted(found, utc_stamp)
    yield Record(
        **stored(path),
        **record,
        channel_join_messages=record["system_lines"],
        thread_replies=len(replies),
        threads_with_replies=len({(m.conversation, m.thread) for m in replies}),
        # Each is one thread.
        conversations_ground_truth=len({(m.conversation, m.thread or m.key) for m in found.spoken}),
        day_files=sum("/" in name for name in _members(path)),
        users_json=_users_listed(path),
    )


def _tables(folder: Path, expected: Any) -> Iterator[Record]:
    names = [file["file"] for file in expected["files"]]
    for name in names:
        yield Record(
            **counted(read_cleanly(folder / name), utc_stamp),
            files=[stored(folder / each) for each in names],
            note=CheckedBy(
                "infrastructure/readers/test_tables.py"
                "::test_german_columns_with_semicolons_and_a_byte_order_mark_are_understood",
                by_name=False,
            ),
        )


def _telegram(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    record = counted(read_cleanly(path), utc_stamp)
    dated = re.sub(rb'"date_unixtime": *"\d+",\s*', b"", path.read_bytes())
    found = read(MemoryFile(dated), ReadOptions(timezone=expected["export_timezone"]))
    same = counted(found, utc_stamp)["digest_sha256"] == record["digest_sha256"]
    yield Record(
        **stored(path),
        **record,
        service_messages=record["system_lines"],
        export_timezone=found.facts.timezone if same else None,
    )


def _whatsapp(folder: Path, expected: Any) -> Iterator[Record]:
    archives = [_whatsapp_archive(folder / one["file"]) for one in expected["archives"]]
    total = sum(archive["messages"] for archive in archives)
    yield Record(total_messages=total, archives=archives)


def _whatsapp_archive(path: Path) -> Record:
    found = read_cleanly(path)
    record = counted(found, local_stamp)
    assert {date.doubt for date in found.facts.dates} == {None}
    chats = dict(zip(_members(path), found.conversations, strict=True))
    last_days = {
        chat: max(message.sent_at.day for message in messages)
        for chat, messages in groupby(found.messages, lambda message: message.conversation)
    }
    return Record(
        **stored(path),
        **record,
        locale_pattern=path.stem,
        messages_per_file={
            name: record["messages_per_channel"][chat.title] for name, chat in chats.items()
        },
        files_with_ambiguous_day_month=[
            name for name, chat in chats.items() if last_days[chat.id] <= 12
        ],
    )


def _members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def _users_listed(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return len(json.loads(archive.read("users.json")))


def _letters(title: str) -> str:
    return "".join(character for character in title if character.isalnum())


CHITCHAT: dict[str, Checker] = {
    "chitchat/discord/expect.json": _discord,
    "chitchat/generic/expect.json": _tables,
    "chitchat/messenger/expect.json": _messenger,
    "chitchat/signal/expect.json": _signal,
    "chitchat/skype-teams/expect.json": _skype,
    "chitchat/slack/expect.json": _slack,
    "chitchat/telegram/expect.json": _telegram,
    "chitchat/whatsapp/expect.json": _whatsapp,
}
