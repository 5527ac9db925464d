"""Threads of Messenger and Instagram, in one file or many."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from application.ports.chat_reader import ExportFile, UnreadableExportError
from domain.message import Conversation, Reaction
from infrastructure.readers.messenger.reader import InstagramReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.meta_exports import (
    INBOX,
    NOON,
    claims,
    encrypted,
    found_in,
    said,
    thread,
    whispered,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    read,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# Conversations


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"people": ["Ann", "Bob"]}, "direct"),
        ({"people": ["Ann", "Bob", "Cy"]}, "group"),
        ({"people": ["Bob"], "title": "Trip"}, "group"),  # who left sees only themselves
        ({"people": ["Bob"], "title": "Bob"}, "direct"),  # notes to oneself
        ({"people": ["Ann", ""], "title": ""}, "direct"),
        ({"people": ["Ann", "Bob"], "thread_type": "RegularGroup"}, "group"),
        ({"people": ["Bob"], "thread_type": "Regular"}, "direct"),
        ({"people": []}, "unknown"),
        ({"participants": 7}, "unknown"),
    ],
)
def test_the_participants_say_what_kind_of_conversation_it_is(
    header: dict[str, Any], kind: str
) -> None:
    assert found_in(json_file(thread(said(0), **header))).conversations[0].kind == kind


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({}, ("inbox/ann_1", "Ann Other")),
        ({"title": None}, ("inbox/ann_1", "Ann, Bob")),
        ({"title": "", "participants": None}, ("inbox/ann_1", "ann_1")),
        ({"thread_path": None}, ("Ann Other", "Ann Other")),
        ({"thread_path": [], "title": 7, "participants": {}}, ("chat", "chat")),
    ],
)
def test_a_single_file_is_named_as_well_as_possible(
    header: dict[str, Any], expected: tuple[str, str]
) -> None:
    header = {"people": ["Ann", "Bob"], **header}
    (conversation,) = found_in(json_file(thread(said(0), **header), "chat.json")).conversations
    assert conversation[:2] == expected


def test_without_a_path_in_the_file_the_folders_say_the_same() -> None:
    raw = json.dumps(thread(said(0), thread_path=None))
    members = {
        f"{INBOX}/ann_1/message_1.json": raw,
        "messages/e2ee_cutover/bob_2/message_1.json": raw,
        "cy_3/message_1.json": raw,
    }
    ids = [c.id for c in found_in(zip_file(members)).conversations]
    assert ids == ["inbox/ann_1", "e2ee_cutover/bob_2", "cy_3"]


def test_all_sections_are_read_and_everything_else_is_not() -> None:
    sections = ["inbox", "archived_threads", "filtered_threads", "message_requests", "e2ee_cutover"]
    members = {
        f"your_activity_across_facebook/messages/{section}/ann_{n}/message_1.json": json.dumps(
            thread(said(n), thread_path=f"{section}/ann_{n}")
        )
        for n, section in enumerate(sections)
    }
    members |= {
        "your_activity_across_facebook/messages/secret_conversations.json": '{"a": 1}',
        "your_activity_across_facebook/messages/inbox/ann_0/photos/1.jpg": "x",
        "your_activity_across_facebook/posts/likes_and_reactions_1.json": '[{"title": "x"}]',
        "connections/friends.json": '{"friends_v2": [{"name": "Ann", "timestamp": 1}]}',
    }
    found = found_in(zip_file(members))
    assert [c.id for c in found.conversations] == [f"{s}/ann_{n}" for n, s in enumerate(sections)]
    assert len(found.messages) == 5
    assert found.warnings == []


def test_an_empty_thread_is_a_conversation() -> None:
    found = found_in(json_file(thread()))
    assert found.conversations == [Conversation("inbox/ann_1", "Ann Other", "direct")]
    assert (found.messages, found.warnings) == ([], [])


# Order, and threads in several files


def test_the_newest_message_is_written_first_and_read_last() -> None:
    found = found_in(json_file(thread(said(1, "a"), said(2, "b"), said(3, "c"))))
    assert found.texts == ["a", "b", "c"]


def test_a_file_that_is_oldest_first_already_is_not_turned_round() -> None:
    raw = thread()
    raw["messages"] = [said(1, "a"), said(2, "b"), said(2, "c"), said(1, "late"), said(9, "d")]
    assert found_in(json_file(raw)).texts == ["a", "b", "c", "late", "d"]


def test_messages_of_one_moment_are_turned_round_too() -> None:
    found = found_in(json_file(thread(*(said(0, text) for text in "abc"))))
    assert found.texts == ["a", "b", "c"]


def test_the_files_of_a_thread_are_sorted_by_number_and_are_one_conversation() -> None:
    parts = {n: json.dumps(thread(said(-n, f"part {n}"))) for n in (1, 2, 3, 9, 10, 11)}
    members = {f"{INBOX}/ann_1/message_{n}.json": raw for n, raw in parts.items()}
    found = found_in(zip_file(members))
    assert found.texts == [f"part {n}" for n in (11, 10, 9, 3, 2, 1)]
    assert len(found.conversations) == 1


def test_a_thread_may_lie_in_several_archives_of_one_archive() -> None:
    first = {f"{INBOX}/ann_1/message_1.json": json.dumps(thread(said(2, "new")))}
    second = {
        f"{INBOX}/ann_1/message_2.json": json.dumps(thread(said(1, "old"))),
        f"{INBOX}/bob_2/message_1.json": json.dumps(thread(said(0), thread_path="inbox/bob_2")),
    }
    outer = zip_file({"part1.zip": zip_file(first).data, "part2.zip": zip_file(second).data})
    found = found_in(outer)
    assert found.texts == ["old", "new", "hi"]
    assert [c.id for c in found.conversations] == ["inbox/ann_1", "inbox/bob_2"]


def test_two_downloads_packed_together_give_each_message_the_same_key() -> None:
    older = json.dumps(thread(said(1, "a"), said(1, "a"), said(2, "b")))
    newer = json.dumps(thread(said(1, "a"), said(1, "a"), said(2, "b"), said(3, "c")))
    name = f"{INBOX}/ann_1/message_1.json"
    found = found_in(
        zip_file({"1.zip": zip_file({name: older}).data, "2.zip": zip_file({name: newer}).data})
    )
    assert len(found.messages) == 7
    assert len({m.key for m in found.messages}) == 4
    assert len(found.conversations) == 1


def test_keys_are_the_same_in_a_longer_export_and_differ_between_threads() -> None:
    short = found_in(json_file(thread(said(1), said(1), said(2))))
    long = found_in(json_file(thread(said(0), said(1), said(1), said(2), said(3))))
    other = found_in(json_file(thread(said(1), said(1), said(2), thread_path="inbox/bob_2")))
    keys = [m.key for m in short.messages]
    assert set(keys) < {m.key for m in long.messages}
    assert len(set(keys)) == 3
    assert not set(keys) & {m.key for m in other.messages}


def test_a_file_too_large_to_turn_round_stays_newest_first_and_is_told_of() -> None:
    count = 9_000
    raw = thread(*(said(n, f"{n:<2000}") for n in range(count)))
    file = json_file(raw, "message_1.json")
    assert file.size > 17_000_000
    found = found_in(file)
    assert [int(text) for text in found.texts] == list(range(count - 1, -1, -1))
    assert found.conversations == [("inbox/ann_1", "Ann Other", "direct")]
    assert ["newest first" in reason for reason in found.reasons] == [True]


def test_so_many_messages_as_meta_never_writes_are_not_held_in_memory() -> None:
    messages = [{"sender_name": "A", "timestamp_ms": NOON + n} for n in range(140_000)]
    file = json_file(thread(*messages), "message_1.json")
    assert file.size < 8_000_000
    found = found_in(file)
    assert len(found.messages) == 140_000
    assert found.messages[0].sent_at > found.messages[-1].sent_at
    assert ["newest first" in reason for reason in found.reasons] == [True]


def test_what_stands_around_the_messages_may_be_of_any_size() -> None:
    raw = json.dumps(thread(said(1, "a"), said(2, "b")))
    raw = raw.replace('"magic_words": []', f'"magic_words": [{"{}," * 1_100_000}0]')
    found = found_in(MemoryFile(raw.encode(), "message_1.json"))
    assert (found.texts, found.warnings) == (["a", "b"], [])


# End-to-end encrypted chats


def test_an_encrypted_chat_has_other_names_and_proper_text() -> None:
    media = [{"uri": "./media/0f.jpeg"}, {"uri": "Failed to download media"}]
    reactions = [{"actor": "Ann Öther", "reaction": "❤"}]
    raw = encrypted(
        whispered(0, "Grüße, \u00c3\u00a9 is no é", "Ann Öther", reactions=reactions),
        whispered(1, "", type="media", media=media),
        whispered(2, "https://a.org", type="link"),
        whispered(3, "User unsent a message", type="placeholder", isUnsent=True),
    )
    found = found_in(json_file(raw, "Ann Öther_40.json"))
    assert found.conversations == [("Ann Öther_40", "Ann Öther", "direct")]
    assert found.texts[0] == "Grüße, \u00c3\u00a9 is no é"
    assert found.messages[0].author == ("Ann Öther", "Ann Öther")
    assert found.messages[0].reactions == (Reaction("❤", ("Ann Öther",), 1),)
    names = [a.name for a in found.messages[1].attachments]
    assert names == ["0f.jpeg", "media"]
    assert [m.kind for m in found.messages] == ["message"] * 3 + ["deleted"]
    assert found.messages[0].sent_at == datetime(2024, 1, 15, 12, tzinfo=UTC)
    assert (found.warnings, found.facts.unknown_keys) == ([], {})


def test_encrypted_chats_of_a_folder_are_a_conversation_each() -> None:
    members = {
        "Ann_1.json": json.dumps(encrypted(whispered(0), threadName="Ann_1")),
        "Bob_2.json": json.dumps(encrypted(threadName="Bob_2")),
        "message_3.json": json.dumps(encrypted(whispered(1), threadName="message_3")),
        "media/0f.jpeg": "x",
        "autofill_1.json": '{"participants": 1}',
    }
    found = found_in(zip_file(members))
    assert [c.id for c in found.conversations] == ["Ann_1", "Bob_2", "message_3"]
    assert len(found.messages) == 2


# Recognition


def test_messenger_is_claimed_and_nothing_by_instagram() -> None:
    raw = thread(said(0))
    assert claims(json_file(raw, "anything")) == [("messenger", 0.95)]
    assert claims(json_file({"messages": [said(0)]})) == [("messenger", 0.9)]
    assert claims(json_file(thread())) == [("messenger", 0.9)]
    assert claims(json_file(encrypted(whispered(0)))) == [("messenger", 0.95)]
    assert claims(json_file(encrypted())) == [("messenger", 0.9)]
    assert claims(zip_file({f"{INBOX}/a/message_1.json": json.dumps(raw)})) == [("messenger", 0.95)]
    # A link to the one in the other is no sign, if the folders speak.
    raw = thread(said(0, None, share={"link": "https://www.instagram.com/reel/1/"}))
    assert claims(zip_file({f"{INBOX}/a/message_1.json": json.dumps(raw)})) == [("messenger", 0.95)]


@pytest.mark.parametrize(
    "raw",
    [
        said(0, None, photos=[{"uri": "your_instagram_activity/messages/inbox/a/1.jpg"}]),
        said(0, None, share={"link": "https://www.instagram.com/reel/1/"}),
        said(0, None, share={"link": "https://a.org", "original_content_owner": "b"}),
        said(0, reactions=[{"reaction": "x", "actor": "Bob", "timestamp": 1705320001}]),
        said(0, name="Instagram User"),
    ],
)
def test_a_single_file_is_instagram_s_if_its_content_says_so(raw: dict[str, Any]) -> None:
    assert claims(json_file(thread(raw))) == [("instagram", 0.95)]


def test_an_archive_is_instagram_s_if_its_folders_say_so() -> None:
    raw = json.dumps(thread(said(0)))
    name = "x/your_instagram_activity/messages/inbox/ann_1/message_1.json"
    assert claims(zip_file({name: raw})) == [("instagram", 0.95)]
    old = {
        "messages/inbox/ann_1/message_1.json": raw,
        "connections/followers_and_following/following.json": "{}",
    }
    assert claims(zip_file(old)) == [("instagram", 0.95)]


def test_an_archive_of_both_is_claimed_by_both_and_each_reads_its_own() -> None:
    instagram = "your_instagram_activity/messages/inbox/ann_1/message_1.json"
    file = zip_file(
        {
            f"{INBOX}/ann_1/message_1.json": json.dumps(thread(said(0, "facebook"))),
            instagram: json.dumps(thread(said(0, "instagram"))),
        }
    )
    assert [format for format, _ in claims(file)] == ["messenger", "instagram"]
    assert found_in(file).texts == ["facebook"]
    assert read(file, reader=InstagramReader()).texts == ["instagram"]


def test_what_an_export_holds_besides_does_not_hide_it() -> None:
    members: dict[str, bytes | str] = {f"a/{n}.json": '{"a": 1}' for n in range(300)}
    members[f"{INBOX}/ann_1/message_1.json"] = json.dumps(thread(said(0)))
    assert claims(zip_file(members)) == [("messenger", 0.95)]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"messages": []}', '{"participants": [], "messages": [{"id": 1}]}', "hello"],
)
def test_other_files_are_not_claimed(text: str) -> None:
    if text:
        assert claims(MemoryFile(text.encode(), "message_1.json")) == []
    assert claims(zip_file({"message_1.json": text, "x.txt": "x"})) == []


def test_no_sample_of_another_format_is_claimed() -> None:
    files = [path for path in SAMPLES.iterdir() if path.suffix in {".zip", ".json"}]
    with suppress(pytest.skip.Exception):
        files += [path for path in data_path().rglob("*") if path.is_file()]
    ours = {"facebook-messages.zip", "instagram.json", "instagram-test_export.json"}
    others = [path for path in files if path.name not in ours and path.stat().st_size]
    assert len(others) >= 4
    for path in others:
        with suppress(UnreadableExportError):
            assert claims(_local(path)) == [], path


def test_no_other_reader_claims_these_files_as_surely() -> None:
    raw = json.dumps(thread(said(0)))
    for file in (
        MemoryFile(raw.encode(), "message_1.json"),
        json_file(encrypted(whispered(0))),
        zip_file({f"{INBOX}/ann_1/message_1.json": raw}),
    ):
        (ours,) = claims(file)
        readers = Readers()
        with readers.open(file) as export:
            for name in set(readers.formats) - {"messenger", "instagram"}:
                claim = readers.by_format(name).recognise(export)
                assert claim is None or claim.confidence < ours[1] - 0.1, name


def _local(path: Path) -> ExportFile:
    return MemoryFile(path.read_bytes(), path.name)
