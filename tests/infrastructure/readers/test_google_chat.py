"""What Google Takeout writes of Google Chat."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from application.ports.chat_reader import (
    ReadOptions,
)
from domain.message import Attachment, Edit, Reaction
from tests.infrastructure.readers.google_chat_exports import (
    ANN,
    BOB,
    GONE,
    NOON,
    ROOT,
    alone,
    at,
    chat,
    found_in,
    one,
    said,
    takeout,
)
from tests.infrastructure.readers.support import (
    json_file,
    zip_file,
)

# What a message is


def test_a_message_has_its_id_its_author_s_address_and_utc() -> None:
    message = one(said(5, "hello"))
    assert message.key == "AAAA/t5/t5"
    assert message.author == ("ann@example.org", "Ann Other")
    assert message.sent_at == NOON + timedelta(seconds=5)
    assert (message.precision, message.zone) == ("second", "stated")
    assert (message.kind, message.text, message.extra) == ("message", "hello", None)


def test_one_person_under_changing_names_is_one_author() -> None:
    renamed = {**ANN, "name": "Ann Married"}
    authors = [m.author for m in alone(said(1), said(2, creator=renamed)).messages]
    assert [a.id for a in authors if a] == ["ann@example.org"] * 2
    assert [a.name for a in authors if a] == ["Ann Other", "Ann Married"]


def test_people_without_an_address_go_by_their_name() -> None:
    assert one(said(1, creator=GONE)).author == ("Deleted User", "Deleted User")
    assert one(said(1, creator={"email": "x@y.z"})).author == ("x@y.z", "x@y.z")
    assert one(said(1, creator=None)).author is None


def test_files_are_attachments_by_their_original_names() -> None:
    files = [
        {"original_name": "plan.pdf", "export_name": "File-plan.pdf"},
        {"export_name": "File-49?account_id=3.png"},
        {"original_name": "../../etc/passwd"},
        {"original_name": 7},
    ]
    message = one(said(1, None, attached_files=files))
    names = ["plan.pdf", "File-49?account_id=3.png", "passwd", "file"]
    assert message.attachments == tuple(Attachment(name, None, None) for name in names)
    assert (message.text, message.extra) == ("", None)


def test_reactions_name_who_reacted() -> None:
    reactions = [
        {"emoji": {"unicode": "👍"}, "reactor_emails": ["bob@example.org", "ann@example.org"]},
        {"emoji": {"custom_emoji": {"shortcode": ":party:"}}, "reactor_emails": []},
        {"emoji": {}},
    ]
    message = one(said(1, reactions=reactions))
    assert message.reactions == (
        Reaction("👍", ("bob@example.org", "ann@example.org"), 2),
        Reaction("party", (), 0),
        Reaction("?", (), 0),
    )


def test_a_deleted_message_is_deleted() -> None:
    raw = said(
        1,
        None,
        message_state="DELETED",
        deleted_date=at(60),
        deletion_metadata={"deletion_type": "CREATOR"},
    )
    found = alone(raw)
    (message,) = found.messages
    assert (message.kind, message.text) == ("deleted", "")
    assert message.extra is not None
    assert message.extra["deletion_metadata"] == {"deletion_type": "CREATOR"}
    assert found.facts.unknown_keys == {}


def test_an_edited_message_has_the_date_of_its_first_version() -> None:
    """Takeout gives it no `created_date` of its own, and its versions in any order."""
    versions = [
        {"updated_date": at(60), "text": "second"},
        {"created_date": at(0), "text": "first"},
    ]
    raw = said(0, "third", updated_date=at(120), previous_message_versions=versions)
    del raw["created_date"]
    message = one(raw)
    assert message.sent_at == NOON
    assert message.edited_at == NOON + timedelta(seconds=120)
    assert message.text == "third"
    assert message.edits == (
        Edit("first", NOON + timedelta(seconds=60)),
        Edit("second", NOON + timedelta(seconds=120)),
    )


def test_an_edit_without_its_versions_is_an_edit() -> None:
    message = one(said(0, updated_date=at(60)))
    assert (message.sent_at, message.edited_at) == (NOON, NOON + timedelta(seconds=60))
    assert message.edits == ()
    raw = said(0, updated_date=at(60), created_date=None)
    assert one(raw).sent_at == NOON + timedelta(seconds=60)


URL = "private_do_not_access_or_else_safe_url_wrapped_value"


def linked(start: int, length: int, url: str, kind: str = "url_metadata") -> dict[str, Any]:
    return {"start_index": start, "length": length, kind: {"url": {URL: url}}}


@pytest.mark.parametrize(
    ("text", "annotations", "plain"),
    [
        ("see the plan, ok", [linked(4, 8, "https://a.org")], "see the plan (https://a.org), ok"),
        ("https://a.org/1", [linked(0, 15, "https://a.org/1")], "https://a.org/1"),
        ("see a.org", [linked(4, 5, "http://www.a.org/")], "see a.org"),
        ("a b", [linked(0, 1, "https://x.org"), linked(2, 1, "https://y.org")],
         "a (https://x.org) b (https://y.org)"),
        ("a b", [linked(0, 1, "https://x.org"), linked(0, 1, "https://x.org", "interaction_data")],
         "a (https://x.org) b"),
        ("👋 the plan", [linked(3, 8, "https://a.org")], "👋 the plan (https://a.org)"),
        ("bold", [{"start_index": 0, "length": 4, "format_metadata": {"format_type": "BOLD"}}],
         "bold"),
        ("short", [linked(3, 80, "https://a.org"), linked(-3, 2, "https://a.org")], "short"),
        ("card", [linked(0, 0, "https://a.org")], "card"),
    ],
)  # fmt: skip
def test_a_label_that_hides_an_address_shows_it(
    text: str, annotations: list[dict[str, Any]], plain: str
) -> None:
    message = one(said(1, text, annotations=annotations))
    assert message.text == plain
    assert message.extra == {"annotations": annotations}


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ({"url_metadata": {"title": "A", "url": {URL: "https://a.org"}}}, "A (https://a.org)"),
        ({"url_metadata": {"title": "", "image_url": "https://a.org/1.gif"}}, "https://a.org/1.gif"),
        ({"drive_metadata": {"id": "1x", "title": "Plan"}},
         "Plan (https://drive.google.com/open?id=1x)"),
        ({"youtube_metadata": {"id": "dQw4", "start_time": 0}},
         "https://www.youtube.com/watch?v=dQw4"),
        ({"video_call_metadata": {"meeting_space": {"meeting_url": "https://meet.google.com/a"}}},
         "Video call (https://meet.google.com/a)"),
        ({"gsuite_integration_metadata": {"call_data": {"call_status": "CALL_ENDED"}}},
         "Call ended"),
        ({"gsuite_integration_metadata": {"tasks_data": {"task_properties":
         {"title": "Book", "completed": True, "deleted": False}}}}, "Task “Book”, completed"),
        ({"gsuite_integration_metadata": {"calendar_event_data": {"calendar_event":
         {"title": "Trip", "start_time": {"timed": "2025-03-05T10:00:00Z"}}}}},
         "Event “Trip”, 2025-03-05T10:00:00Z"),
        ({"format_metadata": {}}, ""),
        ({"drive_metadata": 7}, ""),
    ],
)  # fmt: skip
def test_a_message_without_text_says_what_it_shows(annotation: dict[str, Any], text: str) -> None:
    raw = said(1, None, annotations=[{"start_index": 0, "length": 0, **annotation}])
    assert one(raw).text == text


def test_unknown_keys_are_kept_and_counted_and_known_ones_only_kept() -> None:
    upload = [{"backend_upload_metadata": {"upload_ip": "192.0.2.1"}}]
    creator = {**ANN, "acting_user": {"name": "Bot", "user_id": "1", "user_type": "Bot"}}
    raw = said(1, mood="good", upload_metadata=upload, creator=creator)
    found = found_in(json_file({**chat(raw), "colour": "red"}))
    assert found.facts.unknown_keys == {"messages.mood": 1, "groups.colour": 1}
    assert found.messages[0].extra == {
        "mood": "good",
        "upload_metadata": upload,
        "creator": {"acting_user": creator["acting_user"]},
    }


# Threads and quotes


def test_the_first_message_of_a_topic_is_its_thread() -> None:
    found = alone(
        said(1, topic_id="a", message_id="G/a/a"),
        said(2, topic_id="b", message_id="G/b/b"),
        said(3, topic_id="a", message_id="G/a/x"),
        said(4, topic_id="a", message_id="G/a/y"),
    )
    assert [m.thread for m in found.messages] == [None, None, "G/a/a", "G/a/a"]
    assert [m.reply_to for m in found.messages] == [None] * 4


def test_topics_of_messages_with_other_ids_are_threads_too() -> None:
    found = alone(
        said(1, topic_id="a", message_id="m1"),
        said(2, topic_id="b", message_id="m2"),
        said(3, topic_id="a", message_id="m3"),
        said(4, topic_id=None, message_id="m4"),
    )
    assert [m.thread for m in found.messages] == [None, None, "m1", None]


def test_messages_without_ids_have_keys_of_their_content() -> None:
    raw = [said(1, message_id=None), said(1, message_id=None), said(2, "x", message_id=None)]
    first, second = alone(*raw), alone(said(0), *raw)
    assert len({m.key for m in first.messages}) == 3
    # The group is named by the ids where there are some.
    assert {m.conversation for m in first.messages} == {"messages.json"}
    assert {m.conversation for m in second.messages} == {"AAAA"}
    berlin = found_in(json_file(chat(*raw), "messages.json"), ReadOptions(timezone="Europe/Berlin"))
    assert [m.key for m in berlin.messages] == [m.key for m in first.messages]


def quote(text: str | None, creator: dict[str, Any] = ANN, **more: Any) -> dict[str, Any]:
    return {"creator": creator, **({} if text is None else {"text": text}), **more}


def test_a_quoted_message_is_answered_though_the_export_does_not_name_it() -> None:
    found = alone(
        said(1, "Rome?"),
        said(2, "Rome?", creator=BOB),
        said(3, "yes", creator=BOB, quoted_message_metadata=quote("Rome?")),
        said(4, "no", quoted_message_metadata=quote("Rome?", BOB)),
        said(5, "what", quoted_message_metadata=quote("never said")),
    )
    answered = [m.reply_to for m in found.messages]
    assert answered == [None, None, "AAAA/t1/t1", "AAAA/t2/t2", None]
    assert found.messages[2].extra == {"quoted_message_metadata": quote("Rome?")}
    assert found.facts.unknown_keys == {}


def test_of_equal_messages_the_latest_is_the_one_quoted() -> None:
    quoting = said(3, "x", quoted_message_metadata=quote("ok"))
    found = alone(said(1, "ok"), said(2, "ok"), quoting, said(4, "ok"))
    assert found.messages[2].reply_to == "AAAA/t2/t2"


def test_what_was_quoted_may_have_been_edited_or_be_a_file() -> None:
    versions = [{"created_date": at(1), "text": "Rome"}]
    files = [{"original_name": "plan.pdf", "export_name": "File-plan.pdf"}]
    found = alone(
        said(1, "Rome!", updated_date=at(9), previous_message_versions=versions),
        said(2, None, attached_files=files),
        said(3, "x", quoted_message_metadata=quote("Rome")),
        said(4, "y", quoted_message_metadata=quote("Rome!")),
        said(5, "z", quoted_message_metadata=quote(None, attached_files=files)),
        said(6, "z", quoted_message_metadata=quote(None)),
    )
    replies = [m.reply_to for m in found.messages[2:]]
    assert replies == ["AAAA/t1/t1", "AAAA/t1/t1", "AAAA/t2/t2", None]


def test_a_quote_that_names_its_message_is_believed() -> None:
    named = quote("hi", message_id="AAAA/t1/t1")
    found = alone(said(1, "hi"), said(2, "hi"), said(3, quoted_message_metadata=named))
    assert found.messages[2].reply_to == "AAAA/t1/t1"


# Conversations


def test_direct_messages_and_spaces_are_conversations() -> None:
    found = found_in(
        takeout(
            {
                "Groups/DM k6oxHQ/group_info.json": {"members": [ANN, BOB]},
                "Groups/DM k6oxHQ/messages.json": chat(said(1, "dm")),
                "Groups/DM three/group_info.json": {"members": [ANN, BOB, GONE]},
                "Groups/DM three/messages.json": chat(said(2)),
                "Groups/Space AAAAF/messages.json": chat(said(3, "space")),
                "Groups/Space AAAAF/group_info.json": {"name": "Trip", "members": [ANN, BOB]},
                "Groups/Space empty/messages.json": {"messages": []},
                "Users/User 1/user_info.json": {"user": ANN, "membership_info": []},
            }
        )
    )
    assert found.conversations == [
        ("k6oxHQ", "Bob", "direct"),
        ("three", "Bob, Deleted User", "group"),
        ("AAAAF", "Trip", "group"),
        ("empty", "Space empty", "group"),
    ]
    assert found.texts == ["dm", "hi", "space"]
    assert (found.warnings, found.facts.timezone) == ([], "UTC")


def test_the_group_s_members_name_who_the_message_does_not() -> None:
    found = found_in(
        takeout(
            {
                "Groups/DM x/group_info.json": {"members": [ANN, BOB, 7, {"name": 7}]},
                "Groups/DM x/messages.json": chat(said(1, creator={"email": "bob@example.org"})),
            }
        )
    )
    assert found.messages[0].author == ("bob@example.org", "Bob")
    assert found.conversations == [("x", "Ann Other, Bob", "direct")]


def test_a_file_alone_is_the_same_conversation_as_in_its_folder() -> None:
    packed = found_in(takeout({"Groups/DM AAAA/messages.json": chat(said(1), said(2))}))
    single = alone(said(1), said(2))
    assert [m[:2] for m in packed.messages] == [m[:2] for m in single.messages]
    assert single.conversations == [("AAAA", "AAAA", "unknown")]
    assert packed.conversations == [("AAAA", "DM AAAA", "direct")]


def test_what_else_a_takeout_holds_is_left_alone() -> None:
    members = {
        f"{ROOT}/Groups/DM a/messages.json": json.dumps(chat(said(1))),
        f"{ROOT}/Groups/DM a/plan.json": '{"messages": []}',
        "Takeout/Mail/messages.json": '{"messages": [{"id": 1}]}',
    }
    members |= {f"Takeout/Photos/{n}.json": '{"title": "x"}' for n in range(50)}
    found = found_in(zip_file(members))
    assert len(found.conversations) == len(found.messages) == 1
    assert found.warnings == []


def test_the_parts_of_a_takeout_are_read_as_one() -> None:
    first = {"Takeout/Google Chat/Groups/DM a/messages.json": json.dumps(chat(said(1)))}
    second = {
        "Takeout/Google Chat/Groups/DM a/group_info.json": json.dumps({"members": [ANN, BOB]})
    }
    outer = zip_file({"t-001.zip": zip_file(first).data, "t-002.zip": zip_file(second).data})
    assert found_in(outer).conversations == [("a", "Ann Other, Bob", "direct")]


def test_a_broken_group_info_costs_only_its_names() -> None:
    file = zip_file(
        {
            "Groups/DM a/messages.json": json.dumps(chat(said(1))),
            "Groups/DM a/group_info.json": '{"members": [',
            "Groups/DM b/messages.json": json.dumps(chat(said(2))),
            "Groups/DM b/group_info.json": "7",
        }
    )
    found = found_in(file)
    assert [c.title for c in found.conversations] == ["DM a", "DM b"]
    assert [w.file for w in found.warnings] == ["Groups/DM a/group_info.json"]
    assert len(found.messages) == 2
