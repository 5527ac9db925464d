"""System events in words: who came, what was renamed, which call ended."""

from __future__ import annotations

import re
from typing import Any

from domain.message import Author
from infrastructure.readers.microsoft.words import in_time
from infrastructure.readers.teams.people import People
from infrastructure.readers.teams.spelling import camel, deep

_TYPE = re.compile(r"#?microsoft\.graph\.(\w+?)EventMessageDetail", re.IGNORECASE)
_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d*)?S)?")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BESIDE = frozenset({"eventType", "initiator", "odataType", "@odata.type"})

# {who} did it; the other names are keys of the event.
_SENTENCES = {
    "callRecording": "a recording of the call: {callRecordingDisplayName}",
    "callTranscript": "a transcript of the call is available",
    "channelAdded": "{who} added the channel “{channelDisplayName}”",
    "channelDeleted": "{who} deleted the channel “{channelDisplayName}”",
    "channelDescriptionUpdated": "{who} described the channel as “{channelDescription}”",
    "channelRenamed": "{who} renamed the channel to “{channelDisplayName}”",
    "channelSetAsFavoriteByDefault": "{who} made the channel a favourite of all",
    "channelUnsetAsFavoriteByDefault": "{who} made the channel a favourite of all no longer",
    "chatRenamed": "{who} renamed the chat to “{chatDisplayName}”",
    "meetingPolicyUpdated": "{who} changed the meeting's rules",
    "messagePinned": "{who} pinned a message",
    "messageUnpinned": "{who} unpinned a message",
    "tabUpdated": "{who} changed a tab",
    "teamArchived": "{who} archived the team",
    "teamCreated": "{who} created the team “{teamDisplayName}”",
    "teamDescriptionUpdated": "{who} described the team as “{teamDescription}”",
    "teamJoiningDisabled": "{who} no longer lets people join the team",
    "teamJoiningEnabled": "{who} lets people join the team",
    "teamRenamed": "{who} renamed the team to “{teamDisplayName}”",
    "teamUnarchived": "{who} restored the team",
    "teamsAppInstalled": "{who} installed the app {teamsAppDisplayName}",
    "teamsAppRemoved": "{who} removed the app {teamsAppDisplayName}",
    "teamsAppUpgraded": "{who} upgraded the app {teamsAppDisplayName}",
}
_MEMBERS = {
    "membersAdded": ("{who} added {whom}", "{whom} joined"),
    "membersDeleted": ("{who} removed {whom}", "{whom} left"),
    "membersJoined": ("{whom} joined", "{whom} joined"),
    "membersLeft": ("{whom} left", "{whom} left"),
}

# The keys of those whom an event's sentence names, beside the initiator.
_NAMED = {
    **dict.fromkeys(_MEMBERS, "members"),
    "callEnded": "callParticipants",
    "conversationMemberRoleUpdated": "conversationMemberUser",
}


class _Fields(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return "?"


def event_text(detail: Any, people: People) -> str:
    """
    Raises:
        TypeError, AttributeError: if the detail is no object, or its members are none.
    """
    if detail is None:
        return "a system event"
    given = deep(detail)
    author = people.author(given.get("initiator"))
    who = author.name if author else "Somebody"
    name, event = _named(given)
    if name in _MEMBERS:
        text = _members(name, event, author, people)
    elif name in ("callStarted", "callEnded"):
        text = _call(name, event, who, people)
    elif name == "conversationMemberRoleUpdated":
        member = people.one(event.get("conversationMemberUser") or {})
        roles = ", ".join(str(role) for role in event.get("conversationMemberRoles") or ())
        text = f"{who} made {member.name if member else 'somebody'} {roles or 'a member'}"
    elif name in _SENTENCES:
        fields = _Fields({k: v for k, v in event.items() if isinstance(v, str) and v})
        fields["who"] = who
        text = _SENTENCES[name].format_map(fields)
    elif name:
        text = f"{who}: {_WORDS.sub(' ', name).lower()}"
    else:
        text = f"{who}: a system event that the export does not describe"
    return text


def _members(name: str, event: dict[str, Any], author: Author | None, people: People) -> str:
    members = [found for one in event.get("members") or () if (found := people.one(one))]
    whom = ", ".join(one.name for one in members) or "somebody"
    by_another, by_themselves = _MEMBERS[name]
    if author is None or [one.id for one in members] == [author.id]:
        return by_themselves.format(whom=whom)
    return by_another.format(who=author.name, whom=whom)


def _named(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What happened, and its keys: Graph names the type, the administrator's export has a key."""
    written = given.get("@odata.type") or given.get("odataType")
    if isinstance(written, str) and (match := _TYPE.fullmatch(written)):
        return match[1][:1].lower() + match[1][1:], given
    for name, inner in given.items():
        if name not in _BESIDE and isinstance(inner, dict):
            return name, inner
    kind = given.get("eventType")
    if isinstance(kind, str) and kind:
        name = kind.removesuffix("EventMessageDetail")
        return name[:1].lower() + name[1:], given
    return "", given


def _call(name: str, event: dict[str, Any], who: str, people: People) -> str:
    what = "meeting" if event.get("callEventType") == "meeting" else "call"
    if name == "callStarted":
        return f"{who} started a {what}"
    text = f"the {what} ended"
    duration = event.get("callDuration")
    if isinstance(duration, str) and (match := _DURATION.fullmatch(duration)):
        hours, minutes, seconds = (int(one or 0) for one in match.groups())
        text += f" after {in_time(hours * 3600 + minutes * 60 + seconds)}"
    parts = [people.author(one.get("participant")) for one in event.get("callParticipants") or ()]
    names = ", ".join(part.name for part in parts if part)
    return f"{text} ({names})" if names else text


def without_people(detail: Any) -> Any:
    """
    What an event says beside the people whom its sentence names, and beside what is empty.

    Raises:
        TypeError, AttributeError: if the detail is no object.
    """
    name, _ = _named(deep(detail))
    return _without(detail, frozenset({"initiator", _NAMED.get(name, "")}))


def _without(value: Any, names: frozenset[str]) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: _without(inner, names)
        for name, inner in value.items()
        if inner is not None and camel(name) not in names
    }
