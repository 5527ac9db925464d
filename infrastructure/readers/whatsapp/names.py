"""Who a WhatsApp line is from: names end at a colon, and notices may hold one, too."""

from __future__ import annotations

from infrastructure.readers.whatsapp.marks import GENERATED, MARKS, without_marks
from infrastructure.readers.whatsapp.notice_phrases import is_encryption_notice, reads_like_notice

_NAME_LIMIT = 120  # characters; longer is a notice with a colon in it
_NOTICE_LENGTH = 16  # no notice's beginning is shorter
_QUOTES = '"“”„‟«»‹›「」『』'


def split_author(
    rest: str, *, is_bracketed: bool, is_tight: bool = False
) -> tuple[str | None, str]:
    """
    Name, as it is written, and text; no name for what the system says.

    Args:
        is_tight: whether the file's phone writes no space after the colon.
    """
    if is_bracketed and (named := _encryption_notice(rest)) is not None:
        return named
    name, colon, text = rest.partition(":" if is_tight else ": ")
    if not colon:
        if rest.endswith(":"):
            name, text = rest[:-1], ""
        elif is_bracketed and ":" in rest:
            name, _, text = rest.partition(":")
        else:
            return None, rest
    if not name or len(name) > _NAME_LIMIT or _has_open_quote(name):
        return None, rest
    if len(name) >= _NOTICE_LENGTH and reads_like_notice(name):
        return None, rest
    return name, text


def _encryption_notice(rest: str) -> tuple[str, str] | None:
    """It stands under the chat's name, in which there may be a colon."""
    name, colon, text = rest.partition(f": {GENERATED}")
    if colon and is_encryption_notice(text):
        return name, GENERATED + text
    return None


def _has_open_quote(name: str) -> bool:
    """A group's name with a colon, cut in two, leaves a quotation mark without its pair."""
    if name.isalnum():
        return False
    return sum(map(name.count, _QUOTES)) % 2 == 1


def clean_name(name: str) -> str:
    """Without marks, and without the tilde before people who are not in the address book."""
    name = without_marks(name).strip(MARKS + " ")
    return name.removeprefix("~").lstrip() or name
