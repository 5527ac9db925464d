"""What Skype writes about a conversation: calls, people who come and go, places, contacts."""

from __future__ import annotations

import re
from typing import Any

from infrastructure.readers.html_tokens import attributes, tokens, unescape
from infrastructure.readers.microsoft.cards import card_text
from infrastructure.readers.microsoft.inner_json import parsed
from infrastructure.readers.microsoft.words import in_time
from infrastructure.readers.skype.markup import SkypeText
from infrastructure.readers.skype.people import People, person

_ACTIVITY = "ThreadActivity/"
_EVENTS = (_ACTIVITY, "Event/", "Control/", "InviteFreeRelationshipChanged/", "Signal/")
_ALONE = frozenset({"Notice", "PopCard", "TranslationSettings"})
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|/")

# {who} did it, {whom} are the others. Where nobody did it, the second sentence is told.
_MEMBERS = {
    "AddMember": ("{who} added {whom}", "{whom} joined"),
    "DeleteMember": ("{who} removed {whom}", "{whom} left"),
    "MemberJoined": ("{whom} joined", "{whom} joined"),
    "MemberLeft": ("{whom} left", "{whom} left"),
}
_SWITCHES = {
    "HistoryDisclosedUpdate": (
        "showed new members the history",
        "hid the history from new members",
    ),
    "JoiningEnabledUpdate": ("let people join by a link", "let nobody join by a link any more"),
}


def is_notice(kind: str) -> bool:
    return kind.startswith(_EVENTS) or kind in _ALONE


class Fields:
    """The texts and attributes of a small XML document, by the names of its elements."""

    def __init__(self, content: str) -> None:
        self.texts: dict[str, list[str]] = {}
        self.attributes: dict[str, list[dict[str, str]]] = {}
        inside = ""
        for name, is_end, rest in tokens(content):
            if not name:
                if inside and (text := unescape(rest).strip()):
                    self.texts.setdefault(inside, []).append(text)
            elif is_end:
                inside = ""
            else:
                inside = name
                self.attributes.setdefault(name, []).append(attributes(rest))

    def first(self, name: str) -> str:
        return self.texts.get(name, [""])[0]


def notice(kind: str, content: str, sender: Any, people: People) -> tuple[str, str]:
    """
    A notice in words, and who caused it: an id, or nothing.

    Raises:
        TypeError: if the sender is no text.
    """
    actor = person(sender)
    actor = "" if actor.startswith("19:") else actor
    if kind == "Event/Call":
        return _call(Fields(content), actor, people), actor
    if kind.startswith(_ACTIVITY):
        return _activity(kind.removeprefix(_ACTIVITY), content, actor, people)
    if (card := parsed(content)) is not None:
        text = card_text(card)
    else:
        text = SkypeText(content, keeps_space=False).text
    return text or _in_words(kind), actor


def _in_words(kind: str) -> str:
    return _WORDS.sub(" ", kind).lower()


def _activity(kind: str, content: str, actor: str, people: People) -> tuple[str, str]:
    value = parsed(content)
    if isinstance(value, dict):
        members = [one for one in value.get("members") or () if isinstance(one, dict)]
        ids = [str(one.get("id") or "") for one in members]
        for id, member in zip(ids, members, strict=True):
            people.learn(id, member.get("friendlyname"))
        actor = str(value.get("initiator") or "") or actor
        fields = Fields("")
    else:
        fields = Fields(content)
        ids = fields.texts.get("target") or fields.texts.get("id") or []
        names = fields.texts.get("friendlyname", [])
        if len(names) == len(fields.texts.get("id", ())):
            for id, name in zip(fields.texts.get("id", ()), names, strict=True):
                people.learn(id, name)
        actor = fields.first("initiator") or actor
    who = people.name(actor) if actor else "Somebody"
    whom = ", ".join(people.name(id) for id in ids if id) or "somebody"
    if kind in _MEMBERS:
        by_another, by_themselves = _MEMBERS[kind]
        sentence = by_themselves if not actor or ids == [actor] else by_another
        return sentence.format(who=who, whom=whom), actor
    new = fields.first("value")
    if kind in _SWITCHES:
        return f"{who} {_SWITCHES[kind][new.lower() == 'false']}", actor
    match kind:
        case "TopicUpdate":
            text = f"{who} changed the topic to “{new}”" if new else f"{who} removed the topic"
        case "PictureUpdate":
            text = f"{who} changed the picture"
        case "RoleUpdate":
            text = f"{who} made {whom} {fields.first('role') or 'something else'}"
        case _:
            text = f"{who}: {_in_words(kind)}"
    return text, actor


def _call(fields: Fields, actor: str, people: People) -> str:
    parts, called = fields.attributes.get("part", []), fields.texts.get("name", [])
    for part, name in zip(parts, called, strict=False):
        people.learn(part.get("identity", ""), name)
    lists = fields.attributes.get("partlist") or [{}]
    kind = "ended" if "ended" in fields.attributes else lists[0].get("type", "")
    lengths = [_seconds(text) for text in fields.texts.get("duration", ())]
    names = ", ".join(called)
    who = people.name(actor) if actor else "Somebody"
    match kind:
        case "started":
            text = f"{who} started a call"
        case "missed":
            text = f"{who} called; nobody answered"
        case "ended":
            text = f"the call ended after {in_time(max(lengths))}" if lengths else "the call ended"
        case _:
            text = f"{who} called"
    return f"{text} ({names})" if names else text


def _seconds(text: str) -> int:
    whole = text.partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) < 10 else 0


def contacts(content: str) -> str:
    """People whose addresses were sent: `<c t="s" s="ann" f="Ann Other"/>`."""
    found: list[str] = []
    for one in Fields(content).attributes.get("c", ()):
        known, name = one.get("s") or one.get("p") or "", one.get("f", "")
        found.append(f"{name} ({known})" if name and known else name or known)
    return "\n".join(found)


def place(content: str) -> str:
    """Where somebody is: the address, and degrees, which are written in millionths."""
    for one in Fields(content).attributes.get("location", ()):
        address = one.get("address") or one.get("shortaddress") or ""
        try:
            degrees = [int(one[key]) / 1e6 for key in ("latitude", "longitude")]
        except (KeyError, ValueError):
            return address
        where = ", ".join(f"{degree:.6f}".rstrip("0").rstrip(".") for degree in degrees)
        return f"{address}\n{where}" if address else where
    return ""
