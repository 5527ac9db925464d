"""Notices, files, reactions and markup in what DiscordChatExporter writes as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.message import Attachment, Reaction
from tests.infrastructure.readers.discord_exports import (
    ANN,
    BOB,
    CHANNEL,
    archive,
    chat,
    discord,
    said,
)

LASTED = "tarted a call that lasted 5 minutes."


# Notices


@pytest.mark.parametrize(
    ("type", "content", "text"),
    [
        ("RecipientAdd", "Added Bob to the group.", "Ann added Bob to the group."),
        ("RecipientRemove", "Left the group.", "Ann left the group."),
        ("RecipientRemove", "Removed Bob from the group.", "Ann removed Bob from the group."),
        ("Call", f"S{LASTED}", f"Ann s{LASTED}"),
        ("ChannelNameChange", "Changed the channel name: x", "Ann changed the channel name: x"),
        ("ChannelNameChange", "x", "Ann changed the channel name.\nx"),
        ("ChannelIconChange", "Changed the channel icon.", "Ann changed the channel icon."),
        ("ChannelPinnedMessage", "Pinned a message.", "Ann pinned a message."),
        ("GuildMemberJoin", "Joined the server.", "Ann joined the server."),
        ("ThreadCreated", "Started a thread.", "Ann started a thread."),
        ("ThreadCreated", "", "Ann started a thread."),
        ("7", "", "Ann joined the server."),
        (7, "", "Ann joined the server."),
        ("8", "", "Ann boosted the server."),
        ("10", "", "Ann boosted the server to level 2."),
        ("21", "", "Ann started this thread from a message."),
    ],
)  # fmt: skip
def test_system_messages_are_notices_in_words(type: Any, content: str, text: str) -> None:
    (message,) = discord(chat(said(1, content, type=type))).messages
    assert (message.kind, message.text, message.author) == ("system", text, ("111", "Ann"))
    assert message.extra is not None
    assert message.extra["type"] == str(type)


def test_a_notice_by_nobody_begins_with_a_capital() -> None:
    (message,) = discord(chat(said(1, "", type="18", author=None))).messages
    assert (message.text, message.author) == ("Started a thread.", None)


@pytest.mark.parametrize("type", ["Default", "Reply", "20", "23", "99", None])
def test_what_people_and_bots_say_is_a_message_also_of_a_type_that_is_new(type: Any) -> None:
    (message,) = discord(chat(said(1, "Joined the server.", type=type))).messages
    assert (message.kind, message.text) == ("message", "Joined the server.")


def test_a_call_s_end_and_a_pin_are_kept() -> None:
    call, pinned = discord(
        chat(
            said(1, "", type="Call", callEndedTimestamp="2024-01-15T12:05:00+00:00"),
            said(2, isPinned=True),
        )
    ).messages
    assert call.extra is not None
    assert call.extra["callEndedTimestamp"] == "2024-01-15T12:05:00+00:00"
    assert pinned.extra is not None
    assert pinned.extra["isPinned"] is True


# Contents


def test_files_and_stickers_are_attachments_and_their_addresses_are_kept() -> None:
    files = [
        {"id": "1", "url": "https://c/a.png", "fileName": "a.png", "fileSizeBytes": 12},
        {"url": "https://c/1/2/b%20c.pdf?ex=1"},
        {"url": "general.json_Files\\d-1A2B.mp4"},
        {"url": "../../etc/passwd", "fileSizeBytes": -1},
        {},
    ]
    stickers = [{"id": "7", "name": "Wave", "format": "Apng", "sourceUrl": "s"}, {"format": "Png"}]
    (message,) = discord(chat(said(1, attachments=files, stickers=stickers))).spoken
    assert message.attachments == (
        Attachment("a.png", None, 12),
        Attachment("b c.pdf", None, None),
        Attachment("d-1A2B.mp4", None, None),
        Attachment("passwd", None, None),
        Attachment("file", None, None),
        Attachment("Wave", "image/apng", None),
        Attachment("sticker", "image/png", None),
    )
    assert message.extra is not None
    assert (message.extra["attachments"], message.extra["stickers"]) == (files, stickers)


def test_reactions_name_their_users_where_the_file_does() -> None:
    reactions = [
        {"emoji": {"id": "", "name": "👍", "code": "thumbsup"}, "count": 2, "users": [ANN, BOB]},
        {"emoji": {"id": "9", "name": "LUL", "code": "LUL"}, "count": 3, "users": [BOB]},
        {"emoji": {"id": "", "name": "🎉"}, "count": 4},
        {"emoji": {"id": "8", "name": ""}, "count": 1},
    ]
    (message,) = discord(chat(said(1, reactions=reactions))).spoken
    assert message.reactions == (
        Reaction("👍", ("111", "222"), 2),
        Reaction("LUL", ("222",), 3),
        Reaction("🎉", (), 4),
        Reaction("8", (), 1),
    )
    assert message.extra is not None
    assert message.extra["reactions"][0] == {"emoji": reactions[0]["emoji"], "count": 2}


def test_embeds_are_kept_and_speak_where_the_message_does_not() -> None:
    embed = {
        "title": "Build 5",
        "url": "https://ci.example/5",
        "timestamp": None,
        "description": "passed",
        "author": {"name": "CI"},
        "fields": [{"name": "Time", "value": "3 min", "isInline": True}, {"name": "", "value": ""}],
        "footer": {"text": "by robots"},
    }
    first, second = discord(
        chat(said(1, "", embeds=[embed]), said(2, "look", embeds=[embed]))
    ).spoken
    text = "CI\nBuild 5\npassed\nTime\n3 min\nby robots\nhttps://ci.example/5"
    assert (first.text, second.text) == (text, "look")
    assert first.extra is not None
    assert second.extra is not None
    assert first.extra["embeds"] == second.extra["embeds"] == [embed]


def test_what_was_asked_of_a_bot_and_custom_emoji_are_kept() -> None:
    asked = {"id": "4", "name": "roll"}
    emoji = [{"id": "9", "name": "LUL", "code": "LUL", "isAnimated": False, "imageUrl": "u"}]
    more = {"interaction": asked, "inlineEmojis": emoji, "components": [{}]}
    found = discord(chat(said(1, **more)))
    (message,) = found.spoken
    assert message.extra is not None
    assert {key: message.extra[key] for key in more} == more
    assert found.facts.unknown_keys == {}


def test_what_is_kept_with_a_message_names_nobody_but_its_author() -> None:
    bob = {**BOB, "name": "bobby", "nickname": "Bobby", "avatarUrl": "https://cdn/bobby.png"}
    written = said(
        1,
        "<@222>, look",
        mentions=[bob],
        reactions=[{"emoji": {"name": "LUL", "imageUrl": "u"}, "count": 1, "users": [bob]}],
        interaction={"id": "4", "name": "roll", "user": bob},
        forwardedMessage={"content": "x", "mentions": [bob]},
    )
    (message,) = discord(chat(written)).spoken
    assert message.text == "@Bobby, look"
    assert message.reactions == (Reaction("LUL", ("222",), 1),)
    assert message.extra is not None
    assert "bobby" not in json.dumps(message.extra).lower()
    assert message.extra["interaction"] == {"id": "4", "name": "roll", "user": {"id": "222"}}
    assert message.extra["reactions"] == [{"emoji": {"name": "LUL", "imageUrl": "u"}, "count": 1}]
    assert message.extra["forwardedMessage"] == {"content": "x"}


# Raw markup


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("<@222> hi", "@bob hi"),
        ("<@!222>", "@bob"),
        ("<@444>", "@Dora"),
        ("<@999>", "@999"),
        ("<@&7>", "@Helpers"),
        ("<@&8>", "@8"),
        (f"<#{CHANNEL['id']}>", "#general"),
        ("<#55>", "#Talk"),
        ("<#66>", "#66"),
        ("<:LUL:123> <a:party:456>", ":LUL: :party:"),
        ("<t:1705314600:R>", "2024-01-15 10:30 UTC"),
        ("<t:1705314600>", "2024-01-15 10:30 UTC"),
        ("<t:999999999999:R>", "<t:999999999999:R>"),
        ("</roll dice:123>", "/roll dice"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("[docs](https://example.org/a_(b))", "docs (https://example.org/a_(b))"),
        ("[docs](<https://example.org>)", "docs (https://example.org)"),
        ('[docs](https://example.org "title")', "docs (https://example.org)"),
        ("[https://example.org](https://example.org)", "https://example.org"),
        ("a < b > c <3 <@x> [x](y) **b** `c` &lt;", "a < b > c <3 <@x> [x](y) **b** `c` &lt;"),
    ],
)
def test_raw_markup_is_resolved_as_far_as_the_file_knows(raw: str, plain: str) -> None:
    helper = {**BOB, "roles": [{"id": "7", "name": "Helpers"}]}
    dora = {"id": "444", "name": "dora", "nickname": "Dora"}
    found = discord(chat(said(1, author=helper), said(2, raw, mentions=[dora])))
    assert found.texts[1] == plain


def test_mentions_of_other_channels_of_the_archive_are_named() -> None:
    found = discord(
        archive(
            {
                "a.json": chat(said(1, "see <#22>"), id="11", name="one"),
                "b.json": chat(said(1, "see <#11>"), id="22", name="two"),
            }
        )
    )
    assert found.texts == ["see #two", "see #one"]
