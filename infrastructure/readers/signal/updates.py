"""Notices of Signal's in words: calls, timers, safety numbers, profiles, merged chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from domain.message import Author
from infrastructure.readers.signal.contents import account_in_words
from infrastructure.readers.signal.group_updates import group_change, timer
from infrastructure.readers.signal.people import People
from infrastructure.readers.signal.values import text_of

_SIMPLE = {
    "JOINED_SIGNAL": "{who} joined Signal",
    "IDENTITY_UPDATE": "The safety number with {who} changed",
    "IDENTITY_VERIFIED": "The safety number with {who} was marked as verified",
    "IDENTITY_DEFAULT": "The safety number with {who} was marked as not verified",
    "CHANGE_NUMBER": "{who} changed their telephone number",
    "RELEASE_CHANNEL_DONATION_REQUEST": "Signal asked for a donation",
    "END_SESSION": "{who} reset the secure session",
    "CHAT_SESSION_REFRESH": "The chat session was refreshed",
    "BAD_DECRYPT": "A message from {who} could not be delivered",
    "PAYMENTS_ACTIVATED": "{who} activated payments",
    "PAYMENT_ACTIVATION_REQUEST": "{who} asked to activate payments",
    "UNSUPPORTED_PROTOCOL_MESSAGE": "A message from {who} needs a newer version of Signal",
    "REPORTED_SPAM": "The chat was reported as spam",
    "BLOCKED": "The chat was blocked",
    "UNBLOCKED": "The chat was unblocked",
    "MESSAGE_REQUEST_ACCEPTED": "The request to write was accepted",
}
_GROUP_CALLS = {
    "JOINED": "{self} joined a group call{by}",
    "RINGING": "A group call{by} is ringing",
    "ACCEPTED": "{self} accepted a group call{by}",
    "DECLINED": "{self} declined a group call{by}",
    "MISSED": "{self} missed a group call{by}",
    "MISSED_NOTIFICATION_PROFILE": "{self} missed a group call{by} while not to be disturbed",
    "OUTGOING_RING": "{self} started a group call",
}


class Notice(NamedTuple):
    author: Author | None  # None: nobody in particular did it
    text: str
    target: tuple[Author, Any] | None = None  # author and time of the message it is about


def notice(raw: dict[str, Any], author: Author, people: People) -> Notice:
    """
    An `updateMessage`.

    Args:
        author: as the chat item says; the account itself where it is nobody in particular.

    Raises:
        one of reading.MALFORMED: if it is not what Signal writes.
    """
    for kind, tell in _KINDS.items():
        if isinstance(found := raw.get(kind), dict):
            return tell(found, author, people)
    kind = next(iter(raw), "")
    what = f"of a kind that is not known ({kind})" if kind else "that the export does not describe"
    return Notice(None, f"An event {what}")


def _simple(raw: dict[str, Any], author: Author, _: People) -> Notice:
    kind = text_of(raw, "type")
    sentence = _SIMPLE.get(kind)
    if sentence is None:
        return Notice(None, f"An event of a kind that is not known ({kind or raw.get('type')})")
    return Notice(author if "{who}" in sentence else None, sentence.format(who=author.name))


def _group(raw: dict[str, Any], _: Author, people: People) -> Notice:
    actor: Author | None = None
    lines: list[str] = []
    for update in raw.get("updates") or ():
        for name, change in update.items() or (("genericGroupUpdate", {}),):
            by, sentence = group_change(name, change, people)
            actor = actor or by
            lines.append(sentence)
    return Notice(actor, "\n".join(lines) or "The group was changed")


def _timer(raw: dict[str, Any], author: Author, people: People) -> Notice:
    return Notice(author, f"{author.name} {timer(raw, people)}")


def _profile(raw: dict[str, Any], author: Author, _: People) -> Notice:
    old, new = text_of(raw, "previousName"), text_of(raw, "newName")
    return Notice(author, f"{old or author.name} is now called {new or 'something else'}")


def _merged(raw: dict[str, Any], author: Author, _: People) -> Notice:
    old = account_in_words(raw)
    return Notice(None, f"The chats with {old} and with {author.name} became one")


def _switched(raw: dict[str, Any], author: Author, _: People) -> Notice:
    return Notice(None, f"{account_in_words(raw)} turned out to be {author.name}")


def _learned(raw: dict[str, Any], author: Author, _: People) -> Notice:
    return Notice(author, f"{author.name} was known as {account_in_words(raw)} before")


def _poll_ended(raw: dict[str, Any], author: Author, _: People) -> Notice:
    question = text_of(raw, "question")
    text = f"{author.name} ended the poll “{question}”"
    return Notice(author, text, _target(author, raw))


def _pinned(raw: dict[str, Any], author: Author, people: People) -> Notice:
    writer = people.recipient(raw["authorId"]).author if "authorId" in raw else None
    target = None if writer is None else _target(writer, raw)
    return Notice(author, f"{author.name} pinned a message", target)


def _target(author: Author, raw: dict[str, Any]) -> tuple[Author, Any] | None:
    at = raw.get("targetSentTimestamp")
    return None if at is None else (author, at)


def _call(raw: dict[str, Any], author: Author, people: People) -> Notice:
    what = "video call" if text_of(raw, "type") == "VIDEO_CALL" else "voice call"
    state = text_of(raw, "state")
    if text_of(raw, "direction") == "OUTGOING":
        ends = {"NOT_ACCEPTED": ", not answered", "MISSED": ", not answered"}
        return Notice(people.own, f"Outgoing {what}{ends.get(state, '')}")
    caller = None if author == people.own else author
    match state:
        case "MISSED":
            return Notice(caller, f"Missed {what}")
        case "MISSED_NOTIFICATION_PROFILE":
            return Notice(caller, f"Missed {what} while not to be disturbed")
        case "NOT_ACCEPTED":
            return Notice(caller, f"Incoming {what}, declined")
    return Notice(caller, f"Incoming {what}")


def _group_call(raw: dict[str, Any], _: Author, people: People) -> Notice:
    by: Author | None = None
    for key in ("startedCallRecipientId", "ringerRecipientId"):
        if by is None and key in raw:
            by = people.recipient(raw[key]).author
    state = text_of(raw, "state")
    if state == "OUTGOING_RING":
        by = people.own
    whose = f" by {by.name}" if by is not None else ""
    sentence = _GROUP_CALLS.get(state, "A group call{by} was started")
    return Notice(by, sentence.format(self=people.own.name, by=whose))


_KINDS: dict[str, Callable[[dict[str, Any], Author, People], Notice]] = {
    "simpleUpdate": _simple,
    "groupChange": _group,
    "expirationTimerChange": _timer,
    "profileChange": _profile,
    "threadMerge": _merged,
    "sessionSwitchover": _switched,
    "individualCall": _call,
    "groupCall": _group_call,
    "learnedProfileChange": _learned,
    "pollTerminate": _poll_ended,
    "pinMessage": _pinned,
}
