"""What Telegram Desktop writes besides text."""

from __future__ import annotations

import json
from typing import Any

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
