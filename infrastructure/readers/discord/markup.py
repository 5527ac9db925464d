"""Discord's markup as plain text: mentions by name, links with their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from infrastructure.readers.discord.people import People
from infrastructure.readers.local_time import from_epoch

_TOKEN = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?(?P<emoji>:\w+:)\d+"
    r"|t:(?P<time>\d{1,12})(?::[A-Za-z])?|(?P<command>/[^:<>\n]{1,100}):\d+"
    r"|(?P<url>https?://[^\s<>]+))>"
)
_LINK = re.compile(
    r"\[([^\[\]\n]{1,1000})\]"
    r"\(<?(https?://[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:[ ]+\"[^\"\n]*\")?\)"
)


class Markup:
    """
    Resolves what an export of raw texts leaves in them, as far as its files know the names.

    Emphasis and code stay as people typed them.
    """

    def __init__(self, people: People, channels: Mapping[str, str]) -> None:
        """
        Args:
            channels: channel names by id.
        """
        self._people = people
        self._channels = channels

    def plain(self, text: str) -> str:
        """The text as Discord shows it."""
        if "<" in text:
            text = _TOKEN.sub(self._token, text)
        if "](" in text:
            text = _LINK.sub(_link, text)
        return text

    def _token(self, match: re.Match[str]) -> str:
        kind = match.lastgroup
        inside = match[kind] if kind else ""
        match kind:
            case "user":
                return f"@{self._people.name(inside) or inside}"
            case "role":
                return f"@{self._people.role(inside) or inside}"
            case "channel":
                return f"#{self._channels.get(inside, inside)}"
            case "time":
                return _time(inside) or match[0]
            case _:
                return inside


def _time(seconds: str) -> str | None:
    try:
        return f"{from_epoch(int(seconds)):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return None


def _link(match: re.Match[str]) -> str:
    label, url = match.groups()
    return url if label.strip() == url else f"{label} ({url})"
