"""What Slack writes besides text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.message import Attachment, Reaction
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    read,
    recognised,
    zip_file,
)

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
        ("<@U2> and <@U9|old.name>, <@U8>", "@Bob Real and @old.name, @U8"),
        ("<#C1|general> <#C9|gone>", "#general #gone"),
        ("<!here> <!subteam^S1|@crew> <!date^1^{date}|1 Jan>", "@here @crew 1 Jan"),
        ("<https://a.org|the page> <https://b.org>", "the page (https://a.org) https://b.org"),
        ("<https://a.org|a.org> <mailto:x@y.z|x@y.z>", "https://a.org x@y.z"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2, &amp;lt;", "1 < 2 && 3 > 2, &lt;"),
        ("*bold* :smile: <>", "*bold* :smile: <>"),
        ("<@W7|@ann> <@U7>", "@ann @U7"),
        ("<#C9|> <#C9>", "#C9 #C9"),
        ("<!here|@here> <!channel> <!everyone> <!subteam^S1>", "@here @channel @everyone @S1"),
        ("<!date^1705314600^{date_short}^https://a.org|Jan 15>", "Jan 15"),
        ("<!date^1705314600^{date_short}>", "2024-01-15 10:30 UTC"),
        ("<!date^99999999999999^{date}> <!date^x>", "@date @date"),
        ("<https://www.a.org/x/|a.org/x>", "https://www.a.org/x/"),
        ("<https://a.org/x|x>", "x (https://a.org/x)"),
        ("<mailto:x@y.z|Mail> <tel:+49123|+49123> <tel:+49123>", "Mail (x@y.z) +49123 +49123"),
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


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_every_kind_of_block_is_read() -> None:
    rich = [
        section(
            words("a & <b> "),
            {"type": "channel", "channel_id": "C1"},
            words(" "),
            {"type": "emoji", "name": "wave", "skin_tone": 3},
            {"type": "link", "url": "https://a.org", "text": "pa<ge"},
            words(" "),
            {"type": "broadcast", "range": "here"},
            {"type": "usergroup", "usergroup_id": "S1"},
            {"type": "date", "timestamp": 1705314600, "format": "{date}", "fallback": "Jan 15"},
            {"type": "color", "value": "#fff"},
        ),
        {"type": "rich_text_list", "style": "ordered", "elements": [section(words("one"))] * 2},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 1,
            "elements": [section(words("b"))],
        },
        {"type": "rich_text_quote", "elements": [words("so\nhe said")]},
        {"type": "rich_text_preformatted", "elements": [words("x "), words("= 1")]},
    ]
    cell = {"type": "raw_text", "text": "cell"}
    blocks: list[Any] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Head & foot"}},
        {"type": "rich_text", "elements": rich},
        {"type": "divider"},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*x* <@U1>"},
            "fields": [{"type": "mrkdwn", "text": "f1"}, {"type": "mrkdwn", "text": "f2"}],
        },
        {"type": "context", "elements": [{"type": "image", "alt_text": "a fox"}]},
        {"type": "image", "title": {"type": "plain_text", "text": "Fox"}, "alt_text": "a fox"},
        {"type": "table", "rows": [[cell, cell], "junk"]},
        {"type": "markdown", "text": "**m**"},
        *(5, None, {"type": 5}, {"type": "rich_text_list", "elements": 5}),
    ]
    (text,) = read(export(said("1.0001", "", blocks=blocks))).texts
    assert text.split("\n") == [
        "Head & foot",
        "a & <b> #general :wave::skin-tone-3:pa<ge (https://a.org) @here@S1Jan 15#fff",
        *("1. one", "2. one", "  • b", "> so", "> he said", "x = 1"),
        *("*x* @Ann", "f1", "f2", "a fox", "Fox", "cell | cell", "**m**"),
    ]


def test_blocks_nested_without_end_are_no_crash() -> None:
    block: dict[str, Any] = {"type": "section", "text": "deep"}
    for _ in range(40):
        block = {"type": "context", "elements": [block]}
    assert read(export(said("1.0001", "", blocks=[block]))).texts == [""]


def test_attachments_of_bots_have_fields_and_something_shown_in_their_place() -> None:
    fields = [{"title": "State", "value": "<https://a.org|done>"}, {"value": "no title"}, 5]
    found = read(
        export(
            said(
                "1.0001", "", attachments=[{"title": "Build", "fields": fields, "fallback": "no"}]
            ),
            said("2.0001", "", attachments=[{"fallback": "all there is"}, 5]),
        )
    )
    assert found.texts == ["Build\nState: done (https://a.org)\nno title", "all there is"]


def grid(**more: Any) -> MemoryFile:
    shared = {"id": "C1", "name": "general", "created": "1454892394"}
    files: dict[str, Any] = {
        "org_users.json": USERS,
        "channels.json": [shared],
        "general/2024-01-15.json": [said("1.0001", "one")],
        "teams/Red Team/users.json": [{"id": "U3", "name": "eve"}],
        "teams/Red Team/channels.json": [shared, {"id": "C2", "name": "general-red"}],
        "teams/Red Team/general/2024-01-15.json": [said("1.0001", "one"), said("2.0001", "two")],
        "teams/Red Team/general/2024-01-16.json": [said("4.0001", "four")],
        "teams/Red Team/general-red/2024-01-15.json": [said("3.0001", "red") | {"user": "U3"}],
        "teams/Blue/dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
        "teams/Blue/D1/2024-01-15.json": [said("5.0001", "hush")],
        **more,
    }
    return zip_file({name: json.dumps(value) for name, value in files.items()})


def test_the_workspaces_of_an_organisation_are_read_and_shared_channels_once() -> None:
    found = read(grid())
    assert found.conversations == [
        *(("C1", "general", "channel"), ("C2", "general-red", "channel")),
        ("D1", "Ann, Bob Real", "direct"),
    ]
    assert [(m.conversation, m.text) for m in found.messages] == [
        *(("C1", "one"), ("C1", "two"), ("C1", "four")),
        *(("C2", "red"), ("D1", "hush")),
    ]
    assert found.messages[3].author == ("U3", "eve")
    assert found.warnings == []


def test_other_files_of_an_archive_are_no_conversations() -> None:
    found = read(
        export(
            said("1.0001", files=[{"id": "F0000001", "name": "", "mimetype": ""}]),
            said("2.0001", files=[{"id": "F0000002", "name": "b.txt", "mode": "hosted"}]),
            said("3.0001", files=[{"id": "F0000003", "name": "", "title": ""}, None]),
            **{
                "integration_logs.json": [{"user_id": "U1", "ts": "1.0001", "type": "x"}],
                "canvases.json": [{"id": "F0000009", "ts": "1.0001"}],
                "__uploads/F0000001/2024-01-15.json": [said("9.0001", "not said")],
                "general/attachments/F0000002-b.txt": "12345",
            },
        )
    )
    assert found.per_title() == {"general": 3}
    assert [m.attachments for m in found.messages] == [
        (Attachment("2024-01-15.json", None, len(json.dumps([said("9.0001", "not said")]))),),
        (Attachment("b.txt", None, len('"12345"')),),
        (Attachment("F0000003", None, None),),
    ]
    assert found.warnings == []


def test_an_answer_that_is_shown_in_the_channel_too_is_told_once() -> None:
    root = said("1.0001", thread_ts="1.0001")
    answer = said("2.0001", "both", thread_ts="1.0001", parent_user_id="U1")
    shown = {**answer, "subtype": "thread_broadcast", "root": root}
    found = read(export(root, answer, shown, said("2.0001", "another of that moment")))
    assert [(m.key[:6], m.text, m.thread) for m in found.messages] == [
        *(("1.0001", "hi", "1.0001"), ("2.0001", "both", "1.0001")),
        ("2.0001", "another of that moment", None),
    ]
    assert len({m.key for m in found.messages}) == 3


def test_a_comment_on_a_file_may_share_the_moment_of_its_upload() -> None:
    comment = {"type": "message", "subtype": "file_comment", "ts": "1.0001", "text": "nice"}
    comment |= {"comment": {"id": "Fc1", "user": "U2", "comment": "nice"}}  # type: ignore[dict-item]
    found = read(export(said("1.0001", "up", subtype="file_share"), comment))
    assert [(m.key, m.author) for m in found.messages] == [
        ("1.0001", ("U1", "Ann")),
        ("1.0001:Fc1", ("U2", "Bob Real")),
    ]


def test_a_huddle_says_who_took_part() -> None:
    room = {"participant_history": ["U1", "U2"], "date_start": 1705314600}
    found = read(
        export(
            said("1.0001", "", subtype="huddle_thread", room={**room, "date_end": 1705316100}),
            said("2.0001", "", subtype="huddle_thread", room={"participants": []}),
        )
    )
    assert [(m.kind, m.text) for m in found.messages] == [
        ("system", "a huddle with Ann, Bob Real, 25 min"),
        ("system", "a huddle"),
    ]
    assert (found.messages[0].extra or {})["room"]["date_end"] == 1705316100


@pytest.mark.parametrize(
    ("subtype", "more", "text"),
    [
        ("channel_join", {}, "joined"),
        ("group_leave", {}, "left"),
        ("channel_topic", {"topic": "food"}, "set the topic: food"),
        ("channel_purpose", {"purpose": "fun"}, "set the purpose: fun"),
        ("channel_name", {"old_name": "a", "name": "b"}, "renamed the channel from “a” to “b”"),
        ("channel_archive", {"members": ["U1"]}, "archived the channel"),
        ("bot_add", {}, "bot add"),
    ],
)
def test_a_notice_without_words_gets_some(subtype: str, more: dict[str, Any], text: str) -> None:
    found = read(export(said("1.0001", "", subtype=subtype, **more)))
    (message,) = found.messages
    assert (message.kind, message.text, message.extra) == ("system", text, more or None)
    assert found.facts.unknown_keys == {}


def test_deleted_and_edited_messages_are_kept_with_what_they_said() -> None:
    first = {"text": "frist", "user": "U1", "ts": "1.0001", "type": "message"}
    edited = {**first, "text": "first", "edited": {"user": "U1", "ts": "3.000000"}}
    found = read(
        export(
            {"type": "message", "subtype": "message_changed", "ts": "3.0001", "message": edited}
            | {"previous_message": first},
            {"type": "message", "subtype": "message_deleted", "ts": "4.0001"}
            | {"deleted_ts": "2.0001", "previous_message": {**first, "ts": "2.0001"}},
            said("5.0001", "This message was deleted.", subtype="tombstone", hidden=True),
        )
    )
    assert [(m.key, m.kind, m.text, [e.text for e in m.edits]) for m in found.messages] == [
        ("1.0001", "message", "first", ["frist"]),
        ("2.0001", "deleted", "", ["frist"]),
        ("5.0001", "deleted", "", []),
    ]
    assert found.messages[0].edited_at is not None
    assert {m.author for m in found.messages} == {("U1", "Ann")}
    assert found.facts.unknown_keys == {}


def test_what_happens_to_a_message_that_was_told_is_a_notice_about_it() -> None:
    first = said("1.0001", "frist")
    found = read(
        export(
            first,
            {"subtype": "message_changed", "ts": "3.0001", "message": {**first, "text": "first"}},
            {"subtype": "message_deleted", "ts": "4.0001", "deleted_ts": "1.0001"}
            | {"previous_message": first},
        )
    )
    assert [(m.key, m.kind, m.text, m.reply_to) for m in found.messages] == [
        ("1.0001", "message", "frist", None),
        ("3.0001", "system", "edited a message: first", "1.0001"),
        ("4.0001", "system", "deleted a message", "1.0001"),
    ]


def test_slackbot_is_known_also_where_no_list_has_it() -> None:
    found = read(export(said("1.0001", "<@USLACKBOT>") | {"user": "USLACKBOT"}))
    assert (found.messages[0].author, found.texts) == (("USLACKBOT", "Slackbot"), ["@Slackbot"])
    assert found.messages[0].author is not None


def test_the_reason_of_a_recognition_names_no_folder() -> None:
    files = {f"Ann's/{name}": json.dumps(value) for name, value in {"users.json": USERS}.items()}
    files["Ann's/general/2024-01-15.json"] = json.dumps([said("1.0001")])
    assert "Ann" not in recognised(zip_file(files))[1].reason


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
