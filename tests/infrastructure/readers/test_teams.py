"""What Microsoft Teams writes: the administrator's export, and its messages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions
from domain.message import Attachment, Edit, Reaction
from tests.infrastructure.readers.support import json_file, zip_file
from tests.infrastructure.readers.teams_exports import (
    ANN,
    BOB,
    CHANNEL,
    CY,
    DIRECT,
    GROUP,
    NOON,
    TEAM,
    administrators,
    found_in,
    graph,
    happened,
    key,
    messages_of,
    one,
    posted,
    posts_of,
    read_list,
    said,
    stamp,
    user,
)

# The administrator's export


def test_a_chat_that_lies_in_the_files_of_all_its_members_is_told_once() -> None:
    talk = [said(n, f"<p>{n}</p>", (ANN, BOB)[n % 2], DIRECT) for n in range(6)]
    others = [said(n, "<p>x</p>", CY) for n in range(2)]
    found = found_in(
        administrators(
            {
                messages_of(ANN): [*talk[2:], *others],
                messages_of(BOB): talk,
                messages_of(CY): others,
            }
        )
    )
    told = [(m.conversation, m.key) for m in found.messages]
    assert len(told) == len(set(told)) == 8
    assert set(told) == {(DIRECT, key(n)) for n in range(6)} | {(GROUP, key(n)) for n in range(2)}
    assert [c.id for c in found.conversations] == [DIRECT, GROUP]
    assert found.warnings == []
    assert found.facts.unknown_keys == {}


def test_conversations_are_called_by_their_teams_channels_people_and_meetings() -> None:
    meeting = "19:meeting_ZmQ@thread.v2"
    meetings = [
        {
            "Subject": "Weekly",
            "OnlineMeeting": {
                "JoinUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ZmQ%40thread.v2/0?x"
            },
        },
        {"Subject": "Alone", "OnlineMeeting": None},
    ]
    found = found_in(
        administrators(
            {
                posts_of(): [
                    posted(0),
                    posted(1, ChannelIdentity={"TeamId": TEAM, "ChannelId": "19:new@thread.tacv2"}),
                    posted(2, ChannelIdentity={"TeamId": "?", "ChannelId": "19:x@thread.tacv2"}),
                ],
                messages_of(ANN): [
                    said(3, chat=DIRECT),
                    said(4, by=ANN),
                    said(5, by=CY),
                    said(6, chat=meeting),
                    said(7, chat="19:silent@thread.v2", From=None),
                    said(8, chat="48:notes"),
                ],
                f"users/{ANN}/meetings_{ANN}.json": meetings,
            }
        )
    )
    assert found.conversations == [
        (CHANNEL, "Core / General", "channel"),
        ("19:new@thread.tacv2", "Core", "channel"),
        ("19:x@thread.tacv2", "19:x@thread.tacv2", "channel"),
        (DIRECT, "Ann Other, Bob", "direct"),
        (GROUP, "Ann Other, Cy", "group"),
        (meeting, "Weekly", "group"),
        ("19:silent@thread.v2", "19:silent@thread.v2", "group"),
        ("48:notes", "Notes", "direct"),
    ]
    assert found.warnings == []


def test_posts_and_their_answers_are_threads() -> None:
    quote = {"messageId": key(1), "messagePreview": "a", "messageSender": user(BOB)}
    reference = {"Id": key(1), "ContentType": "messageReference", "Content": json.dumps(quote)}
    placeholder = f'<attachment id="{key(1)}"></attachment><p>yes</p>'
    found = found_in(
        administrators(
            {
                posts_of(): [
                    posted(0, "<p>root</p>", Subject="Plans "),
                    posted(1, "<p>a</p>", BOB, ReplyToId=key(0)),
                    posted(2, placeholder, CY, ReplyToId=key(0), Attachments=[reference]),
                    posted(3, ReplyToId=key(3)),
                    posted(4, ReplyToId=""),
                ]
            }
        )
    )
    assert [(m.thread, m.reply_to) for m in found.messages] == [
        (None, None),
        (key(0), None),
        (key(0), key(1)),
        (None, None),
        (None, None),
    ]
    assert found.texts[:3] == ["Plans\nroot", "a", "yes"]
    assert found.messages[2].attachments == ()


def test_people_without_a_name_are_named_by_the_lists() -> None:
    found = found_in(
        administrators(
            {
                messages_of(ANN): [
                    said(0, From=user(BOB, None)),
                    said(1, From=user("di", None)),
                    said(2, From=user("unheard-of", None)),
                    said(3, From=user(BOB, "Bobby")),
                ]
            }
        )
    )
    assert [m.author for m in found.messages] == [
        (BOB, "Bob"),
        ("di", "Di"),
        ("unheard-of", "unheard-of"),
        (BOB, "Bobby"),
    ]


def test_events_of_which_the_export_says_nothing_are_told_as_such() -> None:
    found = found_in(
        administrators({messages_of(ANN): [happened(0), happened(1, EventDetail=None)]})
    )
    message = found.messages[0]
    assert message.text == "Ann Other: a system event that the export does not describe"
    assert (message.kind, message.author) == ("system", (ANN, "Ann Other"))
    assert found.warnings == []


def test_a_broken_file_does_not_cost_the_others() -> None:
    members = {
        "teams/teamsList.json": '[{"Name": "Core", "GroupsId": "x", "Privacy": "Private"}, 7, {',
        f"users/{ANN}/messages_{ANN}.json": json.dumps([said(0, "<p>a</p>"), said(1)])[:-90],
        f"users/{BOB}/messages_{BOB}.json": json.dumps([said(2, "<p>b</p>")]),
    }
    found = found_in(zip_file(members))
    assert found.texts == ["a", "b"]
    names = [(w.file.rpartition("/")[2][:9], w.line, w.is_fatal) for w in found.warnings]
    assert names == [
        ("teamsList", 2, False),
        ("teamsList", 3, False),
        ("messages_", 2, False),
    ]


# Messages


def test_a_message_has_its_key_its_author_and_its_time_to_the_millisecond() -> None:
    message = one("<p>a &lt;b&gt;&nbsp;c</p><p>d</p>")
    assert message.text == "a <b> c\nd"
    assert (message.conversation, message.key) == (GROUP, key(0))
    assert message.author == (ANN, "Ann Other")
    assert message.sent_at == NOON + timedelta(milliseconds=250)
    assert (message.precision, message.zone, message.kind) == ("millisecond", "stated", "message")
    assert message.extra is None


@pytest.mark.parametrize(
    ("written", "at", "zone"),
    [
        ("2025-08-05T12:00:00Z", 0, "stated"),
        ("2025-08-05T14:00:00+02:00", 0, "stated"),
        ("2025-08-05T12:00:00.1234567+00:00", 123_456, "stated"),
        ("/Date(1754395200123)/", 123_000, "stated"),
        ("2025-08-05T12:00:00", 0, "assumed"),
        (None, 0, "derived"),
    ],
)
def test_times_are_understood_however_they_are_written(
    written: str | None, at: int, zone: str
) -> None:
    message = one(CreatedDateTime=written)
    assert (message.sent_at, message.zone) == (NOON + timedelta(microseconds=at), zone)


def test_a_time_without_a_zone_is_the_person_s() -> None:
    file = json_file([said(0, CreatedDateTime="2025-08-05T14:00:00")], "m.json")
    (message,) = found_in(file, ReadOptions(timezone="Europe/Berlin")).messages
    assert (message.sent_at, message.zone) == (NOON, "stated")


@pytest.mark.parametrize(
    ("sender", "author"),
    [
        (user(), (ANN, "Ann Other")),
        ({"User": None, "Application": {"Id": "bot", "DisplayName": "Robot"}}, ("bot", "Robot")),
        ({"Device": {"Id": "d", "DisplayName": None}}, ("d", "d")),
        ({"User": {"Id": None, "DisplayName": "Guest"}}, ("Guest", "Guest")),
        ({"User": None, "Application": None, "Device": None}, None),
        (None, None),
    ],
)
def test_people_bots_and_devices_write(sender: Any, author: tuple[str, str] | None) -> None:
    message = one(From=sender)
    assert (message.author, message.kind) == (author, "message")


def test_a_person_under_changing_names_is_one_person() -> None:
    found = read_list(said(0), said(1, From=user(ANN, "Ann Newname")))
    assert [m.author for m in found.messages] == [(ANN, "Ann Other"), (ANN, "Ann Newname")]


def test_mentions_of_one_person_in_a_row_are_one_mention() -> None:
    content = '<p><at id="0">Ann</at>&nbsp;<at id="1">Other</at>&nbsp;and <at id="2">All</at></p>'
    mentions = [
        {"Id": 0, "MentionText": "Ann", "Mentioned": user()},
        {"Id": 1, "MentionText": "Other", "Mentioned": user()},
        {"Id": 2, "Mentioned": {"User": None, "Conversation": {"Id": GROUP}}},
    ]
    message = one(content, Mentions=mentions)
    assert (message.text, message.extra) == ("@Ann Other and @All", None)


def test_plain_text_has_no_markup() -> None:
    message = one(Body={"ContentType": "text", "Content": "<b>x</b> &lt;\r\n  y"})
    assert message.text == "<b>x</b> &lt;\n  y"


def test_deleted_and_edited_messages_are_told() -> None:
    deleted = one("", DeletedDateTime=stamp(60), From=None)
    assert (deleted.kind, deleted.text, deleted.author) == ("deleted", "", None)
    assert deleted.extra == {"deletedDateTime": stamp(60)}
    edited = one(LastEditedDateTime=stamp(60))
    assert edited.edited_at == NOON + timedelta(seconds=60, milliseconds=250)
    assert one(LastEditedDateTime="0001-01-01T00:00:00Z").edited_at is None


def test_the_history_is_kept_and_versions_in_it_are_edits() -> None:
    added = {"ModifiedDateTime": stamp(5), "Actions": "reactionAdded", "Reaction": {}}
    version = {"ModifiedDateTime": stamp(9), "Body": {"ContentType": "html", "Content": "<p>b</p>"}}
    earlier = {"ModifiedDateTime": stamp(7), "Body": {"ContentType": "text", "Content": "a"}}
    message = one("<p>c</p>", MessageHistory=[added, version, earlier])
    assert message.edits == (
        Edit("a", NOON + timedelta(seconds=7, milliseconds=250)),
        Edit("b", NOON + timedelta(seconds=9, milliseconds=250)),
    )
    assert message.extra == {"messageHistory": [added, version, earlier]}


def test_reactions_have_their_people() -> None:
    def reacted(kind: str, by: str | None, **more: Any) -> dict[str, Any]:
        return {"ReactionType": kind, "CreatedDateTime": stamp(1), "User": user(by, None), **more}

    reactions = [
        reacted("😮", ANN),
        reacted("like", BOB),
        reacted("😮", CY),
        reacted("custom", ANN, DisplayName="cat"),
        reacted("custom", None),
    ]
    assert one(Reactions=reactions).reactions == (
        Reaction("😮", (ANN, CY), 2),
        Reaction("like", (BOB,), 1),
        Reaction("cat", (ANN,), 1),
        Reaction("custom", (), 1),
    )


def test_files_are_attachments_and_their_addresses_are_kept() -> None:
    def file(name: str | None, url: str | None, kind: str = "reference") -> dict[str, Any]:
        return {"Id": "1", "ContentType": kind, "ContentUrl": url, "Content": None, "Name": name}

    attachments = [
        file("plan.docx", "https://e.sharepoint.com/a/plan.docx"),
        file(None, "https://e.sharepoint.com/a/b%20c.pdf?x"),
        file("../../etc/passwd", None, "image/png"),
        file(None, None, "tabReference"),
        file(None, "https://[x", ""),
    ]
    message = one('<attachment id="1"></attachment>', Attachments=attachments)
    assert message.text == ""
    assert message.attachments == (
        Attachment("plan.docx", None, None),
        Attachment("b c.pdf", None, None),
        Attachment("passwd", "image/png", None),
        Attachment("tabReference", None, None),
        Attachment("file", None, None),
    )
    assert message.extra == {"attachments": attachments}
    plain = one(Attachments=[file("a.txt", None)])
    assert (plain.attachments, plain.extra) == ((Attachment("a.txt", None, None),), None)


def test_cards_have_a_text() -> None:
    card = {
        "type": "AdaptiveCard",
        "body": [
            {"type": "TextBlock", "text": "Build failed"},
            {"type": "FactSet", "facts": [{"title": "Branch:", "value": "main"}]},
            {"type": "Container", "items": [{"type": "TextBlock", "text": "See the log"}]},
        ],
        "actions": [{"title": "Open"}],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    message = one("", Attachments=[{"ContentType": kind, "Content": json.dumps(card)}])
    assert message.text == "Build failed\nBranch: main\nSee the log"
    assert message.attachments == ()
    empty = one("x", Attachments=[{"ContentType": kind, "Content": "{"}])
    assert (empty.text, [a.media_type for a in empty.attachments]) == ("x", [kind])


def test_forwarded_messages_are_quoted() -> None:
    forwarded = {
        "originalMessageId": "7",
        "originalMessageContent": '<p>funny <img alt="a cat" src="x"></p><p>cat</p>',
        "originalMessageSender": graph(user(BOB)),
    }
    attachment = {
        "ContentType": "forwardedMessageReference",
        "Content": json.dumps(forwarded),
    }
    message = one("<p>look</p>", Attachments=[attachment])
    assert message.text == "look\n> Bob:\n> funny\n> cat"
    assert (message.reply_to, message.attachments) == (None, (Attachment("a cat", None, None),))


def test_pictures_in_the_text_are_attachments() -> None:
    source = "https://graph.microsoft.com/v1.0/chats/x/messages/1/hostedContents/aWQ/$value"
    message = one(f'<p>see<img alt="image" src="{source}"><emoji alt="😆"></emoji></p>')
    assert (message.text, message.attachments) == ("see😆", (Attachment("image", None, None),))
    hosted = one("x", HostedContents=[{"Id": "1", "ContentType": "image/png"}])
    assert hosted.attachments == (Attachment("image", "image/png", None),)


def test_what_is_kept_with_a_message_names_nobody_but_its_author() -> None:
    bob = user(BOB, "Bobby")
    quote = {"messageId": key(9), "messagePreview": "Bobby?", "messageSender": bob}
    forward = {
        "originalMessageId": "7",
        "originalMessageContent": "<p>Bobby</p>",
        "originalMessageSender": graph(bob),
        "originalSentDateTime": stamp(2),
    }
    reaction = {"ReactionType": "like", "User": bob}
    message = one(
        '<p><at id="0">Bobby</at></p>',
        Mentions=[{"Id": 0, "MentionText": "Bobby", "Mentioned": bob}],
        Attachments=[
            {"Id": key(9), "ContentType": "messageReference", "Content": json.dumps(quote)},
            {"ContentType": "forwardedMessageReference", "Content": json.dumps(forward)},
        ],
        MessageHistory=[{"ModifiedDateTime": stamp(5), "Reaction": reaction}],
        OnBehalfOf=bob,
    )
    assert (message.text, message.reply_to) == ("@Bobby\n> Bobby:\n> Bobby", key(9))
    assert "Bobby" not in json.dumps(message.extra)
    assert message.extra["attachments"][1]["content"] == {
        "originalMessageId": "7",
        "originalSentDateTime": stamp(2),
    }
    assert message.extra["onBehalfOf"]["User"]["Id"] == BOB
    answer = {"Id": key(9), "ContentType": "messageReference", "Content": json.dumps(quote)}
    assert one("x", Attachments=[answer]).extra is None


def test_what_has_no_place_is_kept_and_what_nobody_knows_is_counted() -> None:
    more: dict[str, Any] = {
        "Importance": "high",
        "Summary": "s",
        "PolicyViolation": {"DlpAction": "x"},
    }
    found = read_list(said(0, **more, Novelty=7), said(1, Novelty=8), graph(said(2, Novelty=9)))
    assert found.messages[0].extra == {
        "importance": "high",
        "summary": "s",
        "policyViolation": {"DlpAction": "x"},
        "novelty": 7,
    }
    assert [m.extra for m in found.messages[1:]] == [{"novelty": 8}, {"novelty": 9}]
    assert found.facts.unknown_keys == {"messages.novelty": 3}


def test_a_message_without_an_id_has_a_key_of_its_own() -> None:
    found = read_list(said(0, Id=None), said(0, Id=None), said(1, Id=7))
    assert len({m.key for m in found.messages}) == 3
    assert [len(m.key) for m in found.messages] == [32, 32, 1]
