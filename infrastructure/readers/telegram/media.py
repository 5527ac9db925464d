"""What a Telegram message holds besides text: files, polls, places, reactions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from domain.message import Attachment, Reaction
from infrastructure.readers.telegram.entities import Texts

# In place of a path, perhaps after the file's name: why the file was not exported.
_LONGEST_PATH = 1000  # characters in which the reason is looked for
_NOT_EXPORTED = re.compile(
    r"(.*?) ?\((?:File|Photo|Video) (?:not included|exceeds maximum|unavailable).*\)", re.DOTALL
)


def described(raw: Mapping[str, Any], texts: Texts) -> str:
    """What a message without text shows instead: a poll, a place, a contact, a game, a bill."""
    for key, describe in _DESCRIBED:
        if isinstance(value := raw.get(key), dict):
            return describe(value, raw, texts)
    parts = (raw.get(key) for key in ("game_title", "game_description"))
    return "\n".join(part for part in parts if isinstance(part, str))


def _poll(poll: dict[str, Any], raw: Mapping[str, Any], texts: Texts) -> str:
    del raw
    answers = [a.get("text", "") for a in poll.get("answers") or [] if isinstance(a, dict)]
    return "\n".join(
        [texts.plain(poll.get("question")), *(f"- {texts.plain(answer)}" for answer in answers)]
    )


def _contact(contact: dict[str, Any], raw: Mapping[str, Any], texts: Texts) -> str:
    del raw, texts
    names = ("first_name", "last_name", "phone_number")
    return " ".join(str(contact[key]) for key in names if contact.get(key))


def _place(place: dict[str, Any], raw: Mapping[str, Any], texts: Texts) -> str:
    del texts
    where = f"{place.get('latitude')}, {place.get('longitude')}"
    named = [raw[key] for key in ("place_name", "address") if isinstance(raw.get(key), str)]
    return "\n".join([*named, where])


def _bill(invoice: dict[str, Any], raw: Mapping[str, Any], texts: Texts) -> str:
    del raw, texts
    parts = (invoice.get(key) for key in ("title", "description"))
    return "\n".join(part for part in parts if isinstance(part, str) and part)


_DESCRIBED = (
    ("poll", _poll),
    ("contact_information", _contact),
    ("location_information", _place),
    ("invoice_information", _bill),
)


def attachments(raw: Mapping[str, Any], sizes: Mapping[str, int]) -> tuple[Attachment, ...]:
    """
    The media a message has, also where the file itself was not exported.

    Args:
        sizes: bytes of the files of the export, by path.
    """
    found: list[Attachment] = []
    if "photo" in raw:
        path = raw["photo"]
        size = _size(raw, "photo_file_size", path, sizes)
        found.append(Attachment(_name(path, "photo"), None, size))
    if "file" in raw or "media_type" in raw:
        path = raw.get("file")
        kind = raw.get("media_type")
        name = raw.get("file_name")
        if not (isinstance(name, str) and name):
            name = _name(path, kind if isinstance(kind, str) and kind else "file")
        mime = raw.get("mime_type")
        mime = mime if isinstance(mime, str) and mime else None
        found.append(Attachment(name, mime, _size(raw, "file_size", path, sizes)))
    if "contact_vcard" in raw:
        path = raw["contact_vcard"]
        size = _size(raw, "contact_vcard_file_size", path, sizes)
        found.append(Attachment(_name(path, "contact.vcf"), "text/vcard", size))
    return tuple(found)


def _name(path: Any, fallback: str) -> str:
    if not isinstance(path, str):
        return fallback
    if "(" in path and len(path) < _LONGEST_PATH and (match := _NOT_EXPORTED.fullmatch(path)):
        path = match[1]
    return PurePosixPath(path).name or fallback


def _size(raw: Mapping[str, Any], key: str, path: Any, sizes: Mapping[str, int]) -> int | None:
    size = raw.get(key)
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    return sizes.get(path) if isinstance(path, str) else None


def reactions(raw: Any) -> tuple[Reaction, ...]:
    """
    Only the last few people are named; how many there are is the total.

    Raises:
        TypeError, AttributeError: if the value is not a list of objects.
    """
    found: list[Reaction] = []
    for one in raw:
        value = one.get("emoji") or one.get("document_id") or one.get("type") or "?"
        recent = one.get("recent") or ()
        authors = tuple([str(r["from_id"]) for r in recent if r.get("from_id")])
        count = one.get("count")
        total = count if isinstance(count, int) and count > len(authors) else len(authors)
        found.append(Reaction(str(value), authors, total))
    return tuple(found)
