"""What is found in the samples of other projects' tests, under the words expected."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from domain.message import Message
from infrastructure.readers.messenger.reader import InstagramReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.expectations import (
    CheckedBy,
    Checker,
    Mistaken,
    Note,
    Record,
    Stamp,
    author_of,
    counted,
    read_cleanly,
)
from tests.infrastructure.readers.support import Read, local_stamp, read, utc_stamp

READERS = "infrastructure/readers"
TEXT_SHOWN = 80
PREFIX_SHOWN = 60


def _chatgpt(folder: Path, expected: Any) -> Iterator[list[Record]]:
    files = []
    for file in expected:
        found = read_cleanly(folder / file["file"])
        told = [_branched(found, conversation.id) for conversation in found.conversations]
        files.append(Record(counted(found, utc_stamp), conversations=told))
    yield files


def _branched(found: Read, id: str) -> Record:
    (conversation,) = (c for c in found.conversations if c.id == id)
    assert conversation.kind == "ai"
    messages = [message for message in found.messages if message.conversation == id]
    path = [message for message in messages if "branch" not in (message.extra or {})]
    assert messages[: len(path)] == path
    return Record(
        id=id,
        title=conversation.title,
        create_time=messages[0].sent_at.timestamp(),
        nodes=len(messages),
        messages_all_branches=len(messages),
        messages_on_current_path=len(path),
        roles_on_path=[_role(message) for message in path],
        path=[
            {
                "id": message.key,
                "role": _role(message),
                "content_type": (message.extra or {}).get("content_type", "text"),
                "text": message.text[:TEXT_SHOWN],
            }
            for message in path
        ],
    )


def _role(message: Message) -> str | None:
    assert message.author is not None
    assert (message.kind == "system") == (message.author.id == "system")
    return message.author.id


def _claude(folder: Path, expected: Any) -> Iterator[list[Record]]:
    yield [_claude_file(folder / file["file"]) for file in expected]


def _claude_file(path: Path) -> Record:
    found = read_cleanly(path)
    is_list = isinstance(json.loads(path.read_text()), list)
    assert all(message.text for message in found.messages)
    assert {conversation.kind for conversation in found.conversations} == {"ai"}
    return Record(
        counted(found, utc_stamp),
        root="array" if is_list else "single conversation",
        conversations=len(found.conversations),
        by_conversation=[_asked(found, c.id, c.title) for c in found.conversations],
    )


def _asked(found: Read, id: str, name: str) -> dict[str, Any]:
    messages = [message for message in found.messages if message.conversation == id]
    answers = [message for message in messages if message.author == ("assistant", "Claude")]
    kept = {b["type"] for m in messages for b in (m.extra or {}).get("content", [])}
    return {
        "uuid": id,
        "name": name,
        "created_at": utc_stamp(messages[0]),
        "messages": len(messages),
        "human": len(messages) - len(answers),
        "assistant": len(answers),
        "content_types": sorted({"text", *kept}),
        "first_text_prefix": messages[0].text[:PREFIX_SHOWN],
    }


def _mail(folder: Path, expected: Any) -> Iterator[Record]:
    note = CheckedBy(
        f"{READERS}/test_mbox.py::test_mails_begin_at_lines_of_every_kind", by_name=False
    )
    files = []
    for file in expected["files"]:
        found = read_cleanly(folder / file["file"])
        parsed = [_sent(message) for message in found.messages]
        files.append(Record(counted(found, utc_stamp), parsed=parsed))
    yield Record(files=files, note=note)


def _sent(message: Message) -> dict[str, Any]:
    assert message.author is not None
    assert message.extra is not None
    hidden = message.author.id.replace("@", " at ")
    return {
        "message_id": message.key,
        "date_utc": utc_stamp(message),
        "sender": f"{hidden} ({message.author.name})",
        "subject": message.extra["subject"],
        "in_reply_to": message.reply_to,
    }


def _rsmf(folder: Path, expected: Any) -> Iterator[Record]:
    packed = folder / "sample2-rsmf.zip"
    first = read(folder / "sample1-rsmf_manifest.json")
    second = read_cleanly(packed)
    fourth = read(folder / "sample4-rsmf_manifest.json")
    with zipfile.ZipFile(packed) as archive:
        members = archive.namelist()
    yield Record(
        sample1=Record(
            events=len(first.messages),
            participants=len({message.author for message in first.messages}),
            conversations=len(first.conversations),
            manifest_events=[_event(message, {}) for message in first.messages],
        ),
        sample2_zip_members=members,
        sample2_manifest=_manifest(second, expected["sample2_manifest"]["participants"]),
        sample4=Record(
            events=len(fourth.messages),
            note=CheckedBy(
                f"{READERS}/test_rsmf.py::test_what_upstreams_samples_lack_is_told_of",
                by_name=False,
            ),
        ),
        schema=CheckedBy(
            "infrastructure/test_rsmf_export.py::test_the_manifest_is_valid_by_relativitys_schema",
            by_name=False,
        ),
    )


def _manifest(found: Read, people: list[dict[str, str]]) -> Record:
    """Ids of people count in their manifest only, so the reader knows people by name."""
    ids = {person["display"]: person["id"] for person in people}
    (conversation,) = found.conversations
    names = sorted({message.author.name for message in found.messages if message.author})
    return Record(
        version=Note("1.0.0 is read as 2.0.0 is"),
        participants=[
            Record(id=ids.get(name), display=name, avatar=Note("nobody is shown a picture"))
            for name in names
        ],
        conversations=[
            Record(
                id=conversation.id.removeprefix("C1 (").removesuffix(")"),
                display=conversation.title,
                type=conversation.kind,
                platform=Note("of no use to a reader"),
                participants=[ids.get(name) for name in names],
            )
        ],
        events=[_event(message, ids) for message in found.messages],
    )


def _event(message: Message, ids: dict[str, str]) -> dict[str, Any]:
    """Ids of events and conversations are told apart by what is added to them."""
    name = author_of(message) or ""
    return {
        "id": message.key.partition("@")[0],
        "participant": ids.get(name, name),
        "timestamp": local_stamp(message),
        "type": message.kind,
        "conversation": message.conversation.removeprefix("C1 (").removesuffix(")"),
    }


def _slack(folder: Path, expected: Any) -> Iterator[Record]:
    path = folder / expected["file"]
    found = read_cleanly(path)
    stamps = sorted(map(utc_stamp, found.messages))
    titles = {conversation.id: conversation.title for conversation in found.conversations}
    assert all(message.text for message in found.messages)
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
        users = json.loads(archive.read("users.json"))
    yield Record(
        format=counted(found, utc_stamp)["format"],
        message_events=len(found.messages),
        by_subtype=Counter(map(_subtype, found.messages)),
        per_channel=Counter(titles[message.conversation] for message in found.messages),
        authors=Mistaken(
            len({message.author for message in found.messages}),
            8,
            7,
            "who commented on a file is named elsewhere, and was counted as nobody, the eighth",
        ),
        first_ts=stamps[0],
        last_ts=stamps[-1],
        thread_replies=sum(m.thread not in (None, m.key) for m in found.messages),
        files=len(members),
        users_json=len(users),
    )


def _subtype(message: Message) -> str:
    """As far as a message still tells."""
    if message.kind == "system":
        return "channel_join" if message.text.endswith("has joined the channel") else "bot_add"
    if message.author and message.author.id.startswith("B"):
        return "bot_message"
    if message.attachments:
        return "file_comment" if " commented on " in message.text else "file_share"
    return "plain"


def _headers(folder: Path, expected: Any) -> Iterator[Record]:
    yield Record(cases=[_only_message(folder / case["file"]) for case in expected["cases"]])


def _only_message(path: Path) -> Record:
    found = _undated(path)
    (message,) = found.messages
    return Record(
        counted(found, local_stamp),
        author=author_of(message),
        text=message.text,
        local_timestamp=local_stamp(message),
    )


def _structures(folder: Path, expected: Any) -> Iterator[list[Record]]:
    files = []
    for case in expected:
        found = _undated(folder / case["file"])
        names = [m.attachments[0].name if m.attachments else None for m in found.messages]
        record = counted(found, local_stamp)
        first = Record(author=author_of(found.messages[0]), text=found.messages[0].text)
        more = {"system_messages": record["system_lines"], "attachments": names}
        files.append(Record(record | first | more))
    yield files


def _undated(path: Path) -> Read:
    """One of so few lines that they do not tell days from months."""
    found = read(path)
    assert all("dates were read as d/m/y" in reason for reason in found.reasons), path
    return found


def _whatsapp(folder: Path, expected: Any) -> Iterator[Record]:
    for name in expected["files"]:
        found = read_cleanly(folder / name)
        record = counted(found, local_stamp)
        yield Record(
            files=Note("read one by one"),
            messages=record["messages"],
            system_or_unparsed_lines=record["system_lines"],
            messages_with_newlines_kept=[
                {"local_timestamp": local_stamp(m), "author": author_of(m), "text": m.text}
                for m in found.spoken
            ],
            upstream_target=_newest_first(found.spoken, local_stamp),
            upstream_rule=Note("says how the target came about"),
        )


def _signal(folder: Path, expected: Any) -> Iterator[Record]:
    found = read_cleanly(folder / expected["file"])
    target = _newest_first(found.messages, local_stamp)
    yield Record(counted(found, local_stamp), upstream_target=target)


def _instagram(folder: Path, expected: Any) -> Iterator[Record]:
    """Nothing in the file tells it from one of Messenger's: a person has to."""
    found = read_cleanly(folder / expected["file"], reader=GuardedReader(InstagramReader()))
    target = _newest_first(found.messages, lambda m: utc_stamp(m).removesuffix("Z"))
    yield Record(counted(found, utc_stamp), upstream_target=target)


