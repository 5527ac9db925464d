"""Forms whose lines have another order than all others: brought into that one."""

from __future__ import annotations

import re

_PSYBNC = re.compile(
    r"(\d{4}-\d{2}-\d{2})-(\d{2})-(\d{2})-(\d{2}):[^:]*::(\S+) ([A-Z]+|\d{3})(?: (.*))?", re.DOTALL
)
_DIRCPROXY = re.compile(
    r"(?:<(?P<who>[^<>\s]+)>|\[(?P<doer>[^\[\]\s]+![^\s]+)\]|-(?P<teller>[^\s-]+)-)"
    r" \[(?P<stamp>[^\[\]]{4,20})\] (?P<text>.*)",
    re.DOTALL,
)
_ACTION = "\x01ACTION"


def from_psybnc(line: str) -> str | None:
    """
    `2004-01-31-12-00-00:#channel::nick!user@host PRIVMSG #channel :text`, the server's own words.
    """
    match = _PSYBNC.fullmatch(line)
    if match is None:
        return None
    day, hour, minute, second, who, command, rest = match.groups()
    body = _said(who, command, rest or "")
    return f"[{day} {hour}:{minute}:{second}] {body}"


def _said(who: str, command: str, rest: str) -> str:
    nick, _, host = who.partition("!")
    before, _, text = f" {rest}".partition(" :")
    words = before.split()
    if command == "PRIVMSG":
        if text.startswith(_ACTION):
            done = text.removeprefix(_ACTION).strip("\x01 ")
            return f"* {nick} {done}"
        return f"<{who}> {text}"
    if command == "NOTICE":
        return f"-{nick}- {text}"
    where, reason = (words[0], f" ({text})" if text else "") if words else (text, "")
    told = {
        "JOIN": f"{nick} ({host}) has joined {where}",
        "PART": f"{nick} ({host}) has left {where}{reason}",
        "QUIT": f"{nick} ({host}) has quit ({text})",
        "NICK": f"{nick} is now known as {where}",
        "KICK": f"{' '.join(words[1:2])} was kicked by {nick}{reason}",
        "TOPIC": f"{nick} changes topic to '{text}'",
        "MODE": f"{nick} sets mode: {' '.join([*words[1:], text]).strip()}",
    }.get(command, f"{who} {command} {rest}")
    return f"*** {told}"


def from_dircproxy(line: str) -> str | None:
    """`<nick!user@host> [12:00] text`, as old versions write it."""
    match = _DIRCPROXY.fullmatch(line)
    if match is None:
        return None
    stamp, text = match["stamp"], match["text"]
    if match["who"]:
        return f"[{stamp}] <{match['who']}> {text}"
    if match["doer"]:
        return f"[{stamp}] * {match['doer'].partition('!')[0]} {text.removeprefix('ACTION ')}"
    teller = match["teller"]
    is_told = teller == "dircproxy" or teller[0] in "#&+!"
    return f"[{stamp}] *** {text}" if is_told else f"[{stamp}] -{teller}- {text}"
