"""What a line says that is no plain message: actions, notices, joins, modes and the like."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.message import MessageKind

_HOST = r"(?: +[\[(][^\s\])]*[\])]?)?"
_CHANNEL = r"[#&+!][^\s,:]+"
_MARK = re.compile(r"(?P<mark>-!-|\*{3}|={3}|-->|<--|---|--|=!=|\*(?: \*)?)[ \t]+")
_NOTICE = re.compile(
    r"-(?P<nick>[^\s():/-][^\s():/]*)(?:[(:/][^\s-][^\s]*?)?-(?:[ \t]|$)(?P<text>.*)", re.DOTALL
)
_TABBED_NOTICE = re.compile(r"Notice\((?P<nick>[^\s()]+)\)(?: -> \S+)?: (?P<text>.*)", re.DOTALL)
_ACTION = re.compile(r"(?P<nick>\S+)(?:[ \t]|$)(?P<text>.*)", re.DOTALL)
_EGGDROP_ACTION = re.compile(r"Action: (?P<nick>\S+)(?: (?P<text>.*))?", re.DOTALL)
_WORDED = re.compile(
    r"(?P<word>Joins|Parts|Quits): (?P<nick>\S+)(?P<host>(?: \([^()]*\))?)(?P<rest>.*)"
)
_SENTENCES = {
    "Joins": ("join", "has joined"),
    "Parts": ("part", "has left"),
    "Quits": ("quit", "has quit"),
}
_CAME_OR_WENT = re.compile(
    rf"(?P<nick>[^\s:]+){_HOST} +(?:(?:has )?(?P<word>joined|left) +(?:{_CHANNEL}|irc: |IRC)"
    r"|(?:has )?(?P<quit>quit|Quit)(?: IRC)?(?= *[\[(]|$))"
)
_OTHERS = (
    ("nick", rf"(?P<nick>\S+){_HOST} +(?:is|are) now known as +(?P<new>\S+)\s*"),
    ("nick", r"Nick change: (?P<nick>\S+) -> (?P<new>\S+)\s*"),
    ("kick", r"\S+ (?:was|were) kicked (?:(?:off|from) \S+ )?by (?P<nick>\S+).*"),
    ("kick", rf"(?P<nick>\S+){_HOST} has kicked \S+ .*"),
    ("kick", rf"\S+ kicked from {_CHANNEL} by (?P<nick>[^\s:!]+).*"),
    ("mode", r"(?P<nick>\S+) (?:sets? mode:?|(?:sets|removes) ban) .*"),
    ("mode", r"(?P<nick>\S+) (?:gives|removes) (?:channel|voice) .*"),
    ("mode", r"(?:Server)?[Mm]ode[/ ]\S+ \[.*\] by (?P<nick>\S+)\s*"),
    ("mode", rf"{_CHANNEL}: mode change '.*' by (?P<nick>[^\s!]+).*"),
    ("topic", rf"(?P<nick>\S+){_HOST} (?:has )?change[sd] (?:the )?topic (?:of|for|to|on) ?.*"),
    ("topic", r"(?P<nick>)(?:Topic (?:for|is|changed|of)|Set by) ?.*"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in _OTHERS)
_LONG = 2000  # characters: no server sends so much, and the patterns need not be tried on it
_CLIENT = re.compile(
    rf"Now talking (?:in|on) {_CHANNEL}|Disconnected\b|Attempting to rejoin|Rejoined channel"
    rf"|Retrieving {_CHANNEL} info|You (?:are|were|have) |Logfile |Loaded log from"
)
_PLACE = re.compile(
    r"(?:joined|left|Now talking (?:in|on)|Topic for|topic (?:of|for)|mode[/ ]"
    rf"|kicked (?:off|from)) *({_CHANNEL})"
)


class Event(NamedTuple):
    """Something other than a plain message."""

    kind: MessageKind
    name: str | None  # "join", "part", "quit", "nick", "kick", "mode", "topic", "notice"
    nick: str | None  # who did it, as far as the line says so
    text: str
    new_nick: str | None = None


def event_of(body: str) -> Event:
    """What follows the time in a line, where that is no message."""
    marked = _MARK.match(body)
    if marked is None:
        if notice := _NOTICE.match(body):
            return Event("system", "notice", notice["nick"], notice["text"])
        if action := _EGGDROP_ACTION.match(body):
            return Event("action", None, action["nick"], action["text"] or "")
        return _told(body)
    text = body[marked.end() :]
    if not marked["mark"].startswith("*") or marked["mark"] == "***":
        return _told(text)
    # mIRC and HexChat mark what people do and what happens to them alike.
    told = _told(text)
    if told.name is not None or _CLIENT.match(text):
        return told
    return _done(text)


def tabbed_event(prefix: str, text: str) -> Event:
    """A line of three columns whose second is no nick."""
    if prefix.strip() == "*":
        return _done(text)
    if notice := _TABBED_NOTICE.match(text):
        return Event("system", "notice", notice["nick"], notice["text"])
    return _told(text)


def is_marked(line: str) -> bool:
    """Whether a line without a time is nevertheless about what happened."""
    return _MARK.match(line) is not None


def channel_in(line: str) -> str | None:
    """The channel that a line about what happened names."""
    match = _PLACE.search(line[:_LONG])
    return match[1].removesuffix(".") or None if match else None


def _done(text: str) -> Event:
    match = _ACTION.match(text)
    if match is None:
        return Event("system", None, None, text)
    return Event("action", None, match["nick"], match["text"])


def _told(text: str) -> Event:
    if len(text) > _LONG:
        return Event("system", None, None, text)
    if match := _CAME_OR_WENT.match(text):
        is_quit = match["quit"] is not None or "left irc" in match[0]
        name = "quit" if is_quit else {"joined": "join", "left": "part"}[match["word"]]
        return Event("system", name, match["nick"], text)
    if match := _WORDED.match(text):
        name, words = _SENTENCES[match["word"]]
        sentence = f"{match['nick']}{match['host']} {words}{match['rest']}"
        return Event("system", name, match["nick"], sentence)
    for name, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            groups = match.groupdict()
            return Event("system", name, groups["nick"] or None, text, groups.get("new"))
    return Event("system", None, None, text)
