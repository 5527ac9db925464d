"""What a message of Messenger or Instagram says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.message import Attachment, Reaction
from infrastructure.readers.messenger.mojibake import repaired
from infrastructure.readers.messenger.reader import InstagramReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.meta_exports import (
    NOON,
    broken,
    found_in,
    one,
    said,
    thread,
)
from tests.infrastructure.readers.support import (
    json_file,
    read,
    utc_stamp,
)
from tests.support.data import data_path

# Real exports


def test_every_thread_of_a_real_account_goes_forward_in_time() -> None:
    found = found_in(data_path("chitchat", "messenger", "facebook-messages.zip"))
    for before, after in zip(found.messages, found.messages[1:], strict=False):
        assert before.conversation != after.conversation or before.sent_at <= after.sent_at


def test_an_instagram_chat_with_an_empty_message_is_read_whole() -> None:
    path = data_path("fixtures", "chatpack", "instagram.json")
    found = read(path, reader=GuardedReader(InstagramReader()))
    assert found.conversations == [("inbox/test_123", "Test Instagram Chat", "direct")]
    assert found.texts[0] == "Hey! How are you?"
    assert found.texts[4:] == [
        "Check this shared link: https://instagram.com/p/xyz\nCheck this out",
        "",
    ]


def test_a_file_of_nothing_but_messages_does_not_tell_what_it_is() -> None:
    path = data_path("fixtures", "chat-miner", "instagram-test_export.json")
    found = read(path, reader=GuardedReader(InstagramReader()))
    assert [c.kind for c in found.conversations] == ["unknown"]


# What a message is


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("Zo\u00c3\u00ab", "Zoë"),
        ("\u00f0\u009f\u0091\u008d", "👍"),
        ("\u00e2\u0080\u0099", "\u2019"),
        ("\u00d0\u009a\u00d0\u00b0\u00d0\u00ba", "Как"),
        ("Zoë", "Zoë"),  # was right: no UTF-8
        ("naïve 👍", "naïve 👍"),  # was right: no Latin-1
        ("\u00c3", "\u00c3"),
        ("", ""),
    ],
)
def test_text_written_byte_by_byte_is_put_together_again(written: str, meant: str) -> None:
    assert repaired(written) == meant


def test_names_titles_texts_reactions_and_files_are_all_repaired() -> None:
    raw = said(0, "Grüße 👋", "Zoë")
    raw["reactions"] = [{"reaction": broken("❤"), "actor": broken("Jörg")}]
    raw["photos"] = [{"uri": broken("messages/inbox/zoë_1/photos/Süd.jpg")}]
    raw["users"] = [{"name": broken("Jörg")}]
    file = json_file(thread(raw, title=broken("Zoë"), people=["Zoë", "Jörg"]))
    found = found_in(file)
    (message,) = found.messages
    assert found.conversations == [("inbox/ann_1", "Zoë", "direct")]
    assert message.author == ("Zoë", "Zoë")
    assert message.text == "Grüße 👋"
    assert message.reactions == (Reaction("❤", ("Jörg",), 1),)
    assert message.attachments == (Attachment("Süd.jpg", None, None),)
    assert message.extra == {"users": [{"name": "Jörg"}]}


def test_times_are_utc_to_the_millisecond() -> None:
    message = one(said(123))
    assert message.sent_at == datetime(2024, 1, 15, 12, 0, 0, 123_000, UTC)
    assert (message.precision, message.zone) == ("millisecond", "stated")


@pytest.mark.parametrize("milliseconds", [0, 1, 999, 4_294_967_295_001, 253_402_300_799_999])
def test_no_millisecond_is_lost_to_rounding(milliseconds: int) -> None:
    message = one(said(milliseconds - NOON))
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert message.sent_at == expected


def test_files_of_2018_have_whole_seconds() -> None:
    raw = {"sender_name": "Ann", "timestamp": NOON // 1000, "content": "hi"}
    message = one(raw)
    assert utc_stamp(message) == "2024-01-15T12:00:00Z"
    assert message.precision == "second"


def test_media_are_attachments_by_the_names_of_their_files() -> None:
    base = "your_facebook_activity/messages/inbox/ann_1"
    raw = said(
        0,
        None,
        photos=[{"uri": f"{base}/photos/1.jpg", "creation_timestamp": 1705320000}],
        videos=[{"uri": f"{base}/videos/2.mp4", "thumbnail": {"uri": "x.jpg"}}],
        audio_files=[{"uri": f"{base}/audio/3.aac"}],
        files=[{"uri": f"{base}/files/plan.pdf"}, {"uri": "notes.txt"}],
        gifs=[{"uri": f"{base}/gifs/4.gif"}],
        sticker={"uri": "messages/stickers_used/5.png", "ai_stickers": []},
    )
    message = one(raw)
    names = [a.name for a in message.attachments]
    assert names == ["1.jpg", "2.mp4", "3.aac", "plan.pdf", "notes.txt", "4.gif", "5.png"]
    assert {(a.media_type, a.size) for a in message.attachments} == {(None, None)}
    assert (message.kind, message.text, message.extra) == ("message", "", None)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..", "photo"),
        ("C:\\photos\\x.jpg", "x.jpg"),
        ("https://cdn.example.org/v/t1/a%20b.jpg?oh=1&oe=2", "a b.jpg"),
        ("https://[", "photo"),
        ("Failed to download media", "photo"),
        ("", "photo"),
        (None, "photo"),
        (7, "photo"),
    ],
)
def test_an_attachment_is_named_whatever_its_path(uri: Any, name: str) -> None:
    assert one(said(0, None, photos=[{"uri": uri}])).attachments == (Attachment(name, None, None),)


def test_the_address_of_a_file_on_the_web_is_kept() -> None:
    videos = [{"uri": "https://cdn.example.org/2.mp4"}]
    assert one(said(0, None, videos=videos)).extra == {"videos": videos}


@pytest.mark.parametrize(
    ("content", "share", "text"),
    [
        (None, {"link": "https://a.org"}, "https://a.org"),
        ("look", {"link": "https://a.org"}, "look\nhttps://a.org"),
        ("look: https://a.org", {"link": "https://a.org"}, "look: https://a.org"),
        ("look", {"link": "https://a.org", "share_text": "A"}, "look\nA\nhttps://a.org"),
        (None, {"share_text": broken("Zoë is live")}, "Zoë is live"),
        ("Ann sent an attachment.", {}, "Ann sent an attachment."),
    ],
)
def test_what_is_shared_goes_into_the_text(
    content: str | None, share: dict[str, Any], text: str
) -> None:
    message = one(said(0, content, type="Share", share=share))
    assert (message.kind, message.text, message.extra) == ("message", text, None)


def test_who_owns_a_shared_post_is_kept() -> None:
    share = {"link": "https://a.org", "original_content_owner": "creator"}
    message = one(said(0, None, share=share))
    assert message.extra == {"share": {"original_content_owner": "creator"}}


def test_reactions_are_counted_by_emoji_and_name_their_actors() -> None:
    raw = said(0)
    raw["reactions"] = [
        {"reaction": broken("👍"), "actor": "Bob"},
        {"reaction": broken("😢"), "actor": "Cy"},
        {"reaction": broken("👍"), "actor": "Di"},
    ]
    message = one(raw)
    assert message.reactions == (Reaction("👍", ("Bob", "Di"), 2), Reaction("😢", ("Cy",), 1))
    assert message.extra is None


def test_when_somebody_reacted_is_kept() -> None:
    reactions = [{"reaction": broken("👍"), "actor": broken("Zoë"), "timestamp": 1705320001}]
    message = one(said(0, reactions=reactions))
    assert message.reactions == (Reaction("👍", ("Zoë",), 1),)
    kept = [{"reaction": "👍", "actor": "Zoë", "timestamp": 1705320001}]
    assert message.extra == {"reactions": kept}


def test_an_unsent_message_is_deleted_and_keeps_its_reactions() -> None:
    reactions = [{"reaction": broken("👍"), "actor": "Bob"}]
    message = one(said(0, None, is_unsent=True, reactions=reactions))
    assert (message.kind, message.text) == ("deleted", "")
    assert message.reactions == (Reaction("👍", ("Bob",), 1),)


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({"is_unsent": True, "content": "This poll is no longer available."}, "deleted"),
        ({"is_taken_down": True}, "deleted"),
        ({"is_unsent": False, "is_taken_down": False}, "message"),
    ],
)
def test_what_was_unsent_or_taken_down_is_deleted(flags: dict[str, Any], kind: str) -> None:
    message = one({**said(0), **flags})
    assert (message.kind, message.extra) == (kind, None)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"call_duration": 192, "content": "The video call ended."}, "The video call ended."),
        ({"call_duration": 192, "type": "Call"}, "Call, 3 min 12 s"),
        ({"call_duration": 12}, "Call, 12 s"),
        ({"call_duration": 0, "missed": True, "type": "Call"}, "Missed call"),
        ({"type": "Call"}, "Call"),
    ],
)
def test_calls_are_notices_with_their_caller(fields: dict[str, Any], text: str) -> None:
    message = one(said(0, None, **fields))
    assert (message.kind, message.text) == ("system", text)
    assert message.author == ("Ann Other", "Ann Other")
    kept = {key: fields[key] for key in ("call_duration", "missed") if key in fields}
    assert message.extra == (kept or None)


@pytest.mark.parametrize(
    ("kind", "users", "content", "text"),
    [
        ("Subscribe", ["Bob", "Cy"], None, "Ann Other added Bob, Cy"),
        ("Subscribe", ["Ann Other"], None, "Ann Other joined the group"),
        ("Unsubscribe", ["Bob"], None, "Ann Other removed Bob"),
        ("Unsubscribe", ["Ann Other"], None, "Ann Other left the group"),
        ("Unsubscribe", [], "Ann hat die Gruppe verlassen.", "Ann hat die Gruppe verlassen."),
    ],
)
def test_who_came_and_went_is_a_notice(
    kind: str, users: list[str], content: str | None, text: str
) -> None:
    message = one(said(0, content, type=kind, users=[{"name": name} for name in users]))
    assert (message.kind, message.text) == ("system", text)


NOTICES = [
    "You created the group.",
    "You named the group Trip to Rome.",
    "Ann named the group Trip to Rome.",
    "Ann Other added Bob to the group.",
    "A contact added Bob and 3 others to the group.",
    "Ann removed you from the group.",
    "Ann left the group.",
    "Ann changed the group photo.",
    "Ann set the nickname for Bob to Bobby.",
    "Ann set her own nickname to A.",
    "Ann changed the theme to Love.",
    "Ann set the emoji to 🌍.",
    "Ann pinned a message.",
    "You joined the video call.",
    "Ann started a call.",
    "The video call ended.",
    "Video chat ended",
    "You are now connected on Messenger.",
    'Ann voted for "Rome" in the poll: Where?',
    "You waved at a contact!",
    "Reacted 😂 to your message ",
    "Liked a message",
    "This chat is read-only.",
]
SPEECH = [
    "Bob left the group.",  # of somebody else: who knows
    "ann left the group.",
    "who added him to the group?",
    "You named the group well",
    "I set the nickname for you yesterday",
    "You called?",
    "The call ended. Sorry, my train went into a tunnel",
    "Ann sent an attachment.",
    "Reacted badly, sorry",
    "Ann hat die Gruppe verlassen.",
    "You " + "created the group. " * 100,
]


@pytest.mark.parametrize("text", NOTICES)
def test_the_english_sentences_about_the_sender_are_notices(text: str) -> None:
    message = one(said(0, text))
    assert (message.kind, message.text) == ("system", text)
    assert one(said(0, text, type="Generic", ip="192.0.2.1")).kind == "system"


@pytest.mark.parametrize("text", SPEECH)
def test_what_only_resembles_a_notice_is_a_message(text: str) -> None:
    message = one(said(0, text))
    assert (message.kind, message.text) == ("message", text)


def test_a_sentence_like_a_notice_under_a_photo_is_a_caption() -> None:
    assert one(said(0, "Ann left the group.", photos=[{"uri": "a/1.jpg"}])).kind == "message"


def test_what_no_message_has_a_place_for_is_kept_and_not_called_unknown() -> None:
    raw = said(0, ip="192.0.2.1", is_geoblocked_for_viewer=True, sender_id_INTERNAL=0)
    found = found_in(json_file(thread(raw)))
    assert found.messages[0].extra == {"ip": "192.0.2.1", "is_geoblocked_for_viewer": True}
    assert found.facts.unknown_keys == {}
    assert found.facts.timezone == "UTC"


def test_a_bump_is_kept_and_a_text_only_repeated_is_not() -> None:
    own = {"bumped_message": broken("Grüße"), "is_bumped": False}
    bump = {"bumped_message": "see you?", "is_bumped": True}
    assert one(said(0, "Grüße", bumped_message_metadata=own)).extra is None
    message = one(said(0, None, bumped_message_metadata=bump))
    assert message.extra == {"bumped_message_metadata": bump}


def test_unknown_keys_are_kept_repaired_and_counted() -> None:
    raw = [said(n, mood=broken("größer")) for n in range(2)]
    found = found_in(json_file(thread(*raw, colour="red")))
    assert found.facts.unknown_keys == {"messages.mood": 2, "threads.colour": 1}
    assert [m.extra for m in found.messages] == [{"mood": "größer"}] * 2


def test_people_without_a_name_are_called_what_meta_calls_them() -> None:
    for name in ("", None):
        raw = {**said(0), "sender_name": name}
        assert one(raw).author == ("Facebook user", "Facebook user")
    raw = {"timestamp_ms": NOON, "content": "hi"}
    found = read(json_file(thread(raw)), reader=InstagramReader())
    assert found.messages[0].author == ("Instagram User", "Instagram User")
