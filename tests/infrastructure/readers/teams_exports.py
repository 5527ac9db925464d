"""Exports of Microsoft Teams, made by a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.chat_reader import ExportFile, ReadOptions, Recognition
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.teams.reader import TeamsReader
from tests.infrastructure.readers.support import MemoryFile, Read, json_file, read, zip_file

NOON = datetime(2025, 8, 5, 12, 0, tzinfo=UTC)
ANN = "11111111-aaaa-4aaa-8aaa-111111111111"
BOB = "22222222-bbbb-4bbb-8bbb-222222222222"
CY = "33333333-cccc-4ccc-8ccc-333333333333"
NAMES = {ANN: "Ann Other", BOB: "Bob", CY: "Cy"}
TEAM = "44444444-dddd-4ddd-8ddd-444444444444"
CHANNEL = "19:general@thread.tacv2"
DIRECT = f"19:{ANN}_{BOB}@unq.gbl.spaces"
GROUP = "19:9f835b3d9ada4f81bb32d44b90ce8ae4@thread.v2"
SUBKEYS = ("CallEnded", "ChatRenamed", "MembersAdded", "MembersDeleted", "TeamCreated")


def key(at: int) -> str:
    """Milliseconds since 1970, as Teams makes ids."""
    return str(int((NOON + timedelta(seconds=at)).timestamp() * 1000))


def stamp(at: int) -> str:
    return (NOON + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.") + "25+00:00"


def user(id: str | None = ANN, name: str | None = "") -> dict[str, Any]:
    name = NAMES.get(id or "") if name == "" else name
    known = {"Id": id, "DisplayName": name, "UserIdentityType": "aadUser", "TenantId": "t"}
    return {"Application": None, "Device": None, "User": known}


def said(
    at: int, content: str = "<p>hi</p>", by: str = ANN, chat: str | None = GROUP, **more: Any
) -> dict[str, Any]:
    """As the administrator's export writes it; seconds after noon."""
    written: dict[str, Any] = {
        "Id": key(at),
        "Body": {"ContentType": "html", "Content": content},
        "CreatedDateTime": stamp(at),
        "LastModifiedDateTime": stamp(at),
        "LastEditedDateTime": None,
        "DeletedDateTime": None,
        "Subject": "",
        "Summary": None,
        "Importance": "normal",
        "Locale": "en-us",
        "PolicyViolation": None,
        "ReplyToId": None,
        "WebUrl": None,
        "From": user(by),
        "Attachments": [],
        "Mentions": [],
        "Reactions": [],
        "MessageHistory": None,
        "MessageType": "message",
        "ChannelIdentity": None,
        "ChatId": chat,
        "EventDetail": None,
    }
    return written | more


def posted(at: int, content: str = "<p>hi</p>", by: str = ANN, **more: Any) -> dict[str, Any]:
    place = {"TeamId": TEAM, "ChannelId": CHANNEL}
    return said(at, content, by, None, ChannelIdentity=place) | more


def happened(at: int, chat: str | None = GROUP, by: str = ANN, **events: Any) -> dict[str, Any]:
    detail = {"EventType": None, "Initiator": user(by, None), **dict.fromkeys(SUBKEYS), **events}
    more: dict[str, Any] = {
        "From": None,
        "MessageType": "unknownFutureValue",
        "EventDetail": detail,
    }
    return said(at, "<systemEventMessage/>", chat=chat, **more)


def graph(value: Any) -> Any:
    """The same as Microsoft Graph writes it."""
    if isinstance(value, list):
        return [graph(one) for one in value]
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: graph(inner) for name, inner in value.items()}
    return value


def administrators(members: dict[str, Any], root: str = "TeamsDataExport/") -> MemoryFile:
    """The archive, with its lists."""
    users = [{"Id": id, "DisplayName": name, "Mail": "x@e.org"} for id, name in NAMES.items()]
    written = {
        "teams/teamsList.json": [{"Name": "Core", "Privacy": "Private", "GroupsId": TEAM}],
        f"teams/{TEAM}/channels_{TEAM}.json": [{"Id": CHANNEL, "DisplayName": "General"}],
        f"teams/{TEAM}/teamMembers_{TEAM}.json": [{"Name": "Di", "UserId": "di", "Role": None}],
        f"teams/{TEAM}/teamInstalledApps_{TEAM}.json": [{"Id": "x", "TeamsApp": {}}],
        f"teams/{TEAM}/retainedMessages_{TEAM}.json": [],
        "teams/teamsSettings.json": [{"Id": TEAM}],
        "users/usersList.json": users,
    }
    written |= members
    return zip_file({f"{root}{name}": json.dumps(value) for name, value in written.items()})


def messages_of(id: str) -> str:
    return f"users/{id}/messages_{id}.json"


def posts_of(id: str = TEAM) -> str:
    return f"teams/{id}/messages_{id}.json"


def found_in(source: ExportFile, options: ReadOptions | None = None) -> Read:
    return read(source, options, reader=GuardedReader(TeamsReader()))


def read_list(*messages: Any) -> Read:
    """As one file of the administrator's export."""
    return found_in(json_file(list(messages), "messages.json"))


def one(content: str = "<p>hi</p>", **more: Any) -> Any:
    """The same message in both spellings; both are read alike."""
    raw = said(0, content, **more)
    (message,) = read_list(raw).messages
    (other,) = read_list(graph(raw)).messages
    assert other._replace(extra=None) == message._replace(extra=None)
    return message


def claim_of(source: ExportFile) -> Recognition | None:
    with Readers().open(source) as export:
        return TeamsReader().recognise(export)
