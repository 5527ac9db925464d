"""What a thread is called, and what kind of conversation it is."""

from __future__ import annotations

import re
from typing import Any

from application.ports.chat_reader import ExportFile
from domain.message import Conversation, ConversationKind
from infrastructure.readers.messenger.media import Repair
from infrastructure.readers.messenger.mojibake import as_written, repaired
from infrastructure.readers.reading import name_of

_ENDING = re.compile(r"\.json$", re.IGNORECASE)
_NUMBER = re.compile(r"_\d+$")
_KINDS: dict[Any, ConversationKind] = {"Regular": "direct", "RegularGroup": "group"}


def conversation_of(
    header: dict[str, Any], place: str, file: ExportFile, *, is_encrypted: bool
) -> Conversation:
    """
    Args:
        header: the keys of the file beside its messages.
        place: of the thread, by its folders; empty if they say nothing.
    """
    repair: Repair = as_written if is_encrypted else repaired
    stem = _ENDING.sub("", name_of(file)) or name_of(file)
    names = _names(header.get("participants"), repair)
    if is_encrypted:
        known = _text(header.get("threadName"), repair) or stem
        # Encrypted threads are numbered: “Ann Other_12”.
        title = _NUMBER.sub("", known) or known
    else:
        written = _text(header.get("title"), repair)
        known = _text(header.get("thread_path"), repair) or place or written or stem
        title = written or ", ".join(filter(None, names)) or known.rpartition("/")[2] or known
    return Conversation(known, title, _kind(header, names, title))


def _kind(header: dict[str, Any], names: list[str], title: str) -> ConversationKind:
    """Who left a group sees nobody but themselves in it; so does who writes to themselves."""
    written = header.get("thread_type")
    if isinstance(written, str) and written in _KINDS:
        return _KINDS[written]
    if not names:
        return "unknown"
    return "direct" if len(names) == 2 or names == [title] else "group"


def _names(participants: Any, repair: Repair) -> list[str]:
    """Of all who are listed; the unnamed as an empty text."""
    if not isinstance(participants, list):
        return []
    people = [one.get("name") if isinstance(one, dict) else one for one in participants]
    return [_text(name, repair) for name in people]


def _text(value: Any, repair: Repair) -> str:
    return repair(value).strip() if isinstance(value, str) else ""
