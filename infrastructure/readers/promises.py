"""What every item that a reader yields has to be, whoever wrote the reader."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, get_args

import orjson

from application.ports.chat_reader import DateOrder, ReadFacts, ReadWarning
from domain.message import (
    Attachment,
    Author,
    Conversation,
    ConversationKind,
    Edit,
    Message,
    MessageKind,
    Precision,
    Reaction,
    Zone,
)

_FORMAT = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST_FORMAT = 40  # characters
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NO_TIME = timedelta()
_CONVERSATION_KINDS = get_args(ConversationKind)
_MESSAGE_KINDS = get_args(MessageKind)
_PRECISIONS = get_args(Precision)
_ZONES = get_args(Zone)


class BrokenPromiseError(Exception):
    """
    A reader yields what none may yield. That is a defect of the reader, not of the file.

    The sentence quotes nothing of the file.
    """

    is_quotable = True


def is_format_name(name: object) -> bool:
    """Lower-case words of letters and digits, joined by - or _, at most 40 characters."""
    is_short = isinstance(name, str) and len(name) <= _LONGEST_FORMAT
    return is_short and _FORMAT.fullmatch(str(name)) is not None


class Promises:
    """Looks at the items of one pass over an export, in their order."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._number = 0  # of the last item

    def check(self, item: object) -> None:
        """
        Raises:
            BrokenPromiseError: with the item's number and what is wrong with it.
        """
        self._number += 1
        if isinstance(item, Message):
            wrong = _wrong_in_message(item)
            if wrong is None and item.conversation not in self._told:
                wrong = "comes before its conversation"
        elif isinstance(item, Conversation):
            wrong = _wrong_in_conversation(item)
            if wrong is None:
                self._told.add(item.id)
        elif isinstance(item, ReadWarning):
            wrong = _wrong_in_warning(item)
        else:
            wrong = "is neither a Conversation nor a Message nor a ReadWarning"
        if wrong is not None:
            kind = type(item).__name__
            raise BrokenPromiseError(f"item {self._number}, of type {kind}, {wrong}")


def check_facts(facts: ReadFacts) -> None:
    """
    Raises:
        BrokenPromiseError: with the field.
    """
    if facts.timezone is not None and not _is_text(facts.timezone):
        raise BrokenPromiseError("facts.timezone is neither a text nor None")
    if facts.date_order is not None and facts.date_order not in get_args(DateOrder):
        raise BrokenPromiseError("facts.date_order is no DateOrder")
    if not all(_is_text(key) and _is_count(n) for key, n in facts.unknown_keys.items()):
        raise BrokenPromiseError("facts.unknown_keys are not texts with counts")
    if not all(_is_text(ours) and _is_text(theirs) for ours, theirs in facts.columns.items()):
        raise BrokenPromiseError("facts.columns are not texts")


def _wrong_in_message(message: Message) -> str | None:
    fields = {
        "conversation": _is_text(message.conversation),
        "key": _is_text(message.key) and message.key != "",
        "author": message.author is None or _is_author(message.author),
        "precision": message.precision in _PRECISIONS,
        "zone": message.zone in _ZONES,
        "kind": message.kind in _MESSAGE_KINDS,
        "text": _is_text(message.text),
        "reply_to": message.reply_to is None or _is_text(message.reply_to),
        "thread": message.thread is None or _is_text(message.thread),
        "edits": isinstance(message.edits, tuple) and all(map(_is_edit, message.edits)),
        "reactions": isinstance(message.reactions, tuple)
        and all(map(_is_reaction, message.reactions)),
        "attachments": isinstance(message.attachments, tuple)
        and all(map(_is_attachment, message.attachments)),
    }
    for name, is_right in fields.items():
        if not is_right:
            return f"has a field that is not as domain.message says: {name}"
    if not _is_utc(message.sent_at):
        return "has a sent_at that is no aware time in UTC"
    if message.edited_at is not None and not _is_utc(message.edited_at):
        return "has an edited_at that is no aware time in UTC"
    return _wrong_in_extra(message.extra) if message.extra else None


def _wrong_in_extra(extra: Any) -> str | None:
    try:
        orjson.dumps(dict(extra))
    except (TypeError, ValueError) as error:
        return f"has an extra that is no JSON ({type(error).__name__})"
    return None


def _wrong_in_conversation(conversation: Conversation) -> str | None:
    if not (_is_text(conversation.id) and _is_text(conversation.title)):
        return "has an id or a title that is no text that can be stored"
    if conversation.kind not in _CONVERSATION_KINDS:
        return "has a kind that is no ConversationKind"
    return None


def _wrong_in_warning(warning: ReadWarning) -> str | None:
    if not isinstance(warning.file, str):
        return "names no file"
    if warning.line is not None and not _is_count(warning.line):
        return "has a line that is no number"
    if not isinstance(warning.reason, str) or not warning.reason.strip():
        return "has no reason"
    if not isinstance(warning.is_fatal, bool):
        return "says neither that it is fatal nor that it is not"
    return None


def _is_text(value: object) -> bool:
    """With NUL or half a character it could not be stored."""
    if not isinstance(value, str):
        return False
    return _UNSTORABLE.search(value) is None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_utc(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() == _NO_TIME


def _is_author(author: object) -> bool:
    return isinstance(author, Author) and _is_text(author.id) and _is_text(author.name)


def _is_edit(edit: object) -> bool:
    if not isinstance(edit, Edit) or not _is_text(edit.text):
        return False
    return edit.at is None or _is_utc(edit.at)


def _is_reaction(reaction: object) -> bool:
    if not isinstance(reaction, Reaction) or not isinstance(reaction.authors, tuple):
        return False
    are_texts = _is_text(reaction.value) and all(map(_is_text, reaction.authors))
    return are_texts and _is_count(reaction.total)


def _is_attachment(attachment: object) -> bool:
    if not isinstance(attachment, Attachment) or not _is_text(attachment.name):
        return False
    has_type = attachment.media_type is None or _is_text(attachment.media_type)
    return has_type and (attachment.size is None or _is_count(attachment.size))
