"""Events that Chatledger wrote become the messages they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from domain.message import Attachment, Edit, Message, MessageKind, Precision, Reaction, Zone
from infrastructure.readers.json_values import storable
from infrastructure.readers.rsmf import values
from infrastructure.readers.rsmf.own import MESSAGE
from infrastructure.readers.rsmf.people import People

_CHOICES = {
    "kind": frozenset(get_args(MessageKind)),
    "precision": frozenset(get_args(Precision)),
    "zone": frozenset(get_args(Zone)),
}


def own_message(bare: Message, raw: dict[str, Any], own: Any, people: People) -> Message:
    """
    Args:
        bare: what the event says of itself.
        raw: the event.
        own: its property `chatledger:message`, if it has one.

    Raises:
        one of reading.MALFORMED: if that is not what Chatledger writes.
    """
    fields: dict[str, Any] = {}
    if raw.get("deleted") is True:
        fields["kind"] = "deleted"
    if "reactions" in raw:
        fields["reactions"] = values.reactions(raw["reactions"], people)
    if own is not None:
        _require(isinstance(own, Mapping), "value")
        fields |= {name: _field(name, value) for name, value in own.items()}
    return bare._replace(**fields) if fields else bare


def _field(name: str, value: Any) -> Any:
    found: Any = value
    match name:
        case "kind" | "precision" | "zone":
            _require(isinstance(value, str) and value in _CHOICES[name], name)
        case "reply_to" | "thread":
            _require(isinstance(value, str), name)
        case "edited_at":
            found = _time(value)
        case "edits":
            found = tuple(Edit(_text(text), at and _time(at)) for text, at in value)
        case "reactions":
            found = tuple(
                Reaction(_text(emoji), tuple(map(_text, authors)), _count(total))
                for emoji, authors, total in value
            )
        case "attachments":
            found = tuple(
                Attachment(_text(name), None if media is None else _text(media), size)
                for name, media, size in value
                if size is None or _count(size) >= 0
            )
        case "extra":
            _require(isinstance(value, Mapping), name)
            found = storable(value)
        case _:
            raise ValueError(f"{MESSAGE} has no {name[:40]!r}")
    return found


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _text(value: Any) -> str:
    _require(isinstance(value, str), "text")
    return str(value)


def _count(value: Any) -> int:
    _require(isinstance(value, int) and not isinstance(value, bool), "number")
    return int(value)


def _require(is_right: bool, name: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_right:
        raise ValueError(f"{MESSAGE}: the {name} is not what Chatledger writes")
