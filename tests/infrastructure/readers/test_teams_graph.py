"""What Microsoft Graph answers, and what is recognised as an export of Teams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.local_file import LocalFile
from tests.infrastructure.readers.support import MemoryFile, json_file, text_file, zip_file
from tests.infrastructure.readers.teams_exports import (
    ANN,
    BOB,
    CHANNEL,
    CY,
    DIRECT,
    GROUP,
    TEAM,
    administrators,
    claim_of,
    found_in,
    graph,
    key,
    messages_of,
    one,
    posted,
    posts_of,
    read_list,
    said,
    user,
)
from tests.support.data import SAMPLES, data_path

# Microsoft Graph


def test_lists_pages_lines_and_single_messages_are_read_alike() -> None:
    messages = [graph(said(n, f"<p>{n}</p>")) for n in range(3)]
    lines = "\n".join(json.dumps(message) for message in messages)
    expected = found_in(json_file(messages, "a.json")).messages
    assert [m.text for m in expected] == ["0", "1", "2"]
    page = {"@odata.context": "x", "@odata.count": 3, "value": messages, "@odata.nextLink": "y"}
    singles = {f"chat/msg_{n}.json": json.dumps(raw) for n, raw in enumerate(messages)}
    for file in (
        json_file(page, "a.json"),
        text_file(lines, "a.jsonl"),
        text_file(json.dumps(messages[0]) + "\n" + lines, "a.jsonl"),
        text_file("\n".join(json.dumps({"value": [raw]}) for raw in messages), "a.jsonl"),
        MemoryFile(json.dumps(page, indent=2).encode("utf-16"), "a.json"),
        zip_file(singles),
        zip_file({"chats/a.json": json.dumps(page), "images.json": '[{"a": 1}]'}),
    ):
        found = found_in(file)
        assert found.messages == expected, file.name
        assert found.warnings == [], file.name
        assert found.facts.unknown_keys == {}
    assert found_in(json_file(messages[0], "a.json")).messages == expected[:1]


def test_what_lies_newest_first_comes_oldest_first() -> None:
    messages = [said(n, f"<p>{n}</p>") for n in range(5)]
    assert read_list(*messages[::-1]).texts == ["0", "1", "2", "3", "4"]
    assert read_list(*messages).texts == ["0", "1", "2", "3", "4"]
    mixed = [said(9, "<p>a</p>", chat=DIRECT), said(1, "<p>b</p>"), said(2, "<p>c</p>")]
    assert read_list(*mixed).texts == ["a", "b", "c"]


def test_answers_inside_their_roots_are_read() -> None:
    replies = [graph(posted(2, "<p>b</p>")), graph(posted(1, "<p>a</p>"))]
    for reply in replies:
        del reply["replyToId"]
        reply["channelIdentity"] = None
    root = {**graph(posted(0, "<p>root</p>")), "replies": [replies[0], 7, replies[1]]}
    found = found_in(json_file({"value": [root]}, "a.json"))
    assert [(m.text, m.thread) for m in found.messages] == [
        ("root", None),
        ("a", key(0)),
        ("b", key(0)),
    ]
    assert {m.conversation for m in found.messages} == {CHANNEL}
    assert [w.line for w in found.warnings] == [1]


@pytest.mark.parametrize(
    ("around", "conversation"),
    [
        (
            {"@odata.context": f"https://g/$#chats('{GROUP.replace(':', '%3A')}')/messages"},
            (GROUP, "Ann Other", "group"),
        ),
        (
            {"@odata.context": f"x#teams('{TEAM}')/channels('{CHANNEL}')/messages"},
            (CHANNEL, CHANNEL, "channel"),
        ),
        ({"id": GROUP, "topic": "Rome", "chatType": "group"}, (GROUP, "Rome", "group")),
        (
            {"id": "19:x@thread.v2", "chatType": "oneOnOne"},
            ("19:x@thread.v2", "Ann Other", "direct"),
        ),
        ({}, ("a", "a", "unknown")),
    ],
)
def test_messages_that_do_not_say_where_they_stand_stand_where_their_page_does(
    around: dict[str, Any], conversation: tuple[str, str, str]
) -> None:
    bare = {name: graph(said(0))[name] for name in ("id", "createdDateTime", "from", "body")}
    name = "messages" if "chatType" in around else "value"
    found = found_in(json_file({**around, name: [bare]}, "a.json"))
    assert found.conversations == [conversation]
    assert found.messages[0].conversation == conversation[0]
    if "chatType" in around:
        listed = found_in(json_file([{**around, name: [bare]}], "a.json"))
        assert listed.messages == found.messages


def test_the_link_to_a_message_says_where_it_stands() -> None:
    link = f"https://teams.microsoft.com/l/message/{CHANNEL.replace(':', '%3A')}/1?groupId=x"
    message = one(ChatId=None, WebUrl=link)
    assert message.conversation == CHANNEL
    assert message.extra == {"webUrl": link}


def test_lists_of_chats_give_titles_and_kinds() -> None:
    members = [{"userId": BOB, "displayName": "Bob"}, {"userId": CY, "displayName": "Cy"}]
    chats: list[dict[str, Any]] = [
        {"id": GROUP, "topic": "Rome", "chatType": "group", "members": members},
        {"id": "19:m@thread.v2", "topic": None, "chatType": "meeting", "members": members},
        {"id": "19:o@thread.v2", "topic": None, "chatType": "oneOnOne"},
    ]
    messages = [
        graph(said(n, chat=str(chat["id"]), From=user(BOB, None))) for n, chat in enumerate(chats)
    ]
    found = found_in(
        zip_file({"a/0.json": json.dumps(messages), "a/all.json": json.dumps({"value": chats})})
    )
    assert found.conversations == [
        (GROUP, "Rome", "group"),
        ("19:m@thread.v2", "Bob, Cy", "group"),
        ("19:o@thread.v2", "19:o@thread.v2", "direct"),
    ]
    assert found.messages[0].author == (BOB, "Bob")
    assert found.warnings == []


def test_chats_that_hold_their_messages_are_read_whatever_their_file_is_called() -> None:
    talk = {"id": GROUP, "topic": "Rome", "chatType": "group", "messages": [graph(said(0))]}
    for name in ("chats.json", "chatsList.json", "channels.json"):
        found = found_in(zip_file({f"export/{name}": json.dumps([talk]), "export/a.txt": "x"}))
        assert found.texts == ["hi"], name
        assert found.conversations == [(GROUP, "Rome", "group")], name


# What is recognised


def test_the_export_is_recognised_by_its_content() -> None:
    minimal = {name: graph(said(0))[name] for name in ("id", "createdDateTime", "from", "body")}
    page = {
        "@odata.context": "https://graph/$metadata#chats('19%3Ax')/messages",
        "value": [minimal],
    }
    mail = {**minimal, "toRecipients": [], "messageType": "message", "chatId": "x"}
    claims = [
        claim_of(administrators({messages_of(ANN): [said(0)]})),
        claim_of(administrators({posts_of(): [posted(0)]}, root="")),
        claim_of(administrators({})),
        claim_of(json_file([said(0)], "anything.bin")),
        claim_of(json_file({"value": [graph(said(0))]}, "x")),
        claim_of(text_file(json.dumps(graph(said(0))), "x.jsonl")),
        claim_of(json_file(page, "x.json")),
        claim_of(json_file([mail], "messages.json")),
        claim_of(json_file([minimal], "messages.json")),
        claim_of(zip_file({"teams/teamsList.json": "[]", "users/usersList.json": "[]"})),
    ]
    confidences = [claim and claim.confidence for claim in claims]
    assert confidences == [0.95, 0.95, 0.9, 0.95, 0.95, 0.95, 0.9, None, None, None]
    assert {claim.format for claim in claims if claim} == {"teams"}


def test_no_other_format_is_claimed() -> None:
    folder = data_path("chitchat", "skype-teams").parents[1]
    asked = 0
    for path in sorted([*folder.rglob("*"), *SAMPLES.rglob("*")]):
        if path.is_file() and path.suffix in {".json", ".jsonl", ".zip", ".csv", ".txt", ".html"}:
            asked += 1
            assert claim_of(LocalFile(path)) is None, path
    assert asked > 20


def test_an_export_without_messages_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="no messages"):
        found_in(administrators({}))
