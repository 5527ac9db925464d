"""What a chat item holds: text, attachments, reactions, polls, contacts, payments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.message import Attachment, MessageKind, Reaction
from infrastructure.readers.json_values import storable
from infrastructure.readers.signal.people import People
from infrastructure.readers.signal.values import number, phone_number, text_of

_FLAGS = {"VOICE_MESSAGE": "voice message", "GIF": "GIF"}
_LONG_TEXT = "rest of the text"
_NAMES = ("prefix", "givenName", "middleName", "familyName", "suffix")
_ADDRESS = ("street", "pobox", "neighborhood", "postcode", "city", "region", "country")


class Content(NamedTuple):
    kind: MessageKind
    text: str
    attachments: tuple[Attachment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    extra: dict[str, Any] | None = None
    quote: dict[str, Any] | None = None


def standard(raw: dict[str, Any], people: People) -> Content:
    """
    A `standardMessage`.

    Raises:
        one of reading.MALFORMED: if it is not what Signal writes; so do all functions here.
    """
    text = rich_text(raw.get("text"), people)
    attachments: tuple[Attachment, ...] = ()
    extra: dict[str, Any] | None = None
    if files := raw.get("attachments"):
        attachments = tuple(attachment(one) for one in files)
        if not text:
            text = "\n".join(filter(None, (text_of(one["pointer"], "caption") for one in files)))
    if (rest := raw.get("longText")) is not None:
        attachments = (*attachments, pointed(rest, _LONG_TEXT))
    if previews := raw.get("linkPreview"):
        kept = ("url", "title", "description", "date")
        extra = {"linkPreview": [_kept(one, *kept) for one in previews]}
    given = reactions(raw.get("reactions"), people)
    return Content("message", text, attachments, given, extra, raw.get("quote"))


def rich_text(raw: Any, people: People) -> str:
    """The text with the names of those who are mentioned; styles are dropped."""
    if raw is None:
        return ""
    body = raw.get("body", "")
    if not isinstance(body, str):
        raise TypeError(f"the text is a {type(body).__name__}")
    ranges = raw.get("bodyRanges")
    return _with_names(body, ranges, people) if ranges else body


def _with_names(body: str, ranges: Sequence[dict[str, Any]], people: People) -> str:
    """In place of each mention stands U+FFFC; places are counted in UTF-16 units."""
    mentions = sorted(
        (number(one.get("start", 0)), number(one.get("length", 0)), people.name_of(aci))
        for one in ranges
        if (aci := one.get("mentionAci")) is not None
    )
    if not mentions:
        return body
    units = body.encode("utf-16-le", "replace")
    parts: list[bytes] = []
    at = 0
    for start, length, name in mentions:
        if start < at or length <= 0 or 2 * (start + length) > len(units):
            continue
        parts += (units[2 * at : 2 * start], f"@{name}".encode("utf-16-le", "replace"))
        at = start + length
    parts.append(units[2 * at :])
    return b"".join(parts).decode("utf-16-le", "replace")


def attachment(raw: dict[str, Any], fallback: str | None = None) -> Attachment:
    return pointed(raw["pointer"], fallback or _FLAGS.get(text_of(raw, "flag")))


def pointed(raw: dict[str, Any], fallback: str | None = None) -> Attachment:
    """A `FilePointer`; what has no name is called after its kind, as “image”."""
    media_type = text_of(raw, "contentType") or None
    name = text_of(raw, "fileName") or fallback
    if not name:
        name = media_type.partition("/")[0] if media_type else "file"
    size = None
    for locator in ("locatorInfo", "backupLocator", "attachmentLocator"):
        if isinstance(found := raw.get(locator), dict) and "size" in found:
            size = number(found["size"])
    return Attachment(name, media_type, None if size is None or size < 0 else size)


def reactions(raw: Any, people: People) -> tuple[Reaction, ...]:
    if not raw:
        return ()
    found: dict[str, list[str]] = {}
    for one in raw:
        emoji = one["emoji"]
        if not isinstance(emoji, str):
            raise TypeError(f"a reaction is a {type(emoji).__name__}")
        found.setdefault(emoji, []).append(people.recipient(one["authorId"]).author.id)
    return tuple(Reaction(emoji, tuple(who), len(who)) for emoji, who in found.items())


def sticker(raw: dict[str, Any], people: People) -> Content:
    found = raw.get("sticker") or {}
    media = pointed(found.get("data") or {}, "sticker")
    extra = _kept(found, "emoji", "packId", "stickerId")
    given = reactions(raw.get("reactions"), people)
    return Content("message", "", (media,), given, {"sticker": extra} if extra else None)


def view_once(raw: dict[str, Any], people: People) -> Content:
    """The export leaves out what could be seen only once, also where it never was."""
    media = attachment(raw["attachment"]) if raw.get("attachment") else None
    media = media or Attachment("media to be seen once", None, None)
    return Content("message", "", (media,), reactions(raw.get("reactions"), people))


def contact(raw: dict[str, Any], people: People) -> Content:
    card = raw.get("contact") or {}
    name = card.get("name")
    lines = [" ".join(filter(None, (text_of(name, key) for key in _NAMES)))]
    lines[0] = lines[0] or text_of(name, "nickname")
    lines.append(text_of(card, "organization"))
    for key in ("number", "email"):
        lines += [text_of(one, "value") for one in card.get(key) or ()]
    for one in card.get("address") or ():
        lines.append(", ".join(filter(None, (text_of(one, key) for key in _ADDRESS))))
    given = reactions(raw.get("reactions"), people)
    return Content("message", "\n".join(filter(None, lines)), (), given)


def poll(raw: dict[str, Any], people: People) -> Content:
    lines = [text_of(raw, "question")]
    options: list[dict[str, Any]] = []
    for one in raw.get("options") or ():
        option = text_of(one, "option")
        voters = [people.recipient(vote["voterId"]).author.id for vote in one.get("votes") or ()]
        lines.append(f"- {option} ({len(voters)})")
        options.append({"option": option, "votes": voters})
    kept = _kept(raw, "allowMultiple", "hasEnded")
    extra = {"poll": {"options": options, **kept}}
    given = reactions(raw.get("reactions"), people)
    return Content("message", "\n".join(lines), (), given, extra)


def payment(raw: dict[str, Any], _people: People) -> Content:
    amount = text_of(raw, "amountMob")
    lines = [f"Payment of {amount} MOB" if amount else "Payment", text_of(raw, "note")]
    kept = _kept(raw, "amountMob", "feeMob")
    details = raw.get("transactionDetails") or {}
    if isinstance(failed := details.get("failedTransaction"), dict):
        lines[0] += " (failed)"
        kept["failed"] = text_of(failed, "reason") or "GENERIC"
    elif status := text_of(details.get("transaction"), "status"):
        kept["status"] = status
    return Content("message", "\n".join(filter(None, lines)), extra={"payment": kept})


def gift_badge(raw: dict[str, Any], _people: People) -> Content:
    state = text_of(raw, "state").lower() or "unopened"
    return Content("message", f"Donation made as a gift ({state})")


def story_reply(raw: dict[str, Any], people: People) -> Content:
    reply = raw.get("textReply") or {}
    text = rich_text(reply.get("text"), people) or text_of(raw, "emoji")
    rest = reply.get("longText")
    attachments = () if rest is None else (pointed(rest, _LONG_TEXT),)
    given = reactions(raw.get("reactions"), people)
    return Content("message", text, attachments, given, {"storyReply": True})


def deleted(_raw: dict[str, Any], _people: People) -> Content:
    return Content("deleted", "")


def deleted_by_admin(raw: dict[str, Any], people: People) -> Content:
    admin = people.recipient(raw["adminId"]).author.id if "adminId" in raw else None
    return Content("deleted", "", extra={"deletedBy": admin} if admin else None)


def account_in_words(raw: dict[str, Any]) -> str:
    """A telephone number or a user name, by which somebody was known."""
    for key in ("e164", "previousE164"):
        if (phone := phone_number(raw.get(key))) is not None:
            return phone
    return text_of(raw, "username") or "another number"


def _kept(raw: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: storable(raw[key]) for key in keys if key in raw}
