"""What DiscordChatExporter writes as JSON: people, times, answers, parts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions
from domain.message import Attachment, Author
from tests.infrastructure.readers.discord_exports import (
    ANN,
    BOB,
    CHANNEL,
    NOON,
    SNOWFLAKE,
    archive,
    chat,
    discord,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    expectation,
    json_file,
    utc_stamp,
)
from tests.support.data import data_path

# Real exports


def test_the_json_of_another_parser_is_understood() -> None:
    folder = data_path("fixtures", "chatpack")
    (case,) = (c for c in expectation(folder / "expect.json") if c["file"] == "discord.json")
    found = discord(folder / "discord.json")
    assert len(found.messages) == case["messages"]
    assert [m.author.name for m in found.spoken if m.author] == case["senders"]
    assert [m.key for m in found.spoken] == case["ids"]
    assert {m.key: m.reply_to for m in found.spoken if m.reply_to} == case["reply"]
    assert [m.key for m in found.spoken if m.edited_at] == case["edited"]
    files = {m.key: [a.name for a in m.attachments] for m in found.spoken if m.attachments}
    assert files == {**case["attachments"], **case["stickers"]}
    assert (found.warnings, found.facts.unknown_keys) == ([], {})


# People


def test_people_are_known_by_id_and_shown_by_nickname_or_else_by_name() -> None:
    renamed = {**ANN, "nickname": "Annie"}
    blank = {**BOB, "nickname": "  "}
    found = discord(
        chat(said(1), said(2, author=BOB), said(3, author=renamed), said(4, author=blank))
    )
    assert [m.author for m in found.spoken] == [
        Author("111", "Ann"),
        Author("222", "bob"),
        Author("111", "Annie"),
        Author("222", "bob"),
    ]


def test_what_else_is_told_of_a_person_is_kept_with_the_message() -> None:
    bot = {**BOB, "isBot": True, "roles": [{"id": "7", "name": "Helpers"}], "color": "#F00"}
    first, second = discord(chat(said(1), said(2, author=bot))).spoken
    assert first.extra == {
        "author": {
            "name": "ann",
            "discriminator": "0000",
            "avatarUrl": "https://cdn.example/0.png",
        }
    }
    assert second.extra == {
        "author": {"isBot": True, "roles": [{"id": "7", "name": "Helpers"}], "color": "#F00"}
    }


# Times


@pytest.mark.parametrize(
    ("written", "utc", "precision"),
    [
        ("2018-04-24T20:29:57-06:00", "2018-04-25T02:29:57+00:00", "second"),
        ("2018-04-24T20:29:57.5+02:00", "2018-04-24T18:29:57.500000+00:00", "millisecond"),
        ("2023-03-30T16:44:50.473-05:00", "2023-03-30T21:44:50.473000+00:00", "millisecond"),
        ("2023-03-30T16:44:50.4730000Z", "2023-03-30T16:44:50.473000+00:00", "millisecond"),
        ("2023-03-30T16:44:50.0000000Z", "2023-03-30T16:44:50+00:00", "second"),
        ("2023-03-30T16:44:50.4731234Z", "2023-03-30T16:44:50.473123+00:00", "microsecond"),
    ],
)
def test_times_are_as_exact_as_they_are_written(written: str, utc: str, precision: str) -> None:
    (message,) = discord(chat(said(1, timestamp=written))).spoken
    assert (message.sent_at.isoformat(), message.precision) == (utc, precision)
    assert message.zone == "stated"


@pytest.mark.parametrize("written", [None, "", "soon", 7, ["x"], "2021-10-13T15:35:46"])
def test_where_a_time_is_missing_or_none_the_id_says_it_to_the_millisecond(written: Any) -> None:
    file = chat(said(SNOWFLAKE, timestamp=written))
    (message,) = discord(file, ReadOptions(timezone="Asia/Tokyo")).spoken
    assert message.sent_at.isoformat() == "2021-10-13T15:35:46.790000+00:00"
    assert (message.precision, message.zone) == ("millisecond", "derived")
    kept = message.extra.get("timestamp") if message.extra else None
    assert kept == (written or None)


def test_a_time_without_an_offset_is_local_where_the_id_does_not_tell() -> None:
    file = chat(said(1, timestamp="2024-06-01T12:00:00"))
    (message,) = discord(file, ReadOptions(timezone="Europe/Berlin")).spoken
    assert (utc_stamp(message), message.zone) == ("2024-06-01T10:00:00Z", "stated")
    (message,) = discord(file).spoken
    assert (utc_stamp(message), message.zone) == ("2024-06-01T12:00:00Z", "assumed")


def test_edits_are_dated() -> None:
    (message,) = discord(chat(said(1, timestampEdited="2024-01-15T13:30:00.25+01:00"))).spoken
    assert message.edited_at is not None
    assert message.edited_at.isoformat() == "2024-01-15T12:30:00.250000+00:00"
    assert message.edits == ()


# Replies, forwards, threads


def test_a_reply_names_the_message_it_answers() -> None:
    reference = {"type": "Default", "messageId": "1", "channelId": CHANNEL["id"], "guildId": "1"}
    old = {"messageId": "1"}
    found = discord(
        chat(
            said(1),
            said(2, type="Reply", reference=reference),
            said(3, reference=old),
            said(4, type="19", reference={**reference, "messageId": None}),
        )
    )
    assert [m.reply_to for m in found.spoken] == [None, "1", "1", None]
    assert found.spoken[1].extra is not None
    assert found.spoken[1].extra["reference"] == reference


def test_what_refers_to_another_channel_or_is_no_answer_is_no_reply() -> None:
    elsewhere = {"type": "Default", "messageId": "1", "channelId": "3"}
    here = {"messageId": "1", "channelId": CHANNEL["id"]}
    forward = {**here, "type": "Forward"}
    found = discord(
        chat(
            said(1),
            said(2, reference=elsewhere),
            said(3, reference=forward, forwardedMessage={"content": "x"}),
            said(4, "Pinned a message.", type="ChannelPinnedMessage", reference=here),
        )
    )
    assert [m.reply_to for m in found.messages] == [None] * 4
    assert all(m.extra and "reference" in m.extra for m in found.messages[1:])


def test_a_forwarded_message_shows_its_text_and_files() -> None:
    forwarded = {
        "timestamp": NOON,
        "timestampEdited": None,
        "content": "see <@222>",
        "attachments": [{"id": "5", "url": "u", "fileName": "a.png", "fileSizeBytes": 9}],
        "embeds": [],
        "stickers": [{"id": "6", "name": "Wave", "format": "Lottie"}],
    }
    bare = {"content": "", "embeds": [{"title": "News", "description": "of today"}]}
    _, second, third = discord(
        chat(
            said(1, author=BOB),
            said(2, "", forwardedMessage=forwarded, reference={"type": "Forward"}),
            said(3, "", forwardedMessage=bare),
        )
    ).spoken
    assert second.text == "see @bob"
    assert second.attachments == (Attachment("a.png", None, 9), Attachment("Wave", None, None))
    assert second.extra is not None
    assert second.extra["forwardedMessage"] == forwarded
    assert third.text == "News\nof today"


@pytest.mark.parametrize(
    ("type", "kind", "title"),
    [
        ("GuildTextChat", "channel", "general"),
        ("GuildVoiceChat", "channel", "general"),
        ("GuildNews", "channel", "general"),
        ("GuildPublicThread", "channel", "Talk / general"),
        ("GuildPrivateThread", "channel", "Talk / general"),
        ("GuildNewsThread", "channel", "Talk / general"),
        ("DirectTextChat", "direct", "general"),
        ("DirectGroupTextChat", "group", "general"),
        ("1", "direct", "general"),
        (16, "channel", "general"),
        ("Something", "unknown", "general"),
        (None, "unknown", "general"),
    ],
)
def test_a_channel_s_type_says_its_kind_and_a_thread_s_category_is_its_parent(
    type: Any, kind: str, title: str
) -> None:
    (conversation,) = discord(chat(said(1), type=type)).conversations
    assert conversation == (CHANNEL["id"], title, kind)


def test_a_channel_without_a_name_or_an_id_is_named_by_its_file() -> None:
    nameless = {**chat(said(1)), "channel": {"id": "5"}}
    file = json_file(nameless, "Rome - Talk - general [987].json")
    assert discord(file).conversations == [("5", "general", "unknown")]
    without = {key: value for key, value in chat(said(1)).items() if key != "channel"}
    file = json_file(without, "Rome - Talk - general [987].json")
    assert discord(file).conversations == [("987", "general", "channel")]
    assert discord(json_file(without, "x.json")).conversations == [("x", "x", "unknown")]


def test_an_empty_channel_is_a_conversation() -> None:
    found = discord(chat())
    assert [c.title for c in found.conversations] == ["general"]
    assert (found.messages, found.warnings) == ([], [])


# Unknown keys, duplicates, order, parts


def test_unknown_keys_are_kept_and_counted() -> None:
    file = chat(
        said(1, poll=None, author={**ANN, "clan": "x"}),
        said(2, poll={"question": "?"}, author={**ANN, "clan": "x"}),
        said(3, attachments=[{"fileName": "a", "width": 5}], reactions=[{"emoji": {}, "me": 1}]),
        nsfw=True,
    )
    found = discord({**file, "exporter": 2})
    assert found.facts.unknown_keys == {
        "channel.nsfw": 1,
        "messages.poll": 2,
        "messages.author.clan": 2,
        "messages.attachments.width": 1,
        "messages.reactions.me": 1,
        "exporter": 1,
    }
    first, second, third = found.spoken
    assert first.extra is not None
    assert second.extra is not None
    assert third.extra is not None
    assert (first.extra["poll"], second.extra["poll"]) == (None, {"question": "?"})
    assert second.extra["author"]["clan"] == "x"
    assert third.extra["attachments"] == [{"fileName": "a", "width": 5}]


def test_old_files_that_lack_many_keys_are_read() -> None:
    bare = {"id": "1", "timestamp": NOON, "content": "hi", "author": {"id": "1", "name": "ann"}}
    found = discord({"guild": {}, "channel": {"id": "5", "name": "old"}, "messages": [bare]})
    assert found.conversations == [("5", "old", "unknown")]
    assert found.spoken[0][:3] == ("5", "1", ("1", "ann"))
    assert (found.texts, found.warnings) == (["hi"], [])


def test_a_message_that_comes_twice_is_one() -> None:
    far = [said(SNOWFLAKE + n, f"m{n}") for n in range(3000)]
    found = discord(chat(*far, said(SNOWFLAKE, "again"), said(7), said(7), said("x"), said("x")))
    assert len(found.messages) == 3002
    assert found.texts[:2] == ["m0", "m1"]
    assert [m.key for m in found.messages[3000:]] == ["7", "x"]


def test_messages_without_an_id_are_known_by_what_they_say() -> None:
    rows = [said(None, "a"), said(None, "a"), said(None, "b")]
    first = discord(chat(*rows))
    keys = [m.key for m in first.spoken]
    assert len(set(keys)) == 3
    again = discord(chat(*rows), ReadOptions(timezone="Asia/Tokyo"))
    assert [m.key for m in again.spoken] == keys


def test_parts_and_overlapping_exports_are_one_conversation() -> None:
    name = "Rome - Talk - general [987654321000000000]"
    found = discord(
        archive(
            {
                f"out/{name} [part 10].json": chat(said(10)),
                f"out/{name} [part 2].json": chat(said(2), said(3)),
                f"out/{name}.json": chat(said(1), said(2)),
                "out/other.json": chat(said(1, "there"), id="5", name="other"),
                "out/newer.json": chat(said(3), said(11)),
                "out/notes.json": '{"a": 1}',
                f"out/{name}.json_Files/lottie.json": json.dumps(chat(said(77))),
            }
        )
    )
    keys = [m.key for m in found.messages if m.conversation == CHANNEL["id"]]
    assert keys == ["1", "2", "3", "10", "11"]
    assert [c.id for c in found.conversations] == [CHANNEL["id"], "5"]
    assert found.warnings == []


def test_parts_follow_each_other_by_number() -> None:
    files = {
        f"x [987] [part {n}].json": chat(*(said(1000 * n + k) for k in range(3)))
        for n in (11, 2, 3, 10)
    }
    found = discord(archive({**files, "x [987].json": chat(*(said(1000 + k) for k in range(3)))}))
    assert [int(m.key) // 1000 for m in found.messages[::3]] == [1, 2, 3, 10, 11]
    assert len(found.messages) == 15


def test_newest_first_is_read_oldest_first() -> None:
    times = [f"2024-01-15T12:{n:02}:00+00:00" for n in range(60)]
    rows = [said(n, timestamp=at) for n, at in enumerate(times)]
    found = discord(
        archive({"x [9].json": chat(*rows[:29:-1]), "x [9] [part 2].json": chat(*rows[29::-1])})
    )
    assert [int(m.key) for m in found.messages] == list(range(60))


def test_a_channel_in_several_layouts_is_read_once_and_the_others_are_told_of() -> None:
    rows = "AuthorID,Author,Date,Content,Attachments,Reactions\n"
    rows += '"1","a","2024-01-15T12:00:00Z","x","",""\n'
    found = discord(
        archive(
            {
                "general [987654321000000000].csv": rows,
                "general [987654321000000000].json": chat(said(1)),
                "other [5].csv": rows,
            }
        )
    )
    assert found.texts == ["hi", "x"]
    assert [(w.file, w.is_fatal) for w in found.warnings] == [
        ("general [987654321000000000].csv", False)
    ]
    assert "JSON" in found.reasons[0]


def test_a_wrong_count_of_messages_is_told_of() -> None:
    found = discord({**chat(said(1), said(2)), "messageCount": 3})
    assert found.reasons == ["it says that it holds 3 messages, but holds 2"]
    assert len(found.messages) == 2


def test_reading_twice_gives_the_same() -> None:
    file = archive(
        {"a.json": chat(said(1), said(None), said(None)), "b.json": chat(said(1), id="5")}
    )
    assert discord(file).messages == discord(file).messages


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_other_encodings_are_understood(encoding: str) -> None:
    text = json.dumps(chat(said(1, "Grüße 👋")), ensure_ascii=False)
    assert discord(MemoryFile(text.encode(encoding), "x.json")).texts == ["Grüße 👋"]
