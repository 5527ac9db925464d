"""What Slack writes besides text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.message import Attachment, Reaction
from tests.infrastructure.readers.support import MemoryFile, Read, read, zip_file

USERS = [
    {"id": "U1", "name": "ann.o", "profile": {"display_name": "Ann", "real_name": "Ann Other"}},
    {"id": "U2", "name": "bob", "real_name": "Bob Real", "profile": {"display_name": ""}},
]
CHANNELS = [{"id": "C1", "name": "general", "members": ["U1", "U2"]}]


def export(*messages: Any, **files: Any) -> MemoryFile:
    members: dict[str, Any] = {
        "users.json": USERS,
        "channels.json": CHANNELS,
        "general/2024-01-15.json": list(messages),
        **files,
    }
    return zip_file({name: json.dumps(value) for name, value in members.items()})


def said(ts: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U1", "ts": ts, "text": text, **more}


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("<@U2> and <@U9|old.name>", "@Bob Real and @U9"),
        ("<#C1|general> <#C9|gone>", "#general #gone"),
        ("<!here> <!subteam^S1|@crew> <!date^1^{date}|1 Jan>", "@here @crew 1 Jan"),
        ("<https://a.org|the page> <https://b.org>", "the page (https://a.org) https://b.org"),
        ("<https://a.org|a.org> <mailto:x@y.z|x@y.z>", "https://a.org x@y.z"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2, &amp;lt;", "1 < 2 && 3 > 2, &lt;"),
        ("*bold* :smile: <>", "*bold* :smile: <>"),
    ],
)
def test_markup_becomes_plain_text(written: str, plain: str) -> None:
    assert read(export(said("1705314600.000100", written))).texts == [plain]


def test_threads_edits_reactions_and_files_are_kept() -> None:
    root = said("1705314600.000100", thread_ts="1705314600.000100", reply_count=1)
    reply = said(
        "1705314601.000200",
        thread_ts="1705314600.000100",
        parent_user_id="U1",
        edited={"user": "U1", "ts": "1705314660.000000"},
        reactions=[{"name": "wave::skin-tone-2", "users": ["U2"], "count": 2}],
        files=[{"id": "F1", "name": "plan.pdf", "mimetype": "application/pdf", "size": 12}],
    )
    first, second = read(export(root, reply)).messages
    assert (first.thread, second.thread) == (first.key, first.key)
    assert second.sent_at.isoformat() == "2024-01-15T10:30:01.000200+00:00"
    assert second.edited_at is not None
    assert second.edited_at.isoformat() == "2024-01-15T10:31:00+00:00"
    assert second.reactions == (Reaction("wave::skin-tone-2", ("U2",), 2),)
    assert second.attachments == (Attachment("plan.pdf", "application/pdf", 12),)


def test_subtypes_say_what_kind_a_message_is() -> None:
    found = read(
        export(
            said("1.0001", subtype="channel_join"),
            said("2.0001", subtype="me_message"),
            said("3.0001", subtype="tombstone"),
            said("4.0001", subtype="thread_broadcast"),
            said("5.0001", subtype="a_subtype_of_tomorrow"),
        )
    )
    kinds = [m.kind for m in found.messages]
    assert kinds == ["system", "action", "deleted", "message", "message"]


def test_people_missing_from_the_list_are_named_as_well_as_possible() -> None:
    gone = said("1.0001") | {"user": "U7", "user_profile": {"display_name": "Gone"}}
    unknown = said("2.0001") | {"user": "U8"}
    bot: dict[str, Any] = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B1",
        "username": "ci",
    }
    bot |= {"ts": "3.0001", "text": "", "attachments": [{"pretext": "built", "text": "<@U1>"}]}
    found = read(export(gone, unknown, bot))
    assert [m.author for m in found.messages] == [("U7", "Gone"), ("U8", "U8"), ("B1", "ci")]
    assert found.texts[2] == "built\n@Ann"
    assert "2 people" in found.reasons[-1]


def test_blocks_are_read_where_there_is_no_text() -> None:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "hi "}]}
    section["elements"].append({"type": "user", "user_id": "U1"})  # type: ignore[attr-defined]
    block = {"type": "rich_text", "elements": [section]}
    assert read(export(said("1.0001", "", blocks=[block]))).texts == ["hi @Ann"]


def kinds_of(found: Read) -> dict[str, str]:
    return {c.title: c.kind for c in found.conversations}


def test_private_channels_and_direct_messages_are_conversations() -> None:
    day = [said("1.0001")]
    found = read(
        export(
            said("1.0001"),
            **{
                "groups.json": [{"id": "G1", "name": "secret"}],
                "mpims.json": [{"id": "G2", "name": "mpdm-a--b-1", "members": ["U1", "U2"]}],
                "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
                "secret/2024-01-15.json": day,
                "D1/2024-01-15.json": day,
                "lost/2024-01-15.json": day,
            },
        )
    )
    assert kinds_of(found) == {
        "general": "channel",
        "secret": "channel",
        "mpdm-a--b-1": "group",
        "Ann, Bob Real": "direct",
        "lost": "unknown",
    }
    assert found.per_title()["Ann, Bob Real"] == 1
    assert [w.file for w in found.warnings] == ["lost"]


def test_an_export_packed_with_its_folder_is_read() -> None:
    members = {"my export/channels.json": CHANNELS, "my export/users.json": USERS}
    files = {name: json.dumps(value) for name, value in members.items()}
    files["my export/general/2024-01-15.json"] = json.dumps([said("1.0001")])
    assert read(zip_file(files)).per_title() == {"general": 1}


def test_a_broken_day_does_not_cost_the_other_days() -> None:
    days = {
        "channels.json": json.dumps(CHANNELS),
        "users.json": json.dumps(USERS),
        "general/2024-01-15.json": json.dumps([said("1.0001"), said("2.0001")])[:-10],
        "general/2024-01-16.json": json.dumps([said("3.0001")]),
    }
    found = read(zip_file(days))
    assert [m.key for m in found.messages] == ["1.0001", "3.0001"]
    assert [(w.file, w.line) for w in found.warnings] == [("general/2024-01-15.json", 2)]


def test_unknown_keys_are_kept_and_counted() -> None:
    found = read(export(said("1.0001", mood="good")))
    assert found.facts.unknown_keys == {"messages.mood": 1}
    assert found.messages[0].extra == {"mood": "good"}


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    found = read(export(said("1.0001"), 5, {"type": "message"}, said("x"), said("2.0001")))
    assert [m.key for m in found.messages] == ["1.0001", "2.0001"]
    assert [w.line for w in found.warnings] == [2, 3, 4]
