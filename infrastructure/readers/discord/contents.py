"""What a Discord message has besides its text: files, stickers, reactions, embeds, notices."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from domain.message import Attachment, Reaction
from infrastructure.readers.discord.snowflakes import id_of
from infrastructure.readers.percent import unescaped

_STICKER_TYPES = {"Png": "image/png", "Apng": "image/apng", "Gif": "image/gif"}
_ANY_SLASH = re.compile(r"[/\\]")
_LONGEST_URL = 16_384  # characters; a longer one is no address

# By DiscordChatExporter's name, or by Discord's number for the kinds it has no name for.
_NOTICES = {
    "RecipientAdd": "added somebody to the group",
    "RecipientRemove": "removed somebody from the group",
    "Call": "started a call",
    "ChannelNameChange": "changed the channel name",
    "ChannelIconChange": "changed the channel icon",
    "ChannelPinnedMessage": "pinned a message",
    "GuildMemberJoin": "joined the server",
    "8": "boosted the server",
    "9": "boosted the server to level 1",
    "10": "boosted the server to level 2",
    "11": "boosted the server to level 3",
    "12": "made this channel follow another one",
    "14": "saw the server removed from Server Discovery",
    "15": "saw the server admitted to Server Discovery again",
    "16": "was warned that the server may leave Server Discovery",
    "17": "was warned again that the server may leave Server Discovery",
    "ThreadCreated": "started a thread",
    "21": "started this thread from a message",
    "22": "was reminded to invite people",
    "24": "was stopped by an automatic rule",
    "25": "subscribed to a role",
    "26": "was offered a subscription",
    "27": "started a stage",
    "28": "ended a stage",
    "29": "became a speaker of the stage",
    "30": "asked to speak on the stage",
    "31": "changed the topic of the stage",
    "32": "subscribed the server to an app",
    "36": "turned on security actions",
    "37": "turned off security actions",
    "38": "reported a raid",
    "39": "reported a false alarm",
    "44": "bought something",
    "46": "closed a poll",
}
_NUMBERS = {
    "1": "RecipientAdd",
    "2": "RecipientRemove",
    "3": "Call",
    "4": "ChannelNameChange",
    "5": "ChannelIconChange",
    "6": "ChannelPinnedMessage",
    "7": "GuildMemberJoin",
    "18": "ThreadCreated",
}
# How the exporter's own sentences begin. Older versions know fewer of them.
_SENTENCE = re.compile(
    r"(?:Added (?:a recipient|.{1,200} to the group)|Left the group|Started a thread"
    r"|Removed (?:a recipient|.{1,200} from the group)|Pinned a message|Joined the server"
    r"|Started a call that lasted [\d,.\s]{1,20} minutes|Changed the channel icon"
    r"|Changed the channel name)\.|Changed the channel name: .{1,200}"
)


def is_notice(kind: str) -> bool:
    """Whether a message of this `type` is a system notice."""
    return kind in _NOTICES or kind in _NUMBERS


def notice(kind: str, who: str | None, content: str) -> str:
    """A notice in words: the exporter's sentence where it wrote one, led by who did it."""
    if _SENTENCE.fullmatch(content):
        what, rest = content[0].lower() + content[1:], ""
    else:
        what, rest = f"{_NOTICES[_NUMBERS.get(kind, kind)]}.", content
    line = f"{who} {what}" if who else what[0].upper() + what[1:]
    return f"{line}\n{rest}" if rest else line


def notice_of_text(who: str, text: str) -> str | None:
    """
    The notice that a text without a type is, as CSV and plain text have them; None if it is a
    message. The sentences are the exporter's own: nobody else writes exactly so.
    """
    return f"{who} {text[0].lower()}{text[1:]}" if _SENTENCE.fullmatch(text) else None


def attachments(raw: dict[str, Any]) -> tuple[Attachment, ...]:
    """
    Files, then stickers; those of a forwarded message last.

    Raises:
        TypeError, AttributeError: if they are not lists of objects.
    """
    found = [_file(one) for one in raw.get("attachments") or ()]
    found += [_sticker(one) for one in raw.get("stickers") or ()]
    forwarded = raw.get("forwardedMessage")
    if forwarded:
        found += attachments({**forwarded, "forwardedMessage": None})
    return tuple(found)


def _file(raw: dict[str, Any]) -> Attachment:
    name, size = raw.get("fileName"), raw.get("fileSizeBytes")
    if not (isinstance(name, str) and name):
        url = raw.get("url")
        name = file_name(url) if isinstance(url, str) else "file"
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return Attachment(name, None, size if is_size else None)


def _sticker(raw: dict[str, Any]) -> Attachment:
    name, format = raw.get("name"), raw.get("format")
    named = name if isinstance(name, str) and name else "sticker"
    return Attachment(named, _STICKER_TYPES.get(format) if isinstance(format, str) else None, None)


def file_name(url: str) -> str:
    """The last part of an address or of a path, whatever the system that wrote it."""
    if url.startswith(("http://", "https://")) and len(url) <= _LONGEST_URL:
        try:
            path = unescaped(urlsplit(url).path)
        except ValueError:
            path = url
    else:
        path = url
    return _ANY_SLASH.split(path.rstrip("/\\"))[-1] or "file"


def file_of(url: str) -> Attachment:
    return Attachment(file_name(url), None, None)


def reactions(raw: Any) -> tuple[Reaction, ...]:
    """
    Raises:
        TypeError, AttributeError: if the value is not a list of objects.
    """
    found: list[Reaction] = []
    for one in raw:
        emoji = one.get("emoji")
        if isinstance(emoji, dict):
            emoji = emoji.get("name") or emoji.get("code") or emoji.get("id")
        users = [id_of(user.get("id")) for user in one.get("users") or ()]
        authors = tuple(user for user in users if user is not None)
        count = one.get("count")
        total = count if isinstance(count, int) else len(authors)
        found.append(Reaction(str(emoji or "?"), authors, max(total, len(authors))))
    return tuple(found)


def text_of_embeds(raw: Any) -> str:
    """What bots write: a message without text whose embeds hold it."""
    lines: list[str] = []
    for one in raw if isinstance(raw, list) else ():
        if not isinstance(one, dict):
            continue
        author, footer = one.get("author"), one.get("footer")
        fields = one.get("fields")
        parts = [author.get("name") if isinstance(author, dict) else None]
        parts += [one.get("title"), one.get("description")]
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, dict):
                parts += [field.get("name"), field.get("value")]
        parts.append(footer.get("text") if isinstance(footer, dict) else None)
        texts = [part for part in parts if isinstance(part, str) and part.strip()]
        url = one.get("url")
        if isinstance(url, str) and url and url not in texts:
            texts.append(url)
        lines += texts
    return "\n".join(lines)
