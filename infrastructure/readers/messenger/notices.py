"""
What Messenger and Instagram write into a chat themselves.

Only files of before 2021 say so, in `type`. Since then a notice looks like any message of the
person it is about, and the language is that of the person who exported. The English sentences are
known here, and count only if they begin with “You” or the sender's own name, and match to the
last character. So what somebody says is hardly ever taken for a notice; notices in other
languages, and those that call the sender by a nickname, are read as messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

JOINED, LEFT, CALL = "Subscribe", "Unsubscribe", "Call"

_CALL = r"(?:call|video call|video chat|audio call|voice call)"
_PREDICATE = re.compile(
    r"named the group .+\.|(?:removed|changed|cleared) the group name(?: to .+)?\.?"
    r"|(?:changed|removed) the group photo\.|created (?:the|this) group\."
    r"|added (?:participants|.+ to the group)\.|removed .+ from the group\."
    r"|(?:left|joined) the group(?: .{1,40})?\.|(?:is|are) now (?:an admin|a group admin)\."
    r"|(?:added|removed) .+ as (?:an|a group) admin\."
    r"|(?:set|cleared) (?:the nickname for .+?|your nickname|(?:his|her|their) own nickname)"
    r"(?: to .+)?\.?|(?:set|changed) the (?:emoji|quick reaction) to .+"
    r"|changed the (?:chat )?(?:theme|colou?rs?|wallpaper)(?: to .+)?\.?"
    r"|(?:pinned|unpinned) a message\.|(?:unsent|removed) a message\.?"
    rf"|(?:started|joined|left|ended) (?:a|an|the) {_CALL}\.?|started sharing (?:video|screen)\."
    rf"|(?:called|missed) (?:you|your {_CALL}|a {_CALL} (?:from|with) .+|a contact)\.?"
    r"|turned (?:on|off) (?:member approval|disappearing messages|vanish mode)\b.*"
    r"|created a poll: .+|voted for .+ in the poll: .+"
    r"|(?:changed|removed) (?:(?:your|his|her|their) )?vote (?:for|to) .+ in the poll: .+"
    r"|waved at .+!|are now connected on Messenger\.?",
)
_SENTENCES = re.compile(
    r"(?:The )?(?:[Vv]ideo |[Aa]udio |[Vv]oice )?(?:[Cc]all|[Cc]hat) ended\.?|Liked a message\s?"
    r"|Reacted \S{1,40} to your message\s?|This chat is read-only\."
    r"|This poll is no longer available\."
)
_OPENINGS = (
    *("You ", "A contact ", "The ", "This ", "Video ", "Audio ", "Voice ", "Call ", "Chat "),
    *("Reacted ", "Liked a "),
)
_LONGEST = 400  # characters of a notice


def openings(name: str) -> tuple[str, ...]:
    """What a notice about the person may begin with: kept by the reader for each sender."""
    first = name.partition(" ")[0]
    return (*_OPENINGS, f"{name} ", *((f"{first} ",) if first and first != name else ()))


def is_notice(text: str, begins: tuple[str, ...]) -> bool:
    """
    Whether this is one of the known English sentences about the sender.

    Args:
        begins: the sender's `openings`.
    """
    if not text.startswith(begins) or len(text) > _LONGEST:
        return False
    if _SENTENCES.fullmatch(text):
        return True
    subjects = ("You ", "A contact ", *begins[len(_OPENINGS) :])
    return any(
        text.startswith(subject) and _PREDICATE.fullmatch(text, len(subject))
        for subject in subjects
    )


def membership(kind: str, name: str, users: Any, repair: Callable[[str], str]) -> str:
    """
    Who came or went, where an old file has no sentence for it.

    Raises:
        TypeError, KeyError: if `users` are not a list of objects with names.
    """
    names = [repair(user["name"]) for user in users or []]
    others = ", ".join(names)
    if not names or names == [name]:
        return f"{name} joined the group" if kind == JOINED else f"{name} left the group"
    return f"{name} added {others}" if kind == JOINED else f"{name} removed {others}"


def call(raw: dict[str, Any]) -> str:
    """A call for which the file has no sentence."""
    if raw.get("missed") is True:
        return "Missed call"
    seconds = raw.get("call_duration")
    if not isinstance(seconds, int) or seconds <= 0:
        return "Call"
    minutes, rest = divmod(seconds, 60)
    return f"Call, {minutes} min {rest} s" if minutes else f"Call, {rest} s"