def _newest_first(messages: list[Message], stamp: Stamp) -> list[dict[str, Any]]:
    """With a space for the end of a line."""
    rows = [
        {"timestamp": stamp(m), "author": author_of(m), "message": m.text.replace("\n", " ")}
        for m in messages
    ]
    return sorted(rows, key=lambda row: row["timestamp"], reverse=True)


def _telegram(folder: Path, expected: Any) -> Iterator[Record]:
    found = read_cleanly(folder / expected["file"])
    first, second = (
        Record(timestamp=local_stamp(m), author=author_of(m), message=m.text)
        for m in found.messages
    )
    second["message"] = Mistaken(
        second["message"],
        "Link: https://telegram.org/",
        "Link:https://telegram.org/",
        "a space was put between the parts",
    )
    yield Record(counted(found, utc_stamp), upstream_target=[first, second])


def _chatpack(folder: Path, expected: Any) -> Iterator[list[object]]:
    yield [_CHATPACK.get(case["file"], _unknown)(folder / case["file"], case) for case in expected]


def _unknown(path: Path, expected: Any) -> Record:
    """A file that is new."""
    return Record()


def _chatpack_telegram(path: Path, expected: Any) -> Record:
    first, second, *_ = (found := read_cleanly(path)).messages
    return Record(
        counted(found, utc_stamp),
        first={"sender": author_of(first), "text": first.text},
        second_sender=author_of(second),
    )


