"""In which chat or channel a message stands."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from infrastructure.readers.percent import unescaped
from infrastructure.readers.teams.spelling import flat

_CHAT = re.compile(r"chats\('([^']+)'\)")
_TEAM = re.compile(r"teams\('([^']+)'\)/channels\('([^']+)'\)")
_LINK = re.compile(r"/l/message/([^/?]+)/")


class Place(NamedTuple):
    id: str
    team: str = ""  # of a channel
    is_channel: bool = False


def place_of(raw: dict[str, Any], around: Place | None) -> Place | None:
    """
    Args:
        around: where the messages of its file stand, if they do not say it themselves.

    Raises:
        TypeError: if the chat is no text, or the channel no object.
    """
    chat = raw.get("chatId")
    if chat:
        if not isinstance(chat, str):
            raise TypeError(f"chatId is {type(chat).__name__}")
        return Place(chat)
    channel = raw.get("channelIdentity")
    if channel:
        given = flat(channel)
        id, team = given["channelId"], given.get("teamId") or ""
        if not isinstance(id, str) or not id or not isinstance(team, str):
            raise TypeError("channelIdentity names no channel")
        return Place(id, team, is_channel=True)
    if around is not None:
        return around
    link = raw.get("webUrl")
    match = _LINK.search(link) if isinstance(link, str) else None
    if match is None:
        return None
    id = unescaped(match[1])
    return Place(id, is_channel="@thread.tacv2" in id)


def place_around(header: dict[str, Any]) -> Place | None:
    """What a page of Graph says in its context, or a chat that its messages lie in."""
    context = header.get("@odata.context")
    if isinstance(context, str):
        context = unescaped(context)
        if match := _TEAM.search(context):
            return Place(match[2], match[1], is_channel=True)
        if match := _CHAT.search(context):
            return Place(match[1])
    id = header.get("id", header.get("Id"))
    return Place(id) if isinstance(id, str) and id.startswith(("19:", "48:")) else None
