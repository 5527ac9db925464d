"""Changes of a group in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from domain.message import Author
from infrastructure.readers.signal.people import People
from infrastructure.readers.signal.values import number, span_in_words, text_of

_LEVELS = {
    "ANY": "everybody",
    "MEMBER": "all members",
    "ADMINISTRATOR": "only admins",
    "UNSATISFIABLE": "nobody",
}
_CAPITALS = re.compile(r"(?<!^)(?=[A-Z])")
_Phrase = Callable[[dict[str, Any], People], str]


def _titled(what: str, key: str) -> _Phrase:
    def phrase(raw: dict[str, Any], _: People) -> str:
        value = text_of(raw, key)
        if value:
            return f"changed the group's {what} to “{value}”"
        return f"removed the group's {what}"

    return phrase


def _level(what: str) -> _Phrase:
    def phrase(raw: dict[str, Any], _: People) -> str:
        level = _LEVELS.get(text_of(raw, "accessLevel"), "nobody")
        return f"changed who can {what}: {level}"

    return phrase


def _whom(before: str, key: str, after: str = "") -> _Phrase:
    return lambda raw, people: f"{before} {people.name_of(raw.get(key))}{after}"


def _fixed(text: str) -> _Phrase:
    return lambda _raw, _people: text


def _chosen(key: str, if_true: str, if_false: str) -> _Phrase:
    return lambda raw, _: if_true if raw.get(key) is True else if_false


def _counted(before: str, key: str, after: str = "") -> _Phrase:
    def phrase(raw: dict[str, Any], _: People) -> str:
        count = number(raw.get(key, 0))
        return f"{before} {count} {'person' if count == 1 else 'people'}{after}"

    return phrase


def _own(before: str, after: str) -> _Phrase:
    return lambda _, people: f"{before} {people.own.name}{after}"


def _admin(raw: dict[str, Any], people: People) -> str:
    name = people.name_of(raw.get("memberAci"))
    if raw.get("wasAdminStatusGranted") is True:
        return f"made {name} an admin"
    return f"took the rights of an admin from {name}"


def _revoked(raw: dict[str, Any], people: People) -> str:
    invitees = raw.get("invitees") or []
    if len(invitees) == 1:
        (one,) = invitees
        return f"revoked the invitation of {people.name_of(one.get('inviteeAci'))}"
    return f"revoked {len(invitees)} invitations"


def _request(raw: dict[str, Any], people: People) -> str:
    verb = "approved" if raw.get("wasApproved") is True else "denied"
    return f"{verb} the request of {people.name_of(raw.get('requestorAci'))} to join"


def _repeated(raw: dict[str, Any], _: People) -> str:
    count = number(raw.get("count", 0))
    return f"asked to join and withdrew it{f' {count} times' if count > 1 else ''}"


def timer(raw: dict[str, Any], _: People) -> str:
    """Of a group or of a chat with one person."""
    span = number(raw.get("expiresInMs", 0))
    if span == 0:
        return "turned off disappearing messages"
    return f"set messages to disappear after {span_in_words(span)}"


_LINK = "the group's link"
_ADMINS = "linkRequiresAdminApproval"
_SELF = "(the account itself)"
# Kind of change -> the key of who did it (None: Signal itself did) and what they did.
_CHANGES: dict[str, tuple[str | None, _Phrase]] = {
    "genericGroupUpdate": ("updaterAci", _fixed("changed the group")),
    "groupCreationUpdate": ("updaterAci", _fixed("created the group")),
    "groupNameUpdate": ("updaterAci", _titled("name", "newGroupName")),
    "groupAvatarUpdate": (
        "updaterAci",
        _chosen("wasRemoved", "removed the group's photo", "changed the group's photo"),
    ),
    "groupDescriptionUpdate": ("updaterAci", _titled("description", "newDescription")),
    "groupMembershipAccessLevelChangeUpdate": ("updaterAci", _level("add members")),
    "groupAttributesAccessLevelChangeUpdate": ("updaterAci", _level("edit the group's details")),
    "groupAnnouncementOnlyChangeUpdate": (
        "updaterAci",
        _chosen("isAnnouncementOnly", "let only admins send messages", "let all members write"),
    ),
    "groupAdminStatusUpdate": ("updaterAci", _admin),
    "groupMemberLeftUpdate": ("aci", _fixed("left the group")),
    "groupMemberRemovedUpdate": ("removerAci", _whom("removed", "removedAci")),
    "selfInvitedToGroupUpdate": ("inviterAci", _own("invited", " to the group")),
    "selfInvitedOtherUserToGroupUpdate": (
        _SELF,
        _whom("invited", "inviteeServiceId", " to the group"),
    ),
    "groupUnknownInviteeUpdate": (
        "inviterAci",
        _counted("invited", "inviteeCount", " to the group"),
    ),
    "groupInvitationAcceptedUpdate": (
        "newMemberAci",
        _whom("accepted an invitation by", "inviterAci"),
    ),
    "groupInvitationDeclinedUpdate": (
        "inviteeAci",
        _whom("declined an invitation by", "inviterAci"),
    ),
    "groupMemberJoinedUpdate": ("newMemberAci", _fixed("joined the group")),
    "groupMemberAddedUpdate": ("updaterAci", _whom("added", "newMemberAci")),
    "groupSelfInvitationRevokedUpdate": ("revokerAci", _own("revoked the invitation of", "")),
    "groupInvitationRevokedUpdate": ("updaterAci", _revoked),
    "groupJoinRequestUpdate": ("requestorAci", _fixed("asked to join the group")),
    "groupJoinRequestApprovalUpdate": ("updaterAci", _request),
    "groupJoinRequestCanceledUpdate": (
        "requestorAci",
        _fixed("withdrew the request to join the group"),
    ),
    "groupInviteLinkResetUpdate": ("updaterAci", _fixed(f"renewed {_LINK}")),
    "groupInviteLinkEnabledUpdate": (
        "updaterAci",
        _chosen(_ADMINS, f"opened {_LINK}, with approval by an admin", f"opened {_LINK}"),
    ),
    "groupInviteLinkAdminApprovalUpdate": (
        "updaterAci",
        _chosen(
            _ADMINS,
            f"made {_LINK} need the approval of an admin",
            f"let people join by {_LINK} without approval",
        ),
    ),
    "groupInviteLinkDisabledUpdate": ("updaterAci", _fixed(f"closed {_LINK}")),
    "groupMemberJoinedByLinkUpdate": ("newMemberAci", _fixed(f"joined by {_LINK}")),
    "groupV2MigrationUpdate": (None, _fixed("The group was upgraded")),
    "groupV2MigrationSelfInvitedUpdate": (
        None,
        _own("The group was upgraded;", " was only invited to it"),
    ),
    "groupV2MigrationInvitedMembersUpdate": (
        None,
        _counted("The group was upgraded;", "invitedMembersCount", " had to be invited again"),
    ),
    "groupV2MigrationDroppedMembersUpdate": (
        None,
        _counted("The group was upgraded;", "droppedMembersCount", " could not be kept in it"),
    ),
    "groupSequenceOfRequestsAndCancelsUpdate": ("requestorAci", _repeated),
    "groupExpirationTimerUpdate": ("updaterAci", timer),
}


def group_change(name: str, raw: dict[str, Any], people: People) -> tuple[Author | None, str]:
    """
    Who did it, and the change as a sentence. Kinds that are not known are told by their name.

    Raises:
        one of reading.MALFORMED: if it is not what Signal writes.
    """
    actor, phrase = _CHANGES.get(name, ("updaterAci", None))
    what = _CAPITALS.sub(" ", name).lower() if phrase is None else phrase(raw, people)
    if actor is None:
        return None, what
    author = people.own if actor == _SELF else people.by_service_id(raw.get(actor))
    return author, f"{'Somebody' if author is None else author.name} {what}"
