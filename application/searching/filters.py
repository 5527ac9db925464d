"""Which messages a search may find: one model for the query language, GraphQL and the terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

Feature = Literal["link", "attachment", "reaction", "reply"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
MESSAGE_KINDS = ("message", "system", "action", "deleted")
CONVERSATION_KINDS = ("direct", "group", "channel", "ai", "unknown")
KINDS = (*MESSAGE_KINDS, *CONVERSATION_KINDS)


@dataclass(frozen=True, slots=True)
class Choice:
    """Values of which a message must have one, and values of which it must have none."""

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.any_of or self.none_of)

    def with_value(self, value: str, *, is_excluded: bool) -> Choice:
        if is_excluded:
            return replace(self, none_of=added(self.none_of, value))
        return replace(self, any_of=added(self.any_of, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """
    All of them must hold. Names are those of people and conversations, or their ids as GraphQL
    writes them (`Author:…`, `Conversation:…`, `Upload:…`, `Label:…`); an upload goes by its file's
    name, too.
    """

    authors: Choice = Choice()
    conversations: Choice = Choice()
    uploads: Choice = Choice()
    message_kinds: Choice = Choice()
    conversation_kinds: Choice = Choice()
    languages: Choice = Choice()  # ISO 639-1 codes
    labels: Choice = Choice()  # of the message, or of its conversation
    has: tuple[Feature, ...] = ()  # every one of them
    has_not: tuple[Feature, ...] = ()
    sent_from: datetime | None = None  # then or later
    sent_before: datetime | None = None

    def __bool__(self) -> bool:
        return self != NO_FILTERS

    def with_kind(self, kind: str, *, is_excluded: bool) -> Filters:
        if kind in MESSAGE_KINDS:
            kinds = self.message_kinds.with_value(kind, is_excluded=is_excluded)
            return replace(self, message_kinds=kinds)
        kinds = self.conversation_kinds.with_value(kind, is_excluded=is_excluded)
        return replace(self, conversation_kinds=kinds)

    def with_feature(self, feature: Feature, *, is_excluded: bool) -> Filters:
        if is_excluded:
            return replace(self, has_not=added(self.has_not, feature))
        return replace(self, has=added(self.has, feature))

    def between(self, since: datetime | None, before: datetime | None) -> Filters:
        """Narrowed to what was sent from one moment, included, to another, excluded."""
        starts = [at for at in (self.sent_from, since) if at is not None]
        ends = [at for at in (self.sent_before, before) if at is not None]
        return replace(
            self,
            sent_from=max(starts) if starts else None,
            sent_before=min(ends) if ends else None,
        )

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(getattr(self, name) for name in CHOICES)

    def as_dict(self) -> dict[str, Any]:
        """For the log: only what is set, times in ISO 8601."""
        stored: dict[str, Any] = {}
        for name in CHOICES:
            choice: Choice = getattr(self, name)
            if choice.any_of:
                stored[name] = list(choice.any_of)
            if choice.none_of:
                stored[f"not_{name}"] = list(choice.none_of)
        for name in ("has", "has_not"):
            if features := getattr(self, name):
                stored[name] = list(features)
        for name in ("sent_from", "sent_before"):
            if (at := getattr(self, name)) is not None:
                stored[name] = at.isoformat()
        return stored

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Filters:
        """From what `as_dict` made."""
        values: dict[str, Any] = {
            name: Choice(tuple(stored.get(name, ())), tuple(stored.get(f"not_{name}", ())))
            for name in CHOICES
        }
        for name in ("has", "has_not"):
            values[name] = tuple(stored.get(name, ()))
        for name in ("sent_from", "sent_before"):
            at = stored.get(name)
            values[name] = None if at is None else datetime.fromisoformat(at)
        return cls(**values)


CHOICES = (
    "authors",
    "conversations",
    "uploads",
    "message_kinds",
    "conversation_kinds",
    "languages",
    "labels",
)
NO_FILTERS = Filters()


def both(one: Filters, other: Filters) -> Filters:
    """Those that meet both. Where both name values, one of all of them is enough."""
    choices: dict[str, Any] = {}
    for name in CHOICES:
        mine, theirs = getattr(one, name), getattr(other, name)
        choices[name] = Choice(
            tuple(dict.fromkeys(mine.any_of + theirs.any_of)),
            tuple(dict.fromkeys(mine.none_of + theirs.none_of)),
        )
    merged = Filters(
        **choices,
        has=tuple(dict.fromkeys(one.has + other.has)),
        has_not=tuple(dict.fromkeys(one.has_not + other.has_not)),
        sent_from=one.sent_from,
        sent_before=one.sent_before,
    )
    return merged.between(other.sent_from, other.sent_before)


def added(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return values if value in values else (*values, value)
