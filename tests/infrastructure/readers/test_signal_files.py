"""What signal-export and the first exporters wrote of Signal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.ports.chat_reader import (
    ReadOptions,
)
from domain.message import Attachment, Edit, Reaction
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.signal_exports import (
    MARKDOWN,
    backup,
    lines,
    row,
    rows,
    said,
    signal,
)
from tests.infrastructure.readers.support import (
    expectation,
    local_stamp,
    text_file,
    zip_file,
)
from tests.support.data import data_path

# signal-export


def test_rows_of_signal_export_are_read() -> None:
    found = signal(
        rows(
            row(),
            row(sender="Me", date="2024-01-15T10:30:01.250000", body="ho  "),
            row(
                date="2024-01-15T10:31:00",
                body="yes  ",
                quote="\n\n> ho\n\n",
                reactions=[["Me", "👍"], {"name": "Bob", "emoji": "👍"}],
                attachments=[{"name": "a.jpg", "path": "media/a.jpg"}],
                edits=[{"date": "2024-01-15T10:30:59", "body": "yess  "}],
            ),
            row(deleted=True, body=""),
            row(call=True, body="Incoming voice call (accepted, 5m 2s)  ", sender="Me"),
            row(sticker={"id": "1", "packKey": "s", "emoji": "🐱"}, body="  "),
            row(sender="No-Sender", body="  "),
        ),
        ReadOptions(timezone="Europe/Berlin"),
    )
    assert found.conversations == [("Ann", "Ann", "direct")]
    assert [(m.kind, m.author and m.author.id, m.text) for m in found.messages] == [
        ("message", "Ann", "hi"),
        ("message", "Me", "ho"),
        ("message", "Ann", "yes"),
        ("deleted", "Ann", ""),
        ("system", "Me", "Incoming voice call (accepted, 5m 2s)"),
        ("message", "Ann", ""),
        ("system", None, "An event that the export does not describe"),
    ]
    second, third, sticker = (found.messages[n] for n in (1, 2, 5))
    assert (second.precision, second.sent_at.microsecond) == ("millisecond", 250_000)
    assert third.sent_at == datetime(2024, 1, 15, 9, 31, tzinfo=UTC)
    assert (third.precision, third.zone) == ("second", "stated")
    assert third.reply_to == second.key
    assert third.extra == {"quote": "ho"}
    assert third.reactions == (Reaction("👍", ("Me", "Bob"), 2),)
    assert third.attachments == (Attachment("a.jpg", None, None),)
    assert third.edits == (Edit("yess", datetime(2024, 1, 15, 9, 30, 59, tzinfo=UTC)),)
    assert sticker.attachments == (Attachment("sticker", None, None),)
    assert sticker.extra == {"sticker": "🐱"}
    assert (found.warnings, found.facts.unknown_keys) == ([], {})


def test_the_markdown_of_signal_export_is_read() -> None:
    found = signal(lines(MARKDOWN.replace("a (1).jpg](./media/a (1)", "a_(1).jpg](./media/a_(1)")))
    assert found.conversations == [("Ann", "Ann", "direct")]
    assert [(m.kind, m.author and m.author.id, m.text) for m in found.messages] == [
        ("message", "Ann", "hi"),
        ("message", "Me", "ho"),
        ("message", "Ann", "yes\nreally"),
        ("deleted", "Ann", ""),
        ("message", "Me", "look [here](https://a.b)"),
        ("message", "Ann", ""),
        ("system", None, "An event that the export does not describe"),
    ]
    _, second, third, _, fifth, sixth, _ = found.messages
    assert third.extra == {"quote": "ho\nthere"}
    assert third.reply_to is None
    assert third.reactions == (
        Reaction("👍", ("Me", "Bob, Jr."), 2),
        Reaction("❤️", ("Cem",), 1),
    )
    assert third.attachments == (Attachment("a_(1).jpg", None, None),)
    assert [a.name for a in fifth.attachments] == ["x.jpg", "y"]
    assert (sixth.attachments, sixth.extra) == (
        (Attachment("sticker", None, None),),
        {"sticker": "🐱"},
    )
    assert (second.precision, second.zone) == ("second", "assumed")
    assert found.warnings == []


def test_a_quotation_answers_only_what_was_said_once() -> None:
    quoted = "[2024-01-15 10:32:00] Me: \n\n> {}\n\nyes\n"
    text = (
        "[2024-01-15 10:30:00] Ann: a\n[2024-01-15 10:30:00] Ann: b\n[2024-01-15 10:31:00] Bob: b\n"
    )
    found = signal(lines(text + quoted.format("a") + quoted.format("b") + quoted.format("c")))
    assert [m.reply_to for m in found.messages[3:]] == [found.messages[0].key, None, None]
    assert [m.extra for m in found.messages[3:]] == [{"quote": "a"}, {"quote": "b"}, {"quote": "c"}]


@pytest.mark.parametrize(
    "text", ["> not a quotation", "(- no reactions -)", "see ](./media/x)", "(( no", "[x](y)", "a:"]
)
def test_what_only_looks_like_a_mark_is_text(text: str) -> None:
    found = signal(lines(f"[2024-01-15 10:30:00] Ann: {text}\n"))
    assert found.texts == [text]
    assert found.messages[0].attachments == ()


def test_of_one_chat_in_two_files_only_one_is_read() -> None:
    data = json.dumps(row()) + "\n"
    markdown = "[2024-01-15 10:30:00] Ann: hi  \n\n"
    found = signal(
        zip_file(
            {
                "export/Ann/chat.md": markdown,
                "export/Ann/data.json": data,
                "export/Ann/media/chat.md": markdown,
                "export/Bob/chat.md": markdown,
                "export/Cem/chat.md": markdown,
                "export/Cem/data.json": "",
            }
        )
    )
    assert found.per_title() == {"Ann": 1, "Bob": 1, "Cem": 1}
    assert found.warnings == []


@pytest.mark.parametrize("folder", ["", "files/", "media/Signal export/"])
def test_what_was_sent_in_a_chat_is_no_export(folder: str) -> None:
    data = backup(said("hi")).data
    members = {f"{folder}main.jsonl": data, f"{folder}files/0a/0a.jsonl": data}
    assert signal(zip_file({**members, f"{folder}metadata.json": "{}"})).texts == ["hi"]


def test_both_files_of_a_chat_give_the_same_keys() -> None:
    data = [row(), row(date="2024-01-15T10:30:01.123000", body="a\nb  "), row(deleted=True)]
    markdown = (
        "[2024-01-15 10:30:00] Ann: hi  \n\n[2024-01-15 10:30:01] Ann: a\nb  \n\n"
        "[2024-01-15 10:30:00] Ann: (This message was deleted)\n\n"
    )
    first, second = signal(rows(*data)), signal(lines(markdown))
    assert [m.key for m in first.messages] == [m.key for m in second.messages]


def test_keys_do_not_depend_on_the_zone() -> None:
    here, there = (
        signal(lines(MARKDOWN), ReadOptions(timezone=zone)) for zone in (None, "Asia/Tokyo")
    )
    assert [m.key for m in here.messages] == [m.key for m in there.messages]
    assert here.messages[0].sent_at - there.messages[0].sent_at == timedelta(hours=9)


def test_a_file_alone_is_called_after_the_only_other_person() -> None:
    text = json.dumps(row(sender="Me")) + "\n" + json.dumps(row()) + "\n"
    found = signal(text_file(text, "data.json"))
    assert found.conversations == [("Ann", "Ann", "direct")]


def test_rows_that_are_none_and_unknown_keys_are_told_of() -> None:
    wrong: list[Any] = [row(date=3), row(body=None), row(reactions=[1]), row(date="yesterday"), 5]
    found = signal(rows(row(), *wrong, row(glow=1)))
    assert [m.extra for m in found.messages] == [None, {"glow": 1}]
    assert [w.line for w in found.warnings] == [2, 3, 4, 5, 6]
    assert found.facts.unknown_keys == {"messages.glow": 1}


def test_the_markdown_and_the_rows_of_a_real_export_hold_the_same_messages() -> None:
    folder = data_path("chitchat", "signal")
    expected = expectation(folder / "expect.json")
    with Readers().open(LocalFile(folder / expected["file"])) as export:
        members = {file.name: file.open().read() for file in export.files}
    for ending in ("chat.md", "data.json"):
        chosen = {name: data for name, data in members.items() if name.endswith(ending)}
        found = signal(zip_file(chosen))
        assert len(found.spoken) == expected["messages"]
        assert found.digest(local_stamp) == expected["digest_sha256"]


def test_the_text_of_the_first_versions_is_read() -> None:
    found = signal(data_path("fixtures", "chat-miner", "signal-test_export.txt"))
    assert [(local_stamp(m), m.author and m.author.name, m.text) for m in found.messages] == [
        ("2019-12-24T12:23:00", "Jane Doe", "Hello John!"),
        ("2020-01-17T21:49:00", "John Doe", "Hello\nJane!"),
    ]
    assert {m.precision for m in found.messages} == {"minute"}
