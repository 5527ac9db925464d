"""Signal's own export: notices, what is not known, and what is broken."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest

from application.ports.chat_reader import (
    ReadFacts,
    ReadOptions,
)
from infrastructure.readers.registry import Readers
from infrastructure.readers.signal.reader import SignalReader
from tests.infrastructure.readers.signal_exports import (
    ADA,
    BOB,
    ME,
    PEOPLE,
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
    MemoryFile,
)


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        ({"remoteDeletedMessage": {}}, None),
        ({"adminDeletedMessage": {"adminId": "3"}}, {"deletedBy": BOB}),
    ],
)
def test_deleted_messages_stay_as_deleted(content: dict[str, Any], extra: Any) -> None:
    message = one(item(**content))
    assert (message.kind, message.text, message.extra) == ("deleted", "", extra)
    assert message.author == (ADA, "Ada Lovelace")


def told(update: dict[str, Any], author: str = "2", chat: str = "10") -> tuple[str, str | None]:
    message = one(item(0, author, chat, updateMessage=update))
    assert message.kind == "system"
    return message.text, message.author and message.author.name


SIMPLE = {
    "JOINED_SIGNAL": "Ada Lovelace joined Signal",
    "IDENTITY_UPDATE": "The safety number with Ada Lovelace changed",
    "IDENTITY_VERIFIED": "The safety number with Ada Lovelace was marked as verified",
    "IDENTITY_DEFAULT": "The safety number with Ada Lovelace was marked as not verified",
    "CHANGE_NUMBER": "Ada Lovelace changed their telephone number",
    "RELEASE_CHANNEL_DONATION_REQUEST": "Signal asked for a donation",
    "END_SESSION": "Ada Lovelace reset the secure session",
    "CHAT_SESSION_REFRESH": "The chat session was refreshed",
    "BAD_DECRYPT": "A message from Ada Lovelace could not be delivered",
    "PAYMENTS_ACTIVATED": "Ada Lovelace activated payments",
    "PAYMENT_ACTIVATION_REQUEST": "Ada Lovelace asked to activate payments",
    "UNSUPPORTED_PROTOCOL_MESSAGE": "A message from Ada Lovelace needs a newer version of Signal",
    "REPORTED_SPAM": "The chat was reported as spam",
    "BLOCKED": "The chat was blocked",
    "UNBLOCKED": "The chat was unblocked",
    "MESSAGE_REQUEST_ACCEPTED": "The request to write was accepted",
    "SOMETHING_NEW": "An event of a kind that is not known (SOMETHING_NEW)",
}


@pytest.mark.parametrize("kind", SIMPLE)
def test_simple_notices_are_told_in_words(kind: str) -> None:
    assert told({"simpleUpdate": {"type": kind}})[0] == SIMPLE[kind]


@pytest.mark.parametrize(
    ("update", "text"),
    [
        ({"expirationTimerChange": {"expiresInMs": "604800000"}}, "after 1 week"),
        ({"expirationTimerChange": {"expiresInMs": "5400000"}}, "after 90 minutes"),
        ({"expirationTimerChange": {}}, "Ada Lovelace turned off disappearing messages"),
        ({"profileChange": {"previousName": "A", "newName": "B"}}, "A is now called B"),
        ({"threadMerge": {"previousE164": "123"}}, "with +123 and with Ada Lovelace became one"),
        ({"sessionSwitchover": {"e164": "123"}}, "+123 turned out to be Ada Lovelace"),
        ({"learnedProfileChange": {"username": "x.1"}}, "Ada Lovelace was known as x.1 before"),
        ({"individualCall": {"type": "VIDEO_CALL", "state": "MISSED"}}, "Missed video call"),
        ({"individualCall": {"direction": "OUTGOING"}}, "Outgoing voice call"),
        ({"individualCall": {"state": "NOT_ACCEPTED"}}, "Incoming voice call, declined"),
        ({"groupCall": {"startedCallRecipientId": "3"}}, "A group call by Bob was started"),
        ({"groupCall": {"state": "OUTGOING_RING"}}, "Maria Me started a group call"),
        ({"somethingNew": {}}, "An event of a kind that is not known (somethingNew)"),
        ({}, "An event that the export does not describe"),
    ],
)
def test_notices_are_told_in_words(update: dict[str, Any], text: str) -> None:
    assert told(update)[0].endswith(text)


def by(uuid: str, **more: Any) -> dict[str, Any]:
    return {"updaterAci": aci(uuid), **more}


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("groupCreationUpdate", by(ADA), "Ada Lovelace created the group"),
        ("groupNameUpdate", by(BOB, newGroupName="X"), "Bob changed the group's name to “X”"),
        ("groupNameUpdate", by(BOB), "Bob removed the group's name"),
        ("groupAvatarUpdate", by(ME), "Maria Me changed the group's photo"),
        ("groupMemberLeftUpdate", {"aci": aci(BOB)}, "Bob left the group"),
        ("groupMemberRemovedUpdate", {"removedAci": aci(BOB)}, "Somebody removed Bob"),
        ("groupMemberAddedUpdate", by(ADA, newMemberAci=aci(BOB)), "Ada Lovelace added Bob"),
        (
            "groupAdminStatusUpdate",
            by(ADA, memberAci=aci(BOB), wasAdminStatusGranted=True),
            "Ada Lovelace made Bob an admin",
        ),
        (
            "selfInvitedToGroupUpdate",
            {"inviterAci": aci(BOB)},
            "Bob invited Maria Me to the group",
        ),
        (
            "selfInvitedOtherUserToGroupUpdate",
            {"inviteeServiceId": aci(BOB)},
            "Maria Me invited Bob to the group",
        ),
        (
            "groupUnknownInviteeUpdate",
            {"inviterAci": aci(BOB), "inviteeCount": 2},
            "Bob invited 2 people to the group",
        ),
        (
            "groupMembershipAccessLevelChangeUpdate",
            by(ADA, accessLevel="ADMINISTRATOR"),
            "Ada Lovelace changed who can add members: only admins",
        ),
        (
            "groupInvitationRevokedUpdate",
            by(ADA, invitees=[{}, {}]),
            "Ada Lovelace revoked 2 invitations",
        ),
        (
            "groupJoinRequestApprovalUpdate",
            by(ADA, requestorAci=aci(BOB)),
            "Ada Lovelace denied the request of Bob to join",
        ),
        (
            "groupInviteLinkEnabledUpdate",
            by(ADA, linkRequiresAdminApproval=True),
            "Ada Lovelace opened the group's link, with approval by an admin",
        ),
        ("groupV2MigrationUpdate", {}, "The group was upgraded"),
        (
            "groupExpirationTimerUpdate",
            by(BOB, expiresInMs="3600000"),
            "Bob set messages to disappear after 1 hour",
        ),
        ("groupSomethingUpdate", by(BOB), "Bob group something update"),
    ],
)
def test_changes_of_a_group_are_told_in_words(name: str, change: dict[str, Any], text: str) -> None:
    update = {"groupChange": {"updates": [{name: change}]}}
    assert told(update, "1", "11")[0] == text


def test_several_changes_at_once_are_one_notice_of_who_made_them() -> None:
    updates = [{"groupCreationUpdate": by(ADA)}, {"groupNameUpdate": by(ADA, newGroupName="X")}]
    text, author = told({"groupChange": {"updates": updates}}, "1", "11")
    assert text == "Ada Lovelace created the group\nAda Lovelace changed the group's name to “X”"
    assert author == "Ada Lovelace"


def test_a_pinned_message_is_pointed_at() -> None:
    pin = {"pinMessage": {"targetSentTimestamp": str(START), "authorId": "2"}}
    found = signal(backup(said("hi"), item(5, "1", updateMessage=pin)))
    assert found.messages[1].reply_to == found.messages[0].key
    assert found.messages[1].text == "Maria Me pinned a message"


def test_an_item_that_is_there_twice_is_read_once_and_told_of() -> None:
    found = signal(backup(said("hi"), said("ho", 1), said("hi")))
    assert [m.text for m in found.messages] == ["hi", "ho"]
    assert found.reasons == ["1 message was in the file twice and read once"]


def test_different_items_of_one_author_and_millisecond_have_different_keys() -> None:
    notice = {"simpleUpdate": {"type": "JOINED_SIGNAL"}}
    items = [said("a"), said("b"), said("c"), said("b"), item(updateMessage=notice)]
    found = signal(backup(*items))
    key = f"{ADA}:{START}"
    assert [m.key for m in found.messages] == [key, f"{key}:2", f"{key}:3", f"{key}:update"]


def test_what_is_not_known_is_kept_and_counted() -> None:
    frames = [
        said("hi", 1, boost=4),
        item(2, newMessage={"x": 1}),
        {"chatItem": {**said("ho", 3)["chatItem"], "sms": True, "glow": [1]}},
        {"newFrame": {}},
        {"adHocCall": {}},
        {},
    ]
    found = signal(backup(*frames))
    assert [m.extra for m in found.messages] == [
        {"boost": 4},
        {"newMessage": {"x": 1}},
        {"sms": True, "glow": [1]},
    ]
    assert found.facts.unknown_keys == {
        "chatItem.standardMessage.boost": 1,
        "chatItem.newMessage": 1,
        "chatItem.glow": 1,
        "frames.newFrame": 1,
    }


def test_people_and_chats_that_were_not_announced_are_called_by_their_number() -> None:
    message = said("hi", author="99", chat="98")
    found = signal(backup(message))
    assert found.messages[0].author == ("recipient-99", "Unknown")
    assert found.conversations == [("chat-98", "Chat 98", "unknown")]


WRONG: list[Any] = [
    {"chatItem": 17},
    {"chatItem": {"chatId": "10"}},
    said("x", -2 * START),
    {"chatItem": {**said("x")["chatItem"], "dateSent": "1e3"}},
    {"chatItem": {**said("x")["chatItem"], "dateSent": "9" * 19}},
    {"chatItem": {**said("x")["chatItem"], "authorId": [1]}},
    {"chatItem": {**said("x")["chatItem"], "revisions": {"a": 1}}},
    item(standardMessage={"text": {"body": ["x"]}}),
    item(standardMessage=[]),
    said("x", reactions=[{"emoji": 3, "authorId": "1"}]),
    said("x", attachments=[{"pointer": 3}]),
    said("x", quote={"targetSentTimestamp": {}, "authorId": "1"}),
    item(updateMessage=3),
    item(),
    17,
    {"recipient": {"id": None}},
    {"chat": {"id": "10", "recipientId": {}}},
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_line_that_is_none_is_skipped_and_told_of(number: int) -> None:
    found = signal(backup(said("a", 1), WRONG[number], said("b", 2)))
    assert found.texts == ["a", "b"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(len(PEOPLE) + 2, False)]


def test_a_broken_line_is_skipped_and_a_broken_end_is_fatal() -> None:
    data = backup(said("a", 1), said("b", 2), said("c", 3)).data
    broken = data.replace(b'"body": "b"', b'"body": "b')
    found = signal(MemoryFile(broken, "main.jsonl"))
    assert found.texts == ["a", "c"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(len(PEOPLE) + 2, False)]
    cut = signal(MemoryFile(data[:-20], "main.jsonl"))
    assert cut.texts == ["a", "b"]
    assert [(w.line, w.is_fatal) for w in cut.warnings] == [(len(PEOPLE) + 3, True)]


def test_nul_half_characters_and_endless_numbers_never_reach_a_message() -> None:
    data = backup(said("a\0b", 1), said("X", 2)).data
    data = data.replace(b'"X"', rb'"c\ud800d"')
    big = (
        b'{"chatItem":{"chatId":"10","authorId":"2","dateSent":"1","x":1e999,"standardMessage":{}}}'
    )
    found = signal(MemoryFile(data + big + b"\n", "main.jsonl"))
    assert found.texts == ["ab", "c\ufffdd", ""]
    assert found.messages[2].extra == {"x": None}


@pytest.mark.parametrize("depth", [200, 1100, 200_000])
def test_deep_nesting_is_no_crash(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    raw = json.dumps(said("b", 2)["chatItem"])[:-1] + f', "x": {nest}}}'
    data = backup(said("a", 1)).data + f'{{"chatItem": {raw}}}\n'.encode()
    found = signal(MemoryFile(data + json.dumps(said("c", 3)).encode(), "main.jsonl"))
    assert (found.texts[0], found.texts[-1]) == ("a", "c")
    json.dumps([m.extra for m in found.messages])


JUNK: list[Any] = [None, True, -1, 1e300, "", "x", "7", [], [[]], {}, {"id": 1}, [{"x": {}}], [7]]


@pytest.mark.parametrize("seed", range(60))
def test_values_of_the_wrong_kind_are_no_crash(seed: int) -> None:
    chance = random.Random(seed)

    def spoil(value: Any) -> Any:
        if chance.random() < 0.08:
            return chance.choice(JUNK)
        if isinstance(value, dict):
            return {key: spoil(inner) for key, inner in value.items()}
        return [spoil(inner) for inner in value] if isinstance(value, list) else value

    rich = [
        revised("a", "b"),
        said("x", 5, quote={"targetSentTimestamp": "5", "authorId": "2", "text": {"body": "y"}}),
        said("x", 6, reactions=[{"emoji": "x", "authorId": "1"}], attachments=[{"pointer": {}}]),
        item(7, poll={"question": "q", "options": [{"option": "o", "votes": [{"voterId": "1"}]}]}),
        item(8, contactMessage={"contact": {"name": {}, "number": [{"value": "1"}]}}),
        item(9, updateMessage={"groupChange": {"updates": [{"groupNameUpdate": by(ADA)}]}}),
        item(10, updateMessage={"individualCall": {"state": "MISSED"}}),
        item(11, stickerMessage={"sticker": {"data": {"locatorInfo": {"size": 3}}}}),
    ]
    frames = [spoil(frame) for frame in (*PEOPLE[1:], *rich * 10)]
    found = signal(backup(*frames, said("sure", 10**6)))
    assert found.texts[-1] == "sure"
    json.dumps([m.extra for m in found.messages])


def test_people_without_end_are_not_all_remembered_and_that_is_told() -> None:
    many = [{"recipient": {"id": str(n), "contact": {"e164": str(n)}}} for n in range(100, 60_000)]
    found = signal(backup(*many, said("hi", author="59999"), said("ho", 1, author="100")))
    assert found.messages[0].author == ("recipient-59999", "Unknown")
    assert found.messages[1].author == ("+100", "+100")
    assert found.reasons == ["more people and chats than can be remembered by name"]


def test_a_long_backup_needs_little_memory() -> None:
    lines = b"".join(json.dumps(said("x" * 300, n)).encode() + b"\n" for n in range(60_000))
    file = MemoryFile(backup().data + lines, "main.jsonl")
    tracemalloc.start()
    try:
        with Readers().open(file) as export:
            count = sum(1 for _ in SignalReader().read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 60_001
    assert peak < 32 * 1024 * 1024