def _chatpack_whatsapp(path: Path, expected: Any) -> Record:
    found = read_cleanly(path)
    record = counted(found, local_stamp)
    senders = {author_of(message) for message in found.spoken}
    assert [m.text for m in found.spoken if m.attachments] == [""]
    return Record(
        messages_expected=record["messages"],
        system_lines=record["system_lines"],
        senders_include=[name for name in expected["senders_include"] if name in senders],
    )


def _chatpack_instagram(path: Path, expected: Any) -> Record:
    found = read_cleanly(path)
    assert found.format == "instagram"
    return Record(
        senders=sorted({author_of(message) or "" for message in found.messages}),
        messages_with_text=sum(bool(message.text) for message in found.messages),
        messages_total=len(found.messages),
    )


def _checked_by(test: str, *keys: str) -> Callable[[Path, Any], Record]:
    record = Record(dict.fromkeys(keys, CheckedBy(f"{READERS}/{test}")))
    return lambda path, expected: record


_CHATPACK: dict[str, Callable[[Path, Any], Record]] = {
    "discord.csv": _checked_by(
        "test_discord_tables.py::test_the_table_of_another_parser_is_understood",
        *("messages", "first", "attachments_on_row"),
    ),
    "discord.json": _checked_by(
        "test_discord.py::test_the_json_of_another_parser_is_understood",
        *("messages", "senders", "ids", "reply", "edited", "attachments", "stickers"),
    ),
    "discord.txt": _checked_by(
        "test_discord_tables.py::test_the_text_of_another_parser_is_understood",
        *("messages", "first"),
    ),
    "instagram.json": _chatpack_instagram,
    "telegram_simple.json": _chatpack_telegram,
    "whatsapp_us.txt": _chatpack_whatsapp,
}
UPSTREAM: dict[str, Checker] = {
    "fixtures/chat-miner/expect-instagram.json": _instagram,
    "fixtures/chat-miner/expect-signal.json": _signal,
    "fixtures/chat-miner/expect-telegram-single.json": _telegram,
    "fixtures/chat-miner/expect-whatsapp.json": _whatsapp,
    "fixtures/chatgpt/expect.json": _chatgpt,
    "fixtures/chatpack/expect.json": _chatpack,
    "fixtures/claude-chat-viewer/expect.json": _claude,
    "fixtures/mbox/expect.json": _mail,
    "fixtures/rsmf/expect.json": _rsmf,
    "fixtures/slack-hfaran/expect.json": _slack,
    "fixtures/whatsapp-pustur/expect.json": _headers,
    "fixtures/whatsapp-pustur/expect-structure.json": _structures,
}
