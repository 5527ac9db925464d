"""One row of a table becomes a Message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from application.ports.chat_reader import DateOrder, ReadFacts
from domain.message import (
    Attachment,
    Author,
    Conversation,
    Message,
    MessageKind,
    Reaction,
)
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key
from infrastructure.readers.stamps import Stamp, parse_stamp
from infrastructure.readers.tabular.columns import Row, is_named_inside, named_inside, value_of

_SIMPLE = {"sent_at", "clock", "author", "author_id", "text", "conversation", "key"}
_OBJECTS = ("author", "conversation")  # fields that may be objects with an id and a name
_KINDS: frozenset[str] = frozenset(get_args(MessageKind))


class RowConverter:
    """Converts the rows of one file by one mapping of columns."""

    def __init__(
        self,
        columns: Mapping[str, str],
        *,
        fallback: Conversation,
        order: DateOrder,
        clock: LocalClock,
        facts: ReadFacts,
    ) -> None:
        """
        Args:
            fallback: the conversation of rows that name none.
        """
        self._columns = dict(columns)
        self._fallback = fallback
        self._order = order
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()
        self._is_simple = columns.keys() <= _SIMPLE
        self._used = frozenset(columns.values())
        self._objects = {columns[field]: field for field in _OBJECTS if field in columns}

    def convert(self, row: Row) -> tuple[Conversation, Message]:
        """
        Raises:
            ValueError, OverflowError: if the time cannot be read.
        """
        stamp = self._stamp(row)
        conversation = self._conversation(self._value(row, "conversation"))
        author = self._author(row)
        text = _text(self._value(row, "text"))
        key = _word(self._value(row, "key"))
        if key is None:
            name = author.id if author else ""
            key = self._keys.key(conversation.id, stamp.written, name, text)
        is_all_used = row.keys() <= self._used and not self._has_objects(row)
        extra = None if is_all_used else self._extra(row)
        if self._is_simple:
            return conversation, Message(
                *(conversation.id, key, author, stamp.at, stamp.precision, stamp.zone),
                kind="message",
                text=text,
                extra=extra,
            )
        kind = self._value(row, "kind")
        return conversation, Message(
            *(conversation.id, key, author, stamp.at, stamp.precision, stamp.zone),
            kind=kind if kind in _KINDS else "message",
            text=text,
            reply_to=_word(self._value(row, "reply_to")),
            thread=_word(self._value(row, "thread")),
            edited_at=self._edited_at(row),
            reactions=_reactions(self._value(row, "reactions")),
            attachments=_attachments(self._value(row, "attachments")),
            extra=extra,
        )

    def _value(self, row: Row, field: str) -> Any:
        column = self._columns.get(field)
        if column is None:
            return None
        return row[column] if column in row else value_of(row, column)

    def _stamp(self, row: Row) -> Stamp:
        value = self._value(row, "sent_at")
        clock = self._value(row, "clock")
        if isinstance(value, str) and isinstance(clock, str):
            value = f"{value.strip()} {clock.strip()}"
        return parse_stamp(value, self._order, self._clock)

    def _conversation(self, value: Any) -> Conversation:
        if isinstance(value, dict):
            known, name = named_inside("conversation", value)
            known = known or name
        else:
            known = name = _word(value)
        if known is None:
            return self._fallback
        return Conversation(known, name or known, "unknown")

    def _author(self, row: Row) -> Author | None:
        value = self._value(row, "author")
        known = _word(self._value(row, "author_id"))
        if isinstance(value, dict):
            inside, name = named_inside("author", value)
            known = known or inside
        else:
            name = _word(value)
        if known is None and name is None:
            return None
        return Author(known or name or "", name or known or "")

    def _edited_at(self, row: Row) -> datetime | None:
        """A mark of editing that is no time ("yes") says nothing about when."""
        value = self._value(row, "edited_at")
        if value in (None, "", False, True):
            return None
        try:
            return parse_stamp(value, self._order, self._clock).at
        except (ValueError, OverflowError):
            return None

    def _has_objects(self, row: Row) -> bool:
        for column in self._objects:  # noqa: SIM110 - this is the inner loop
            if isinstance(row.get(column), dict):
                return True
        return False

    def _extra(self, row: Row) -> dict[str, Any] | None:
        kept: dict[str, Any] = {}
        for column, value in row.items():
            if column not in self._used:
                left = self._left(column, value)
            elif column in self._objects and isinstance(value, dict):
                left = self._beside_name(column, value)
            else:
                continue
            if left is not None:
                kept[column] = storable(left)
        return kept or None

    def _beside_name(self, column: str, value: Row) -> Row | None:
        """What an object says of a person or a conversation besides id and name."""
        field = self._objects[column]
        rest = {key: one for key, one in value.items() if not is_named_inside(field, str(key))}
        for key in rest:
            count_key(self._unknown, f"{column}.{key}")
        return rest or None

    def _left(self, column: str, value: Any) -> Any:
        """What of a value no field was taken from; None if that is nothing."""
        if value in (None, ""):
            return None
        if isinstance(value, dict) and any(used.startswith(f"{column}.") for used in self._used):
            inner = {
                key: left
                for key, one in value.items()
                if f"{column}.{key}" not in self._used
                and (left := self._left(f"{column}.{key}", one)) is not None
            }
            return inner or None
        count_key(self._unknown, column)
        return value


def _word(value: Any) -> str | None:
    """A short value as text; None for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value)


def _text(value: Any, depth_left: int = 5) -> str:
    if isinstance(value, str):
        return value
    if value is None or depth_left == 0:
        return ""
    if isinstance(value, list):
        return "\n".join(_text(one, depth_left - 1) for one in value)
    if isinstance(value, dict):
        return _text(value.get("text", ""), depth_left - 1)
    return str(value)


def _attachments(value: Any) -> tuple[Attachment, ...]:
    if isinstance(value, str):
        return tuple(Attachment(name, None, None) for name in value.split(",") if name.strip())
    if not isinstance(value, list):
        return ()
    found: list[Attachment] = []
    for one in value:
        if isinstance(one, dict):
            name = one.get("name") or one.get("fileName") or one.get("filename") or "file"
            mime, size = one.get("media_type"), one.get("size")
            found.append(
                Attachment(
                    str(name),
                    mime if isinstance(mime, str) else None,
                    size if isinstance(size, int) else None,
                )
            )
        elif one:
            found.append(Attachment(str(one), None, None))
    return tuple(found)


def _reactions(value: Any) -> tuple[Reaction, ...]:
    if not isinstance(value, list):
        return ()
    found: list[Reaction] = []
    for one in value:
        if isinstance(one, dict) and isinstance(name := one.get("value"), str):
            authors = one.get("authors")
            people = tuple(map(str, authors)) if isinstance(authors, list) else ()
            total = one.get("total")
            found.append(Reaction(name, people, total if isinstance(total, int) else len(people)))
    return tuple(found)
