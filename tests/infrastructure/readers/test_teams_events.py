"""System events of Microsoft Teams, in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.readers.teams_exports import (
    ANN,
    BOB,
    CY,
    graph,
    happened,
    read_list,
    said,
)

INITIATOR = {"user": {"id": ANN, "displayName": None}}


@pytest.mark.parametrize(
    ("kind", "detail", "text"),
    [
        ("membersAdded", {"members": [{"id": BOB}, {"id": CY}]}, "Ann Other added Bob, Cy"),
        ("membersAdded", {"members": [{"id": ANN}]}, "Ann Other joined"),
        ("membersDeleted", {"members": [{"id": BOB}]}, "Ann Other removed Bob"),
        ("membersDeleted", {"members": [{"id": ANN}]}, "Ann Other left"),
        ("membersJoined", {"members": [{"id": "g", "displayName": "Guest"}]}, "Guest joined"),
        ("membersLeft", {"members": []}, "somebody left"),
        ("chatRenamed", {"chatDisplayName": "{who}"}, "Ann Other renamed the chat to “{who}”"),
        ("channelAdded", {"channelDisplayName": "x"}, "Ann Other added the channel “x”"),
        ("channelRenamed", {}, "Ann Other renamed the channel to “?”"),
        ("teamCreated", {"teamDisplayName": "T"}, "Ann Other created the team “T”"),
        ("teamsAppInstalled", {"teamsAppDisplayName": "P"}, "Ann Other installed the app P"),
        ("callStarted", {"callEventType": "call"}, "Ann Other started a call"),
        (
            "callEnded",
            {
                "callEventType": "meeting",
                "callDuration": "PT1H40M19.26S",
                "callParticipants": [{"participant": {"user": {"id": BOB}}}],
            },
            "the meeting ended after 1 h 40 min 19 s (Bob)",
        ),
        ("callEnded", {"callDuration": "soon"}, "the call ended"),
        (
            "conversationMemberRoleUpdated",
            {"conversationMemberUser": {"id": BOB}, "conversationMemberRoles": ["owner"]},
            "Ann Other made Bob owner",
        ),
        ("somethingQuiteNew", {}, "Ann Other: something quite new"),
    ],
)
def test_system_events_are_sentences(kind: str, detail: dict[str, Any], text: str) -> None:
    written = {"@odata.type": f"#microsoft.graph.{kind}EventMessageDetail", **detail}
    event = {
        **graph(happened(9)),
        "messageType": "systemEventMessage",
        "eventDetail": written | {"initiator": INITIATOR},
    }
    people = [graph(said(n, by=id)) for n, id in enumerate((ANN, BOB, CY))]
    message = read_list(*people, event).messages[3]
    assert (message.kind, message.text, message.author) == ("system", text, (ANN, "Ann Other"))
    assert message.extra is not None
    assert message.extra["eventDetail"]["@odata.type"] == written["@odata.type"]


def test_events_of_the_administrator_s_export_name_what_happened_by_a_key() -> None:
    added = {"Members": [{"Id": BOB, "DisplayName": "Bob"}], "VisibleHistoryStartDateTime": None}
    renamed = {"ChatDisplayName": "Rome"}
    found = read_list(
        said(0), happened(1, MembersAdded=added), happened(2, ChatRenamed=renamed, by=CY)
    )
    assert [m.text for m in found.messages] == [
        "hi",
        "Ann Other added Bob",
        f"{CY} renamed the chat to “Rome”",
    ]
    assert found.messages[1].extra == {"eventDetail": {"MembersAdded": {}}}
    assert found.messages[2].extra == {"eventDetail": {"ChatRenamed": renamed}}


def test_whom_no_sentence_names_is_kept_by_id() -> None:
    detail = {"Members": [{"Id": BOB, "DisplayName": "Bob"}], "Reason": "x"}
    (message,) = read_list(happened(0, SomethingQuiteNew=detail, by=CY)).messages
    assert message.text == f"{CY}: something quite new"
    assert message.extra == {
        "eventDetail": {"SomethingQuiteNew": {"Members": [{"Id": BOB}], "Reason": "x"}}
    }
