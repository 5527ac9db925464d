"""Telegram's texts, media and service notices as plain text and attachments."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from domain.message import Attachment, Reaction

# Notices in words; {who} leads. The others are told by the action's own name.
_ACTIONS = {
    "create_group": "created the group “{title}”",
    "create_channel": "created the channel “{title}”",
    "edit_group_title": "changed the group's name to “{title}”",
    "edit_group_photo": "changed the group's photo",
    "delete_group_photo": "removed the group's photo",
    "invite_members": "added {members}",
    "remove_members": "removed {members}",
    "join_group_by_link": "joined by a link",
    "join_group_by_request": "joined by request",
    "pin_message": "pinned a message",
    "topic_created": "opened the topic “{title}”",
    "topic_edit": "changed the topic to “{title}”",
    "clear_history": "cleared the history",
    "migrate_to_supergroup": "turned the group into a supergroup",
    "migrate_from_group": "turned the group “{title}” into this one",
    "joined_telegram": "joined Telegram",
    "phone_call": "called",
    "group_call": "started a group call",
}


def plain_text(text: Any) -> str:
    """
    Telegram's `text`: a string, or a list of strings and entities, joined without separators.

    Raises:
        TypeError: if it is anything else.
    """
    if isinstance(text, str):
        return text
    if text is None:
        return ""
    if not isinstance(text, list):
        raise TypeError(f"text is {type(text).__name__}")
    return "".join(_part(part) for part in text)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text", "")
    if not isinstance(text, str):
        return ""
    href = part.get("href")
    if isinstance(href, str) and href and href != text:
        return f"{text} ({href})"
    return text


def described(raw: dict[str, Any]) -> str:
    """What a message without text shows instead: a poll, a place, a contact."""
    if isinstance(poll := raw.get("poll"), dict):
        answers = [a.get("text", "") for a in poll.get("answers") or [] if isinstance(a, dict)]
        return "\n".join(
            [plain_text(poll.get("question")), *(f"- {plain_text(a)}" for a in answers)]
        )
    if isinstance(contact := raw.get("contact_information"), dict):
        names = ("first_name", "last_name", "phone_number")
        return " ".join(str(contact[key]) for key in names if contact.get(key))
    if isinstance(place := raw.get("location_information"), dict):
        where = f"{place.get('latitude')}, {place.get('longitude')}"
        named = [raw[key] for key in ("place_name", "address") if isinstance(raw.get(key), str)]
        return "\n".join([*named, where])
    return ""


def notice(raw: dict[str, Any]) -> str:
    """A service message in words."""
    action = raw.get("action")
    action = action if isinstance(action, str) else "did something"
    who = raw.get("actor")
    members = ", ".join(str(m) for m in raw.get("members") or [] if m is not None)
    title = raw.get("new_title") or raw.get("title") or ""
    template = _ACTIONS.get(action)
    if template is None:
        words = [action.replace("_", " "), f"“{title}”" if title else "", members]
        what = " ".join(word for word in words if word)
    else:
        what = template.format(title=title, members=members or "somebody")
    text = plain_text(raw.get("text"))
    line = f"{who} {what}" if isinstance(who, str) and who else what
    return f"{line}\n{text}" if text else line


def attachments(raw: dict[str, Any]) -> tuple[Attachment, ...]:
    """The media a message has, also where the file itself was not exported."""
    found: list[Attachment] = []
    if "photo" in raw:
        found.append(Attachment(_name(raw["photo"], "photo"), None, _size(raw, "photo_file_size")))
    if "file" in raw or "media_type" in raw:
        kind = raw.get("media_type")
        name = raw.get("file_name")
        if not (isinstance(name, str) and name):
            name = _name(raw.get("file"), kind if isinstance(kind, str) else "file")
        mime = raw.get("mime_type")
        mime = mime if isinstance(mime, str) else None
        found.append(Attachment(name, mime, _size(raw, "file_size")))
    return tuple(found)


def _name(path: Any, fallback: str) -> str:
    """A bracketed text in place of a path says why the file was not exported."""
    if not isinstance(path, str) or not path or path.startswith("("):
        return fallback
    return PurePosixPath(path).name or fallback


def _size(raw: dict[str, Any], key: str) -> int | None:
    size = raw.get(key)
    return size if isinstance(size, int) else None


def reactions(raw: Any) -> tuple[Reaction, ...]:
    """
    Raises:
        TypeError, AttributeError: if the value is not a list of objects.
    """
    found: list[Reaction] = []
    for one in raw:
        value = one.get("emoji") or one.get("document_id") or one.get("type") or "?"
        recent = one.get("recent") or []
        authors = tuple(str(r["from_id"]) for r in recent if r.get("from_id"))
        count = one.get("count")
        total = count if isinstance(count, int) else len(authors)
        found.append(Reaction(str(value), authors, max(total, len(authors))))
    return tuple(found)
