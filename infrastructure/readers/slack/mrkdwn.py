"""Slack's markup as plain text: mentions by name, links with their labels, entities decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

_TOKEN = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"(?:mailto|tel|sip):|https?://(?:www\.)?", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,12}")
_LAST_SECOND = 253_402_300_799  # of the year 9999


class Mrkdwn:
    """Resolves the markup of one workspace. Emphasis and :emoji: stay as people typed them."""

    def __init__(self, user_name: Callable[[str], str | None], channels: Mapping[str, str]) -> None:
        """
        Args:
            user_name: the display name for a user's id, None if nobody knows it.
            channels: channel names by id.
        """
        self._user_name = user_name
        self._channels = channels

    def plain(self, text: str) -> str:
        if "<" in text:
            text = _TOKEN.sub(lambda match: self._token(match[1]), text)
        if "&" in text:
            # In this order: "&amp;lt;" is a person's "&lt;".
            text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return text

    def _token(self, inside: str) -> str:
        target, _, label = inside.partition("|")
        rest = target[1:]
        match target[:1]:
            case "@":
                plain = f"@{self._user_name(rest) or label.removeprefix('@') or rest}"
            case "#":
                plain = f"#{self._channels.get(rest) or label.removeprefix('#') or rest}"
            case "!":
                plain = label or _command(rest)
            case "":
                plain = f"<{inside}>"
            case _:
                plain = _link(target, label)
        return plain


def _command(command: str) -> str:
    """`here`, `subteam^S1` or `date^1392734382^{date}`."""
    name, _, rest = command.partition("^")
    argument = rest.partition("^")[0]
    if name == "date" and _SECONDS.fullmatch(argument) and int(argument) <= _LAST_SECOND:
        return datetime.fromtimestamp(int(argument), UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"@{argument if name == 'subteam' and argument else name}"


def _link(target: str, label: str) -> str:
    address = target
    if not address.startswith("http"):
        for scheme in ("mailto:", "tel:", "sip:"):
            address = address.removeprefix(scheme)
    if not label or label == target:
        return address
    # The same address in short, without what stands before it and the slash at its end?
    is_label = label.rstrip("/") not in target and target not in label
    return f"{label} ({address})" if is_label or _bare(label) != _bare(target) else address


def _bare(address: str) -> str:
    match = _SCHEME.match(address)
    return address[match.end() if match else 0 :].rstrip("/")
