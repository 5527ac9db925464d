"""Who sent a mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import NamedTuple

from domain.message import Author

_LIMIT = 1000  # characters of one header that are looked at
# Archives of Mailman hide addresses so: “andy at example.com (Andy Grunwald)”.
_HIDDEN = re.compile(r"([^\s<>()@\"]+) at ([^\s<>()@\"]+)(?:\s*\((.*)\))?\s*")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"@]+")
# Lists that send in their own name: “'Andy' via Metrics <metrics@example.com>”.
_VIA = re.compile(r"'?(.+?)'? via .+", re.DOTALL)


class Sender(NamedTuple):
    address: str  # in lower case; empty if there is none
    name: str  # empty if there is none


def sender_of(raw: str, text: Callable[[str], str]) -> Sender:
    """
    The first address of a header.

    Args:
        raw: the header, still with encoded words: they may hold commas and quotes.
        text: decodes a part of it.
    """
    line = " ".join(raw.split())[:_LIMIT]
    if (match := _HIDDEN.fullmatch(line)) is not None:
        address = text(f"{match[1]}@{match[2]}").lower()
        return Sender(address, text(match[3] or "").strip())
    name, address = parseaddr(line)
    if "@" not in address:
        found = _ADDRESS.search(line)
        if found is None:
            return Sender("", text(line).strip("<> \"'"))
        address = found[0]
        name = name if name and address not in name else line[: found.start()]
    return Sender(text(address).strip().lower(), text(name).strip("<> \"'"))


def author_of(headers: Callable[[str], str | None], text: Callable[[str], str]) -> Author | None:
    """
    One person has one id, the address in lower case, under whatever names; None if nobody is named.

    Args:
        headers: the first header of a name, if there is one.
    """
    raw = headers("from") or headers("sender")
    if raw is None or not raw.strip():
        return None
    sender = sender_of(raw, text)
    via = _VIA.fullmatch(sender.name)
    if via is not None:
        original = headers("x-original-from") or headers("reply-to")
        person = sender_of(original, text) if original else Sender("", "")
        is_list = not person.address or person.address == sender.address
        name = via[1].strip()
        # The list's own address is everybody's: without a better one the name must do.
        sender = Sender("" if is_list else person.address, name)
    id = sender.address or sender.name
    return Author(id, sender.name or sender.address) if id else None
