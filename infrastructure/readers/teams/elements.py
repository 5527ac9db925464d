"""What an element of a file is: a message, one with its replies, or a chat with its messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from infrastructure.readers.microsoft.ordering import rises
from infrastructure.readers.teams.directory import Directory
from infrastructure.readers.teams.places import Place, place_around
from infrastructure.readers.teams.spelling import flat

_OF_A_MESSAGE = frozenset(
    {
        *("body", "messageType", "from", "eventDetail"),
        *("Body", "MessageType", "From", "EventDetail"),
    }
)


class Found(NamedTuple):
    """What should be a message, as it is written."""

    raw: Any
    around: Place | None  # where its file or chat says that it stands
    root: dict[str, Any] | None = None  # the message it lies in, as an answer


def messages_of(raw: Any, around: Place | None, directory: Directory) -> Iterator[Found]:
    """
    Chats are taken into the directory.

    Raises:
        TypeError: if it is neither a message nor something that holds some.
    """
    if isinstance(raw, dict) and raw.keys() & _OF_A_MESSAGE:
        yield from _with_replies(raw, around)
        return
    given = flat(raw)
    inner = given.get("messages") or given.get("value")
    if "chatType" in given or "topic" in given:
        directory.take_chat(given)
    elif not isinstance(inner, list):
        raise TypeError("it is neither a message nor a chat")
    around = place_around(given) or around
    for one in _oldest_first(inner) if isinstance(inner, list) else ():
        yield from _with_replies(one, around)


def _with_replies(raw: Any, around: Place | None) -> Iterator[Found]:
    yield Found(raw, around)
    replies = raw.get("replies") or raw.get("Replies") if isinstance(raw, dict) else None
    if isinstance(replies, list):
        for reply in _oldest_first(replies):
            yield Found(reply, around, raw)


def spelled(found: Found) -> dict[str, Any]:
    """
    The message with its keys as Graph spells them; an answer stands where its root does.

    Raises:
        TypeError: if it is no object.
    """
    given = flat(found.raw)
    if found.root is not None:
        root = flat(found.root)
        given.setdefault("replyToId", root.get("id"))
        if not given.get("chatId") and not given.get("channelIdentity"):
            given["chatId"] = root.get("chatId")
            given["channelIdentity"] = root.get("channelIdentity")
            given.setdefault("webUrl", root.get("webUrl"))
    return given


def _oldest_first(raw: list[Any]) -> list[Any]:
    stamps = ((chat_of(one), stamp) for one in raw if (stamp := stamp_of(one)))
    return raw[::-1] if rises(stamps) < 0 else raw


def chat_of(raw: Any) -> str:
    """The id of its chat or channel; empty if it names none."""
    if not isinstance(raw, dict):
        return ""
    chat = raw.get("chatId") or raw.get("ChatId")
    if isinstance(chat, str):
        return chat
    channel = raw.get("channelIdentity") or raw.get("ChannelIdentity")
    if not isinstance(channel, dict):
        return ""
    id = channel.get("channelId") or channel.get("ChannelId")
    return id if isinstance(id, str) else ""


def stamp_of(raw: Any) -> str:
    """When it was written, as it is written; empty if it does not say."""
    if not isinstance(raw, dict):
        return ""
    stamp = raw.get("createdDateTime") or raw.get("CreatedDateTime")
    return stamp if isinstance(stamp, str) else ""


def author_name(raw: dict[str, Any]) -> str:
    """Of the person who wrote it; empty for bots, and where it does not say."""
    sender = raw.get("from") or raw.get("From")
    if not isinstance(sender, dict):
        return ""
    user = sender.get("user") or sender.get("User")
    if not isinstance(user, dict):
        return ""
    name = user.get("displayName") or user.get("DisplayName")
    return name if isinstance(name, str) else ""
