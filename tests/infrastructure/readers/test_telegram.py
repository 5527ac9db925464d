"""What Telegram Desktop writes besides text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions
from domain.message import Attachment, Reaction
from tests.infrastructure.readers.support import MemoryFile, json_file, read, utc_stamp, zip_file

BASE = {"type": "message", "date": "2024-01-15T10:30:00", "date_unixtime": "1705314600"}
ANN = {"from": "Ann", "from_id": "user1"}


def chat(*messages: dict[str, Any], **header: Any) -> dict[str, Any]:
    return {"name": "Rome", "type": "private_group", "id": 7, **header, "messages": list(messages)}


def said(number: int, text: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"id": number, **BASE, **ANN, "text": text, **more}


def test_text_in_parts_is_joined_and_hidden_links_are_shown() -> None:
    parts = ["see ", {"type": "bold", "text": "this"}, {"type": "text_link", "text": " page"}]
    parts[-1]["href"] = "https://example.org"  # type: ignore[index]
    found = read(json_file(chat(said(1, parts))))
    assert found.texts == ["see this page (https://example.org)"]


def test_service_messages_are_notices_with_their_actor() -> None:
    raw = {"id": 1, **BASE, "type": "service", "actor": "Ann", "actor_id": "user1"}
    found = read(json_file(chat({**raw, "action": "invite_members", "members": ["Bob", None]})))
    (message,) = found.messages
    assert (message.kind, message.text) == ("system", "Ann added Bob")
    assert message.author == ("user1", "Ann")


def test_replies_edits_reactions_and_files_are_kept() -> None:
    raw = said(
        2,
        "",
        reply_to_message_id=1,
        edited_unixtime="1705314660",
        file="(File not included. Change data exporting settings to download.)",
        file_name="plan.pdf",
        mime_type="application/pdf",
        file_size=12,
        reactions=[{"type": "emoji", "count": 3, "emoji": "👍", "recent": [{"from_id": "user9"}]}],
    )
    message = read(json_file(chat(said(1), raw))).spoken[1]
    assert message.reply_to == "1"
    assert message.edited_at is not None
    assert message.edited_at.isoformat() == "2024-01-15T10:31:00+00:00"
    assert message.attachments == (Attachment("plan.pdf", "application/pdf", 12),)
    assert message.reactions == (Reaction("👍", ("user9",), 3),)


def test_a_forum_topic_is_a_thread() -> None:
    topic = {"id": 5, **BASE, "type": "service", "actor": "Ann", "actor_id": "user1"}
    topic |= {"action": "topic_created", "title": "Food"}
    file = json_file(
        chat(
            topic,
            said(6, reply_to_message_id=5),
            said(7, reply_to_message_id=6),
            said(8),
        )
    )
    places = [(m.key, m.thread, m.reply_to) for m in read(file).messages]
    assert places == [("5", "5", None), ("6", "5", None), ("7", "5", "6"), ("8", None, None)]


def test_an_account_has_all_its_chats_also_those_left() -> None:
    account = {
        "about": "Here is the data you requested.",
        "contacts": {"list": [{"first_name": "Bob"}]},
        "chats": {"about": "chats", "list": [chat(said(1)), chat(said(1), id=8, name=None)]},
        "left_chats": {"about": "left", "list": [chat(said(1), id=9, type="public_channel")]},
    }
    found = read(json_file(account))
    assert [c.id for c in found.conversations] == ["7", "8", "9"]
    assert found.conversations[2].kind == "channel"
    assert len(found.spoken) == 3


def test_a_header_after_the_messages_is_found() -> None:
    raw = json.dumps({"messages": [said(1)], "id": 7, "name": "Rome", "type": "personal_chat"})
    found = read(MemoryFile(raw.encode(), "result.json"))
    assert found.conversations == [("7", "Rome", "direct")]


def test_old_files_have_local_times_and_bare_user_numbers() -> None:
    old = {"id": 1, "type": "message", "date": "2020-06-01T12:00:00", "from": "Ann", "from_id": 1}
    old |= {"text": "hi", "edited": "1970-01-01T01:00:00"}
    (message,) = read(json_file(chat(old)), ReadOptions(timezone="Europe/Berlin")).spoken
    assert utc_stamp(message) == "2020-06-01T10:00:00Z"
    assert message.author == ("user1", "Ann")
    assert (message.zone, message.edited_at) == ("stated", None)


def test_escapes_that_are_no_json_are_understood_and_told_of() -> None:
    raw = json.dumps(chat(said(1, "a@b"), said(2, "c"))).replace("a@b", r"a\x1fb")
    found = read(MemoryFile(raw.encode(), "result.json"))
    assert found.texts == ["a\x1fb", "c"]
    assert len(found.warnings) == 1


def test_unknown_keys_are_kept_and_counted() -> None:
    found = read(json_file(chat(said(1, boost=4), said(2, boost=5))))
    assert found.facts.unknown_keys == {"messages.boost": 2}
    assert [m.extra for m in found.spoken] == [{"boost": 4}, {"boost": 5}]


def test_a_poll_a_place_and_a_contact_have_a_text() -> None:
    poll = {"question": "Where?", "answers": [{"text": "Rome", "voters": 1}]}
    place = {"latitude": 41.9, "longitude": 12.5}
    person = {"first_name": "Bob", "last_name": "", "phone_number": "123"}
    found = read(
        json_file(
            chat(
                said(1, "", poll=poll),
                said(2, "", location_information=place),
                said(3, "", contact_information=person),
            )
        )
    )
    assert found.texts == ["Where?\n- Rome", "41.9, 12.5", "Bob 123"]


def test_a_zipped_export_folder_is_read() -> None:
    found = read(zip_file({"Export/result.json": json.dumps(chat(said(1))), "Export/p.jpg": b"x"}))
    assert (found.format, found.texts) == ("telegram", ["hi"])


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [17, None, {"id": 2, "type": "message"}, {**said(3), "date_unixtime": "x"}]
    file = json_file(chat(said(1), *wrong, said(9)))
    found = read(file)
    assert [m.key for m in found.messages] == ["1", "9"]
    assert [w.line for w in found.warnings] == [2, 3, 4, 5]


def test_links_in_the_entities_are_shown_where_the_text_lacks_them() -> None:
    entities = [
        {"type": "plain", "text": "see "},
        {"type": "text_link", "text": "the page", "href": "https://example.org"},
        {"type": "plain", "text": " "},
        {"type": "text_link", "text": "example.org/a", "href": "https://example.org/a/"},
    ]
    found = read(
        json_file(
            chat(
                said(1, "see the page example.org/a", text_entities=entities),
                said(2, "", text_entities=entities[:2]),
                said(3, "kept", text_entities=[5, None]),
                said(4, "kept", text_entities="junk"),
            )
        )
    )
    link = "see the page (https://example.org)"
    assert found.texts == [f"{link} https://example.org/a/", link, "kept", "kept"]
    assert found.warnings == []


def test_every_kind_of_part_is_text() -> None:
    kinds = [
        *("bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "code", "link"),
        *("mention", "hashtag", "cashtag", "bot_command", "email", "phone", "bank_card"),
        *("unknown", "a_kind_of_tomorrow"),
    ]
    parts: list[Any] = [{"type": kind, "text": f"<{kind}>"} for kind in kinds]
    parts += [
        {"type": "pre", "text": "x = 1", "language": "python"},
        {"type": "custom_emoji", "text": "🦊", "document_id": "(File not included. Change …)"},
        {"type": "mention_name", "text": "Bob", "user_id": 2},
    ]
    (text,) = read(json_file(chat(said(1, parts, text_entities=parts)))).texts
    assert text == "".join(f"<{kind}>" for kind in kinds) + "x = 1🦊Bob"


def test_a_person_mentioned_by_number_alone_gets_the_name() -> None:
    parts: list[Any] = ["hi ", {"type": "mention_name", "text": "", "user_id": 1}, " "]
    parts.append({"type": "mention_name", "text": "", "user_id": 2})
    found = read(json_file(chat(said(1), said(2, parts))))
    assert found.texts[1] == "hi @Ann @user2"


def service(action: str | None, **more: Any) -> dict[str, Any]:
    actor = {"actor": "Ann", "actor_id": "user1"}
    return {"id": 1, **BASE, "type": "service", **actor, "action": action, "text": "", **more}


@pytest.mark.parametrize(
    ("action", "more", "words"),
    [
        ("create_group", {"title": "Rome", "members": ["Ann"]}, "created the group “Rome”"),
        ("edit_group_title", {"title": "Pisa"}, "changed the group's name to “Pisa”"),
        ("edit_group_photo", {"photo": "photos/a.jpg"}, "changed the group's photo"),
        ("invite_members", {"members": ["Bob", "Eve"]}, "added Bob, Eve"),
        ("invite_members", {"members": ["Ann"]}, "joined the group"),
        ("remove_members", {"members": ["Bob"]}, "removed Bob"),
        ("remove_members", {"members": ["Ann"]}, "left the group"),
        ("join_group_by_link", {"inviter": "Bob"}, "joined by a link of Bob"),
        ("join_group_by_link", {"inviter": None}, "joined by a link"),
        ("pin_message", {"message_id": 5}, "pinned a message"),
        (
            "phone_call",
            {"duration_seconds": 61, "discard_reason": "hangup"},
            "called for 61 seconds",
        ),
        ("phone_call", {"discard_reason": "missed"}, "called and was missed"),
        ("topic_edit", {"new_title": "Food"}, "changed the topic to “Food”"),
        ("topic_edit", {"new_icon_emoji_id": 5}, "changed the topic's icon"),
        ("clear_history", {}, "cleared the history"),
        ("migrate_to_supergroup", {}, "turned the group into a supergroup"),
        ("migrate_from_group", {"title": "Old"}, "turned the group “Old” into this one"),
        ("joined_telegram", {}, "joined Telegram"),
        ("set_messages_ttl", {"period": 86400}, "set messages to be deleted after 86400 seconds"),
        ("set_messages_ttl", {"period": 0}, "set messages to stay"),
        ("score_in_game", {"score": 9, "game_message_id": 3}, "scored 9 in a game"),
        ("take_screenshot", {}, "took a screenshot"),
        ("group_call", {}, "started a group call"),
        ("group_call", {"duration": 9}, "ended a group call of 9 seconds"),
        ("invite_to_group_call", {"members": ["Bob"]}, "invited Bob to a group call"),
        (
            *("group_call_scheduled", {"schedule_date": 1705314600}),
            "scheduled a group call for 2024-01-15 10:30 UTC",
        ),
        ("edit_chat_theme", {"emoticon": "🎄"}, "changed the chat's theme to 🎄"),
        ("edit_chat_theme", {}, "removed the chat's theme"),
        ("send_premium_gift", {"months": 3, "cost": "9"}, "gave Telegram Premium for 3 months"),
        ("boost_apply", {"boosts": 2}, "boosted the group (2)"),
        (
            "send_star_gift",
            {"stars": 5, "gift_text": "for you"},
            "sent a gift worth 5 stars\nfor you",
        ),
        (None, {"information_text": "was here"}, "was here"),
        ("an_action_of_tomorrow", {"title": "T", "members": ["B"]}, "an action of tomorrow “T” B"),
    ],
)
def test_what_happened_is_told_in_words(
    action: str | None, more: dict[str, Any], words: str
) -> None:
    found = read(json_file(chat(service(action, **more))))
    (message,) = found.messages
    assert (message.kind, message.text) == ("system", f"Ann {words}")
    assert found.facts.unknown_keys == {}


def test_a_notice_that_names_nobody_speaks_for_the_chat() -> None:
    near = {"id": 2, **BASE, "type": "service", **ANN, "action": "proximity_reached", "text": ""}
    near |= {"to": "Bob", "to_id": "user2", "distance": 50}
    paid = {"id": 3, **BASE, "type": "service", "action": "send_payment", "amount": 5, "text": ""}
    found = read(json_file(chat(near, paid)))
    assert [(m.author, m.text) for m in found.messages] == [
        (("user1", "Ann"), "Ann is within 50 m of Bob"),
        (None, "sent a payment"),
    ]
    assert found.messages[1].extra == {"amount": 5}


@pytest.mark.parametrize(
    ("media", "attachment"),
    [
        ({"photo": "photos/photo_1.jpg"}, Attachment("photo_1.jpg", None, 3)),
        ({"photo": "(File not included. Change …)"}, Attachment("photo", None, None)),
        (
            {"photo": "(File exceeds maximum size. Change …)", "photo_file_size": 9},
            Attachment("photo", None, 9),
        ),
        (
            {"file": "a.pdf (File unavailable, please try again later)"},
            Attachment("a.pdf", None, None),
        ),
        (
            {"file": "files/a (1).pdf", "mime_type": "application/pdf"},
            Attachment("a (1).pdf", "application/pdf", None),
        ),
        (
            {
                "file": "(File not included. …)",
                "media_type": "voice_message",
                "duration_seconds": 3,
            },
            Attachment("voice_message", None, None),
        ),
        (
            {"contact_vcard": "contacts/c.vcf", "contact_information": {"first_name": "Bob"}},
            Attachment("c.vcf", "text/vcard", None),
        ),
    ],
)
def test_media_are_known_also_where_their_bytes_are_not(
    media: dict[str, Any], attachment: Attachment
) -> None:
    result = json.dumps(chat(said(1, "", **media)))
    (message,) = read(zip_file({"E/result.json": result, "E/photos/photo_1.jpg": b"abc"})).spoken
    assert message.attachments == (attachment,)


def test_what_a_message_has_no_place_for_is_kept_and_not_counted() -> None:
    kept: dict[str, Any] = {
        "forwarded_from": "Bob",
        "saved_from": None,
        "via_bot": "@gif",
        "author": "Signature",
        "width": 3,
        "performer": "Band",
        "title": "Song",
        "inline_bot_buttons": [[{"type": "url", "text": "x"}]],
    }
    poll = {"question": "Where?", "closed": True, "total_voters": 3}
    poll |= {"answers": [{"text": "Rome", "voters": 3, "chosen": True}]}  # type: ignore[dict-item]
    found = read(json_file(chat(said(1, **kept), said(2, "", poll=poll))))
    assert [m.extra for m in found.spoken] == [kept, {"poll": poll}]
    assert found.facts.unknown_keys == {}


def test_reactions_of_all_times_are_understood() -> None:
    newer = [
        {"type": "emoji", "count": 2, "emoji": "❤", "recent": [{"from": "B", "from_id": "user2"}]},
        {"type": "custom_emoji", "count": 1, "document_id": "stickers/fox.webp"},
        {"type": "paid", "count": 7},
    ]
    found = read(
        json_file(chat(said(1, reactions=newer), said(2, reactions=[{"emoji": "👍", "count": 4}])))
    )
    assert [m.reactions for m in found.spoken] == [
        (
            Reaction("❤", ("user2",), 2),
            Reaction("stickers/fox.webp", (), 1),
            Reaction("paid", (), 7),
        ),
        (Reaction("👍", (), 4),),
    ]


def test_what_is_in_no_topic_of_a_forum_is_in_general() -> None:
    opened = {**service("topic_created", title="Food"), "id": 5}
    first = {**service("create_group", title="Rome"), "id": 1}
    file = json_file(
        chat(
            first,
            said(2),
            said(3, reply_to_message_id=2),
            opened,
            said(6, reply_to_message_id=5),
            said(7),
            said(8, reply_to_message_id=7),
            said(9, reply_to_message_id=1),
        )
    )
    places = {m.key: (m.thread, m.reply_to) for m in read(file).messages}
    assert places == {
        "1": (None, None),
        "2": (None, None),
        "3": (None, "2"),
        "5": ("5", None),
        "6": ("5", None),
        "7": ("1", None),
        "8": ("1", "7"),
        "9": ("1", None),
    }


def test_an_answer_to_another_chat_answers_nothing_here() -> None:
    found = read(
        json_file(
            chat(
                said(1, reply_to_message_id=4, reply_to_peer_id="channel99"),
                said(2, reply_to_message_id=1, reply_to_peer_id="channel7"),
            )
        )
    )
    assert [m.reply_to for m in found.spoken] == [None, "1"]
    assert found.spoken[0].extra == {"reply_to_peer_id": "channel99"}


def test_unsupported_messages_keep_their_place() -> None:
    found = read(json_file(chat(said(1), {"id": 2, "type": "unsupported"}, said(3))))
    assert [(m.key, m.kind, m.zone) for m in found.messages] == [
        ("1", "message", "stated"),
        ("2", "system", "derived"),
        ("3", "message", "stated"),
    ]
    assert found.messages[1].sent_at == found.messages[0].sent_at
    first = read(json_file(chat({"id": 2, "type": "unsupported"}, said(3))))
    assert [m.key for m in first.messages] == ["3"]
    assert [w.line for w in first.warnings] == [1]


def test_the_chats_without_a_name_have_one() -> None:
    kinds = ("saved_messages", "replies", "verify_codes")
    chats = [
        {"type": kind, "id": n, "messages": [said(1)]} for n, kind in enumerate(kinds, start=1)
    ]
    found = read(json_file({"about": "…", "chats": {"about": "…", "list": chats}}))
    assert found.conversations == [
        ("1", "Saved messages", "direct"),
        ("2", "Replies", "direct"),
        ("3", "Verification codes", "direct"),
    ]


def test_the_numbers_of_old_files_are_the_people_of_new_ones() -> None:
    """Old files count people from 2**32 on, and groups and channels from 2**33 on."""
    sources = [2**32 + 1, 2**33 + 9, 1, "user1"]
    found = read(json_file(chat(*(said(n) | {"from_id": s} for n, s in enumerate(sources)))))
    assert [m.author.id for m in found.spoken if m.author] == [
        *("user1", "channel9", "user1", "user1"),
    ]


def test_one_person_under_changing_names_and_a_deleted_account_keep_their_numbers() -> None:
    found = read(
        json_file(
            chat(said(1), said(2) | {"from": "Anna"}, said(3) | {"from": None, "from_id": "user4"})
        )
    )
    assert [m.author for m in found.spoken] == [
        *(("user1", "Ann"), ("user1", "Anna"), ("user4", "Deleted account")),
    ]


def local(number: int, date: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "message", "date": date, **ANN, "text": "hi", **more}


def test_the_hour_that_comes_twice_goes_on_where_the_file_does() -> None:
    times = ("02:30:00", "02:50:00", "02:10:00", "02:40:00", "03:00:00")
    file = json_file(chat(*(local(n, f"2023-10-29T{t}") for n, t in enumerate(times))))
    found = read(file, ReadOptions(timezone="Europe/Berlin"))
    assert [utc_stamp(m)[11:16] for m in found.spoken] == [
        *("00:30", "00:50", "01:10", "01:40", "02:00"),
    ]


def test_an_edit_in_local_time_is_off_by_what_its_message_was() -> None:
    raw = said(1, edited="2024-01-15T12:31:00") | {"date": "2024-01-15T12:30:00"}
    (message,) = read(json_file(chat(raw))).spoken
    assert message.edited_at is not None
    assert message.edited_at.isoformat() == "2024-01-15T10:31:00+00:00"


def test_another_assumed_zone_changes_no_key() -> None:
    raw = {"type": "message", "date": "2024-01-15T10:30:00", "from": "Ann", "text": "hi"}
    keys = {
        read(json_file(chat(raw)), ReadOptions(timezone=zone)).spoken[0].key
        for zone in (None, "Asia/Tokyo")
    }
    assert len(keys) == 1


def test_an_escaped_backslash_before_an_x_is_no_escape() -> None:
    raw = json.dumps(chat(said(1, "a@b \\x41"))).replace("@", r"\x1F")
    assert read(MemoryFile(raw.encode(), "result.json")).texts == ["a\x1fb \\x41"]


def test_messages_with_an_empty_id_are_told_apart_by_what_they_say() -> None:
    found = read(json_file(chat({**said(1, "one"), "id": ""}, {**said(1, "two"), "id": ""})))
    assert found.texts == ["one", "two"]
    assert len({message.key for message in found.messages} - {""}) == 2
