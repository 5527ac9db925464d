"""A message as an event of an RSMF manifest."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from domain.message import Message, Reaction
from infrastructure.exports.rsmf.moments import written
from infrastructure.exports.rsmf.names import Placeholder
from infrastructure.exports.rsmf.participants import Participants
from infrastructure.readers.rsmf.own import MESSAGE, own_property
from infrastructure.readers.rsmf.values import precision_of

# What Chatledger's reader keeps of other tools' events, and gives back in the same places.
_TYPES = frozenset({"disclaimer", "join", "leave", "history", "unknown"})
_CHOICES = {
    "importance": frozenset({"normal", "high"}),
    "direction": frozenset({"incoming", "outgoing"}),
}
_RECEIPT_ACTIONS = frozenset({"read", "delivered"})
_NOBODY = "(unknown)"  # who edited a message that has no author: RSMF wants one


def event(
    message: Message,
    conversation: str,
    people: Participants,
    keys: AbstractSet[str],
    placeholders: list[Placeholder],
) -> dict[str, Any]:
    """
    Args:
        keys: of the messages in the same file; RSMF has no parents elsewhere.
        placeholders: of the message's attachments, in their order.
    """
    extra = message.extra or {}
    stamp = written(message.sent_at, message.precision)
    found: dict[str, Any] = {
        "id": message.key,
        "type": _type(message, extra),
        "body": message.text,
        "conversation": conversation,
        "timestamp": stamp,
    }
    if message.author is not None:
        found["participant"] = people.of(message.author)
    parent = message.reply_to or message.thread
    if parent is not None and parent != message.key and parent in keys:
        found["parent"] = parent
    if message.kind == "deleted":
        found["deleted"] = True
    if message.reactions:
        found["reactions"] = [_reaction(one, people) for one in message.reactions if one.value]
    if placeholders:
        found["attachments"] = [one.attachment for one in placeholders]
    if message.edits or message.edited_at is not None:
        found["edits"] = _edits(message, found.get("participant") or people.of_id(_NOBODY))
    found |= _kept(extra, people)
    custom = _custom(extra)
    if own := _own_fields(message, stamp):
        custom.append(own_property(MESSAGE, own))
    if custom:
        found["custom"] = custom
    return found


def _type(message: Message, extra: Any) -> str:
    type = extra.get("type")
    if isinstance(type, str) and type in _TYPES:
        return type
    return "unknown" if message.kind == "system" else "message"


def _reaction(reaction: Reaction, people: Participants) -> dict[str, Any]:
    found: dict[str, Any] = {"value": reaction.value, "count": reaction.total}
    if reaction.authors:
        found["participants"] = [people.of_id(author) for author in reaction.authors]
    return found


def _edits(message: Message, participant: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    texts = [*(edit.text for edit in message.edits), message.text]
    for number, edit in enumerate(message.edits):
        step = {"participant": participant, "previous": edit.text, "new": texts[number + 1]}
        if edit.at is not None:
            step["timestamp"] = written(edit.at)
        found.append(step)
    if message.edited_at is not None:
        if not found:
            found.append({"participant": participant, "new": message.text})
        found[-1].setdefault("timestamp", written(message.edited_at))
    return found


def _kept(extra: Any, people: Participants) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, choices in _CHOICES.items():
        value = extra.get(name)
        if isinstance(value, str) and value in choices:
            found[name] = value
    receipts = extra.get("read_receipts")
    if isinstance(receipts, list) and (listed := _receipts(receipts, people)):
        found["read_receipts"] = listed
    return found


def _receipts(raw: list[Any], people: Participants) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in raw:
        who = one.get("participant") if isinstance(one, dict) else None
        if not isinstance(who, str) or not who:
            continue
        receipt = {"participant": people.of_id(who)}
        if isinstance(stamp := one.get("timestamp"), str):
            receipt["timestamp"] = stamp
        if isinstance(action := one.get("action"), str) and action in _RECEIPT_ACTIONS:
            receipt["action"] = action
        found.append(receipt)
    return found


def _custom(extra: Any) -> list[dict[str, str]]:
    """The named values that the event came with."""
    raw = extra.get("custom")
    found: list[dict[str, str]] = []
    for one in raw if isinstance(raw, list) else ():
        match one:
            case {"name": str(name), "value": str(value)} if name and value and name != MESSAGE:
                found.append({"name": name, "value": value})
    return found


def _own_fields(message: Message, stamp: str) -> dict[str, Any]:
    """What Chatledger's reader could not tell from the rest of the event."""
    found: dict[str, Any] = {}
    if message.kind not in ("message", "deleted"):
        found["kind"] = message.kind
    if message.precision != precision_of(stamp):
        found["precision"] = message.precision
    if message.zone != "stated":
        found["zone"] = message.zone
    if message.reply_to is not None:
        found["reply_to"] = message.reply_to
    if message.thread is not None:
        found["thread"] = message.thread
    if message.edited_at is not None:
        found["edited_at"] = written(message.edited_at)
    if message.edits:
        found["edits"] = [
            [edit.text, None if edit.at is None else written(edit.at)] for edit in message.edits
        ]
    if not all(map(_is_plain, message.reactions)):
        found["reactions"] = [[r.value, r.authors, r.total] for r in message.reactions]
    if message.attachments:
        found["attachments"] = [[a.name, a.media_type, a.size] for a in message.attachments]
    if message.extra is not None:
        found["extra"] = dict(message.extra)
    return found


def _is_plain(reaction: Reaction) -> bool:
    """Whether it is read back from RSMF's own field as it was."""
    value = reaction.value
    return (
        bool(value)
        and value == value.strip(":")
        and reaction.total >= max(len(reaction.authors), 1)
    )
