"""What slackdump's “dump” mode writes: a file for each conversation, answers inside of messages."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from domain.message import Attachment
from infrastructure.readers.limits import MEBIBYTE, MESSAGE_LIMIT, SNIFF
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.slack.reader import SlackReader
from infrastructure.readers.testing.files import GrownFile
from tests.infrastructure.readers.slack_dumps import (
    ANSWERS,
    CHANNEL,
    USERS,
    dump,
    dump_file,
    first_layout,
    said,
    stamp,
    thread,
    together,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    read,
    recognised,
    zip_file,
)

LINES = ("one", "two", "three", "four")


def talk() -> list[dict[str, Any]]:
    """A thread that goes on after the next message of the channel."""
    answers = (said(1, "two", "U2"), said(9, "four"))
    return [thread(0, *answers, text="one"), said(5, "three")]


def told(found: Read) -> list[tuple[str, str, str | None]]:
    return [(m.text, m.key, m.thread) for m in found.messages]


def official(*messages: dict[str, Any], **more: Any) -> MemoryFile:
    files = {"users.json": USERS, "channels.json": [{"id": CHANNEL, "name": "general"}]}
    return together({**files, "general/2024-01-15.json": list(messages), **more})


def test_answers_are_messages_of_their_thread_in_the_order_of_time() -> None:
    found = read(dump_file(*talk()))
    assert found.conversations == [(CHANNEL, "general", "channel")]
    assert told(found) == [
        *(("one", stamp(0), stamp(0)), ("two", stamp(1), stamp(0))),
        *(("three", stamp(5), None), ("four", stamp(9), stamp(0))),
    ]
    assert found.facts.unknown_keys == {}
    assert {m.extra for m in found.messages} == {None}


@pytest.mark.parametrize("layout", [dump, first_layout])
def test_a_dump_is_read_like_an_export_of_the_same_channel(layout: Any) -> None:
    first, third = talk()
    answers = first.pop(ANSWERS)
    second, fourth = answers
    reacted = {"reactions": [{"name": "wave", "users": ["U2"], "count": 1}]}
    edited = {"edited": {"user": "U1", "ts": stamp(30)}}
    filed = {"files": [{"id": "F0000001", "name": "a.pdf", "mimetype": "x/y", "size": 3}]}
    second, third, fourth = second | reacted, third | edited, fourth | filed
    exported = read(official(first, second, third, fourth))
    dumped = layout({**first, ANSWERS: [second, fourth]}, third)
    found = read(together({"users.json": USERS, f"{CHANNEL}.json": dumped}))
    assert found.messages == exported.messages
    assert found.conversations == exported.conversations
    assert found.warnings == exported.warnings == []


def test_a_first_message_among_its_answers_is_told_once() -> None:
    first, third = talk()
    root = {key: value for key, value in first.items() if key != ANSWERS}
    found = read(dump_file({**first, ANSWERS: [root | {"text": "edited"}, *first[ANSWERS]]}, third))
    assert found.texts == list(LINES)


def test_an_answer_that_is_shown_in_the_channel_too_is_told_once() -> None:
    answer = said(2, "both", subtype="thread_broadcast")
    shown = answer | {"thread_ts": stamp(0), "root": said(0)}
    found = read(dump_file(thread(0, answer), shown, said(3)))
    assert [m.text for m in found.messages] == ["hi", "both", "hi"]
    assert found.messages[1].extra == {"root": said(0)}


def test_answers_that_do_not_name_their_thread_have_it_all_the_same() -> None:
    found = read(dump_file({**said(0), ANSWERS: [said(1)]}))
    assert [m.thread for m in found.messages] == [stamp(0), stamp(0)]


def test_the_file_of_a_thread_belongs_to_its_channel() -> None:
    root = said(0, "one", thread_ts=stamp(0))
    answer = said(1, "two", "U2", thread_ts=stamp(0))
    name = f"{CHANNEL}-{stamp(0)}.json"
    alone = read(dump_file(root, answer, name=name, thread_ts=stamp(0)))
    assert alone.conversations == [(CHANNEL, "general", "channel")]
    assert told(alone) == [("one", stamp(0), stamp(0)), ("two", stamp(1), stamp(0))]

    later = dump(root, answer, said(20, "since", thread_ts=stamp(0)), thread_ts=stamp(0))
    both = read(together({name: later, f"{CHANNEL}.json": dump(*talk())}))
    assert both.conversations == alone.conversations
    assert both.texts == [*LINES, "since"]


def test_what_was_edited_between_two_dumps_is_told_once() -> None:
    edited = said(1, "too", "U2", thread_ts=stamp(0), edited={"user": "U2", "ts": stamp(40)})
    thread_file = {f"{CHANNEL}-{stamp(0)}.json": dump(edited, thread_ts=stamp(0))}
    found = read(together({**thread_file, f"{CHANNEL}.json": dump(*talk()), "users.json": USERS}))
    assert found.texts == list(LINES)


def test_several_conversations_lie_beside_the_list_of_people() -> None:
    direct = {"channel_id": "D01234567", "name": "", "messages": [said(0, "a"), said(1, "b", "U2")]}
    crew = {"channel_id": "G01234567", "name": "mpdm-ann--bob-1", "messages": [said(0, user="U2")]}
    files = {"my/D01234567.json": direct, "my/G01234567.json": crew, "my/users.json": USERS}
    found = read(together({**files, f"my/{CHANNEL}.json": dump(said(0, "<#D01234567> <@U2>"))}))
    assert sorted(found.conversations) == [
        (CHANNEL, "general", "channel"),
        ("D01234567", "Ann, Bob Real", "direct"),
        ("G01234567", "mpdm-ann--bob-1", "group"),
    ]
    assert {m.author for m in found.messages} == {("U1", "Ann"), ("U2", "Bob Real")}
    assert "#D01234567 @Bob Real" in found.texts
    assert found.warnings == []


def test_the_list_of_people_may_bear_the_name_that_slackdump_gives_it() -> None:
    found = read(together({f"{CHANNEL}.json": dump(said(0)), "users-T0123456.json": USERS}))
    assert [m.author for m in found.messages] == [("U1", "Ann")]


def test_without_a_list_people_have_the_names_that_messages_give_them_or_their_ids() -> None:
    named = said(0, user_profile={"display_name": "Ann"})
    found = read(dump_file(named, said(1, user="U2"), said(2)))
    assert [m.author for m in found.messages] == [("U1", "Ann"), ("U2", "U2"), ("U1", "Ann")]
    assert [w.reason.partition(":")[0] for w in found.warnings] == [
        "1 people who wrote messages are known by their ids only (U2)"
    ]


def test_dumps_beside_an_export_are_read_with_it() -> None:
    files = {f"{CHANNEL}.json": dump(*talk()), "D01234567.json": dump(channel_id="D01234567")}
    found = read(official(said(0, "one", thread_ts=stamp(0)), said(30, "five"), **files))
    assert sorted(found.texts) == sorted([*LINES, "five"])
    assert found.conversations == [
        (CHANNEL, "general", "channel"),
        ("D01234567", "general", "direct"),
    ]


def test_a_dump_beside_a_folder_that_no_list_names_is_of_that_conversation() -> None:
    day = {"D01234567/2024-01-15.json": [said(0)]}
    both = dump(said(0), said(1, "two"), channel_id="D01234567")
    found = read(together({**day, "D01234567.json": both}))
    assert [c.id for c in found.conversations] == ["D01234567"]
    assert found.texts == ["hi", "two"]


def test_uploads_beside_a_dump_are_its_attachments_and_no_dumps() -> None:
    files = [{"id": "F0123456"}]
    uploaded = dump(said(0), channel_id="C07654321")
    found = read(
        together(
            {
                f"{CHANNEL}.json": dump(said(0, files=files)),
                f"{CHANNEL}/F0123456-plan.json": uploaded,
            }
        )
    )
    assert found.per_title() == {"general": 1}
    size = len(json.dumps(uploaded))
    assert found.messages[0].attachments == (Attachment("plan.json", None, size),)


def test_ids_behind_many_messages_are_found() -> None:
    messages = [said(n, "x" * 200) for n in range(1000)]
    raw = first_layout(*messages, thread_ts=stamp(0))
    assert len(json.dumps(raw)) > SNIFF
    assert read(json_file(raw, "whatever.json")).conversations[0].id == CHANNEL
    cut = MemoryFile(json.dumps(raw).encode()[:-60], "C07654321.json")
    assert read(cut).conversations == [("C07654321", "general", "channel")]


@pytest.mark.parametrize(
    "value",
    [
        dump(said(0)),
        first_layout(said(0)),
        dump({**said(0), "channel": "x"}, more=[1]),
        {"messages": [thread(0, said(1))]},
        {**dump(), "messages": None},
    ],
)
def test_dumps_are_recognised(value: Any) -> None:
    reader, claim = recognised(json_file(value, "x.json"))
    assert (reader.format, claim.confidence) == ("slack", 0.95)


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [said(0)] * 2},
        {"ok": True, "messages": [said(0)] * 2, "has_more": False},
        {"name": "x", "messages": [{"time": "2024-01-15 10:30", "user": "a", "text": "b"}] * 2},
        {"name": "x", "messages": [{"type": "message", "ts": NUMBER} for NUMBER in (1.5, 2.5)]},
        dump({"time": "2024-01-15 10:30", "user": "a", "text": '"ts": "1.2"', "type": "message"}),
        dump({"id": 1, "text": "x"}, {"id": 2, "text": "y"}, channel_id="C1"),
        dump(said(0), channel_id="1234567890123"),
    ],
)
def test_other_lists_of_messages_are_not_claimed(value: Any) -> None:
    with Readers().open(json_file(value, f"{CHANNEL}.json")) as export:
        assert SlackReader().recognise(export) is None


def test_a_file_that_is_cut_off_gives_its_beginning() -> None:
    raw = json.dumps(dump(*talk(), said(50, "five"), said(51))).encode()
    found = read(MemoryFile(raw[:-30], f"{CHANNEL}.json"))
    assert found.texts == ["one", "two", "three", "four", "five"]
    assert [(w.line, w.is_fatal) for w in found.warnings if "ids only" not in w.reason] == [
        (4, True)
    ]


def test_a_broken_dump_costs_no_other() -> None:
    raw = json.dumps(dump(*talk()))
    other = json.dumps(dump(said(60, "whole"), channel_id="C07654321", name="other"))
    parts = {f"{CHANNEL}.json": raw[:-30], "C07654321.json": other, "C00000000.json": raw[:20]}
    found = read(zip_file({**parts, "users.json": json.dumps(USERS), "notes.json": "{"}))
    assert found.per_title() == {"general": 3, "other": 1}
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [
        ("C00000000.json", None, False),
        (f"{CHANNEL}.json", 2, False),
    ]


def test_what_is_no_message_is_told_of_and_skipped() -> None:
    junk = [5, None, {"type": "message"}, said(1) | {"ts": 7}]
    found = read(dump_file({**said(0), ANSWERS: [*junk, said(2, "two")]}, *junk, said(3, "three")))
    assert found.texts == ["hi", "two", "three"]
    assert [w.line for w in found.warnings] == [1, 1, 1, 1, 2, 3, 4, 5, None]


def test_answers_that_are_no_list_are_kept_as_they_are() -> None:
    found = read(dump_file({**said(0), ANSWERS: {"a": 1}}))
    assert found.messages[0].extra == {ANSWERS: {"a": 1}}


def test_a_thread_beyond_the_limit_of_a_message_costs_no_other() -> None:
    huge = thread(1, said(2, "x" * MESSAGE_LIMIT))
    found = read(dump_file(said(0, "one"), huge, said(3, "two")))
    assert found.texts == ["one", "two"]
    assert "left out" in found.warnings[0].reason


def test_what_is_no_dump_at_all_is_refused_where_it_breaks() -> None:
    with (
        Readers().open(MemoryFile(b'{"channel_id": "C1", "na', "x.json")) as export,
        pytest.raises(UnreadableExportError, match="the rest of a value was expected"),
    ):
        list(GuardedReader(SlackReader()).read(export, ReadOptions(), ReadFacts()))


def test_answers_that_wait_take_little_memory() -> None:
    """All of them are said long after the last message of the channel."""
    late = [said(10_000_000 + n, "x" * 1000) for n in range(100)]
    piece = f", {json.dumps(thread(0, *late))}".encode()
    head = json.dumps(dump(said(0))).encode()[:-2]
    file = GrownFile(head, piece, 200 * len(piece), b"]}", f"{CHANNEL}.json")
    assert file.size > 20 * MEBIBYTE
    tracemalloc.start()
    try:
        with Readers().open(file) as export:
            count = sum(1 for _ in SlackReader().read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count > 100
    assert peak < 24 * MEBIBYTE
