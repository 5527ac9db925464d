"""What all readers share: an export of which nothing can be read is an error, not silence."""

from __future__ import annotations

from collections.abc import Iterator

from application.ports.chat_reader import ExportFile, ReadItem, ReadWarning, UnreadableExportError
from infrastructure.readers.archive import BrokenMemberError
from infrastructure.readers.limits import HELD_WARNINGS

# What conversion of one message raises when its values are not what the format says.
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


_KEYS_COUNTED = 1000
_OTHER_KEYS = "(other keys)"


def count_key(counts: dict[str, int], name: str) -> None:
    """Count a key nobody understands; beyond a thousand different ones they share one count."""
    if name not in counts and len(counts) >= _KEYS_COUNTED:
        name = _OTHER_KEYS
    counts[name] = counts.get(name, 0) + 1


def or_unreadable(items: Iterator[ReadItem], file: ExportFile) -> Iterator[ReadItem]:
    """
    Pass the items on; warnings wait for the first item that is none.

    Raises:
        UnreadableExportError: if there is no such item, with the first fatal reason.
    """
    held: list[ReadWarning] = []
    has_item = False
    left_out = 0
    for item in _until_broken(items):
        if has_item:
            yield item
        elif isinstance(item, ReadWarning):
            # Only the first ones matter for an export of which nothing can be read.
            if len(held) < HELD_WARNINGS or item.is_fatal:
                held.append(item)
            else:
                left_out += 1
        else:
            has_item = True
            yield from held
            if left_out:
                yield ReadWarning(file.name, None, f"{left_out} more warnings before any message")
            held.clear()
            yield item
    if has_item:
        return
    if not held:
        raise UnreadableExportError(file=file.name, reason="it holds no messages")
    first = next((warning for warning in held if warning.is_fatal), held[0])
    raise UnreadableExportError(file=first.file, line=first.line, reason=first.reason)


def _until_broken(items: Iterator[ReadItem]) -> Iterator[ReadItem]:
    """An OSError is let out: the machine failed, not the file, and reading it again may work."""
    try:
        yield from items
    except BrokenMemberError as error:
        yield ReadWarning(error.file, None, error.reason, is_fatal=True)
