"""Signal's own export: what a message is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.message import Attachment, Edit, Reaction
from tests.infrastructure.readers.signal_exports import (
    ADA,
    BOB,
    ME,
    START,
    aci,
    backup,
    item,
    one,
    revised,
    said,
    signal,
)
from tests.infrastructure.readers.support import (
    utc_stamp,
)

# Signal's own export


def test_messages_have_their_author_time_and_key() -> None:
    found = signal(backup(said("hi"), said("ho", 1234, "1"), said("hm", 2000, "3", chat="11")))
    assert [(m.key, m.author, utc_stamp(m), m.text) for m in found.messages] == [
        (f"{ADA}:{START}", (ADA, "Ada Lovelace"), "2023-11-03T08:26:40Z", "hi"),
        (f"self:{START + 1234}", ("self", "Maria Me"), "2023-11-03T08:26:41Z", "ho"),
        (f"{BOB}:{START + 2000}", (BOB, "Bob"), "2023-11-03T08:26:42Z", "hm"),
    ]
    assert found.messages[1].sent_at.microsecond == 234_000
    assert {(m.precision, m.zone, m.kind) for m in found.messages} == {
        ("millisecond", "stated", "message")
    }
    assert (found.warnings, found.facts.unknown_keys) == ([], {})


def test_conversations_are_told_by_what_stays_the_same_in_the_next_export() -> None:
    frames = [said("x", chat=chat, author="1") for chat in ("10", "11", "12", "13")]
    ada, rome, notes, release = signal(backup(*frames)).conversations
    assert ada == (ADA, "Ada Lovelace", "direct")
    assert (rome.title, rome.kind) == ("Rome", "group")
    assert rome.id.startswith("group-")
    assert len(rome.id) == len("group-") + 32
    assert "c2VjcmV0" not in rome.id
    assert notes == ("self", "Note to Self", "direct")
    assert release == ("release-notes", "Signal", "channel")


def test_a_chat_in_which_nobody_spoke_is_no_conversation() -> None:
    assert [c.title for c in signal(backup(said("hi"))).conversations] == ["Ada Lovelace"]


def test_numbers_may_be_numbers_and_frames_be_in_any_order() -> None:
    late = {"recipient": {"id": 7, "contact": {"e164": 4912345}}}
    message = said("hi", author="7", chat="20")
    message["chatItem"] |= {"chatId": 20, "authorId": 7, "dateSent": START}
    found = signal(backup(said("first"), late, {"chat": {"id": 20, "recipientId": "7"}}, message))
    assert found.messages[1].author == ("+4912345", "+4912345")
    assert found.conversations[1] == ("+4912345", "+4912345", "direct")
    assert found.messages[1].sent_at == found.messages[0].sent_at


@pytest.mark.parametrize(
    ("raw", "author"),
    [
        ({"nickname": {"given": "N", "family": "M"}, "systemGivenName": "S"}, "N M"),
        ({"systemGivenName": "S", "profileGivenName": "P"}, "S"),
        ({"profileGivenName": "P", "profileFamilyName": "Q", "e164": "123"}, "P Q"),
        ({"e164": "123", "username": "u.01"}, "+123"),
        ({"username": "u.01"}, "u.01"),
        ({}, "Unknown"),
    ],
)
def test_people_are_called_as_signal_calls_them(raw: dict[str, Any], author: str) -> None:
    frame = {"recipient": {"id": "9", "contact": {"aci": aci(BOB), **raw}}}
    assert one(frame, said("hi", author="9")).author == (BOB, author)


def test_mentions_become_names_and_styles_are_dropped() -> None:
    """Places are counted in UTF-16 units: the pizza is two."""
    body = "\U0001f355 \ufffc and \ufffc, bold"
    ranges = [
        {"start": 9, "length": 1, "mentionAci": aci(ME)},
        {"start": 3, "length": 1, "mentionAci": aci(ADA)},
        {"start": 12, "length": 4, "style": "BOLD"},
    ]
    frame = item(chat="11", standardMessage={"text": {"body": body, "bodyRanges": ranges}})
    assert one(frame).text == "\U0001f355 @Ada Lovelace and @Maria Me, bold"


def test_mentions_beyond_the_text_are_ignored() -> None:
    far = [{"start": n, "length": 1, "mentionAci": aci(ADA)} for n in (0, 0, 7, 10**9)]
    text = {"body": "\ufffc!", "bodyRanges": far}
    assert one(item(standardMessage={"text": text})).text == "@Ada Lovelace!"


def test_a_quotation_is_an_answer() -> None:
    quote = {"targetSentTimestamp": str(START), "authorId": "2", "text": {"body": "hi"}}
    found = signal(backup(said("hi"), said("ho", 1, "1", quote={**quote, "type": "NORMAL"})))
    assert found.messages[1].reply_to == found.messages[0].key
    assert found.messages[1].extra == {"quote": {"text": "hi"}}


def test_a_quotation_whose_message_was_not_found_answers_nothing_but_is_kept() -> None:
    message = one(said("ho", quote={"authorId": "2", "text": {"body": "gone"}}))
    assert (message.reply_to, message.extra) == (None, {"quote": {"text": "gone"}})


def test_an_edited_message_keeps_its_time_and_key_and_its_older_versions() -> None:
    message = one(revised("one", "two", "three"))
    second = datetime(2023, 11, 3, 8, 26, 40, tzinfo=UTC)
    assert (message.text, message.key) == ("three", f"{ADA}:{START}")
    assert message.sent_at == second
    assert message.edited_at == second + timedelta(seconds=2)
    assert message.edits == (
        Edit("one", second),
        Edit("two", second + timedelta(seconds=1)),
    )


@pytest.mark.parametrize("after", [0, 1000, 2000])
def test_any_version_of_a_message_may_be_quoted(after: int) -> None:
    quote = {"targetSentTimestamp": str(START + after), "authorId": "2"}
    found = signal(backup(revised("a", "b", "c"), said("ho", 9000, "1", quote=quote)))
    assert found.messages[1].reply_to == found.messages[0].key


def test_reactions_are_counted_by_emoji_with_their_authors() -> None:
    given = [
        {"emoji": e, "authorId": who, "sentTimestamp": "1"} for e, who in ("👍1", "👍3", "🎉1")
    ]
    assert one(said("hi", reactions=given)).reactions == (
        Reaction("👍", ("self", BOB), 2),
        Reaction("🎉", ("self",), 1),
    )


def test_attachments_have_name_type_and_size() -> None:
    files = [
        {"pointer": {"contentType": "image/png", "fileName": "a.png", "locatorInfo": {"size": 5}}},
        {"pointer": {"contentType": "audio/aac"}, "flag": "VOICE_MESSAGE"},
        {"pointer": {"contentType": "video/mp4", "caption": "look"}},
        {"pointer": {}},
    ]
    long = {"contentType": "text/x-signal-plain", "locatorInfo": {"size": 9000}}
    message = one(item(standardMessage={"attachments": files, "longText": long}))
    assert message.attachments == (
        Attachment("a.png", "image/png", 5),
        Attachment("voice message", "audio/aac", None),
        Attachment("video", "video/mp4", None),
        Attachment("file", None, None),
        Attachment("rest of the text", "text/x-signal-plain", 9000),
    )
    assert message.text == "look"


def test_previews_of_links_are_kept_without_their_pictures() -> None:
    preview = {"url": "https://a.example", "title": "A", "image": {"contentType": "image/png"}}
    message = one(said("see https://a.example", linkPreview=[preview]))
    assert message.extra == {"linkPreview": [{"url": "https://a.example", "title": "A"}]}


def test_other_kinds_of_messages_have_a_text_or_an_attachment() -> None:
    sticker = {"emoji": "🐱", "packId": "AA==", "packKey": "BB==", "data": {"contentType": "a/b"}}
    card = {
        "name": {"givenName": "Cem", "familyName": "D"},
        "number": [{"value": "+123", "type": "MOBILE"}],
        "email": [{"value": "c@d.example"}],
        "address": [{"street": "Via 1", "city": "Rome"}],
    }
    options = [{"option": "yes", "votes": [{"voterId": "1", "voteCount": 1}]}, {"option": "no"}]
    found = signal(
        backup(
            item(1, stickerMessage={"sticker": sticker}),
            item(2, contactMessage={"contact": card}),
            item(3, viewOnceMessage={}),
            item(4, poll={"question": "Rome?", "options": options, "hasEnded": True}),
            item(5, paymentNotification={"amountMob": "1.5", "note": "pizza"}),
            item(6, giftBadge={"state": "REDEEMED"}),
            item(7, directStoryReplyMessage={"emoji": "🔥"}),
        )
    )
    texts = {int(m.key[-1]): m.text for m in found.messages}
    assert texts == {
        1: "",
        2: "Cem D\n+123\nc@d.example\nVia 1, Rome",
        3: "",
        4: "Rome?\n- yes (1)\n- no (0)",
        5: "Payment of 1.5 MOB\npizza",
        6: "Donation made as a gift (redeemed)",
        7: "🔥",
    }
    assert {m.kind for m in found.messages} == {"message"}
    first, _, third, fourth = found.messages[:4]
    assert first.attachments == (Attachment("sticker", "a/b", None),)
    assert first.extra == {"sticker": {"emoji": "🐱", "packId": "AA=="}}
    assert third.attachments == (Attachment("media to be seen once", None, None),)
    assert fourth.extra is not None
    assert fourth.extra["poll"]["options"][0] == {"option": "yes", "votes": ["self"]}
    assert (found.warnings, found.facts.unknown_keys) == ([], {})
