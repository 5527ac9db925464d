"""What all readers share: an export of which nothing can be read is an error, not silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from application.ports.chat_reader import (
    ChatReader,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
    UnreadableExportError,
)
from infrastructure.readers.containers.ending import EndingFile
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


def name_of(file: ExportFile) -> str:
    """Without the folders it lies in."""
    return file.name.rpartition("/")[2]


def files_ending(export: Export, *endings: str) -> Sequence[ExportFile]:
    """Of an archive or folder those whose names end so, in lower case; else the only file."""
    if not export.is_packed:
        return export.files
    return [file for file in export.files if file.name.lower().endswith(endings)]


class GuardedReader:
    """
    Any reader, with what all of them promise: what was not unpacked and where the archive is
    damaged are told, and an export of which nothing can be read is an error, not silence.
    """

    def __init__(self, reader: ChatReader) -> None:
        self.reader = reader
        self.format = reader.format
        self.version = reader.version

    def recognise(self, export: Export) -> Recognition | None:
        return self.reader.recognise(export)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        """
        As the port says. Warnings wait for the first item that is none.

        An OSError is let out: the machine failed, not the file, and reading it again may work.
        """
        items = with_damage(self.reader.read(export, options, facts), export)
        held: list[ReadWarning] = []
        left_out = 0
        for item in items:
            if not isinstance(item, ReadWarning):
                yield from held
                if left_out:
                    reason = f"{left_out} more warnings before any message"
                    yield ReadWarning(export.name, None, reason)
                yield item
                yield from items
                return
            # Only the first ones matter for an export of which nothing can be read.
            if len(held) < HELD_WARNINGS or item.is_fatal:
                held.append(item)
            else:
                left_out += 1
        if not held:
            raise UnreadableExportError(file=export.name, reason="it holds no messages")
        first = next((warning for warning in held if warning.is_fatal), held[0])
        raise UnreadableExportError(file=first.file, line=first.line, reason=first.reason)


def with_damage(items: Iterator[ReadItem], export: Export) -> Iterator[ReadItem]:
    """What a reader says of the end of a file is but what damage to its archive looks like."""
    yield from export.warnings
    if not export.breaks and not any(isinstance(file, EndingFile) for file in export.files):
        yield from items  # nothing was unpacked that could end too early
        return
    for item in items:
        if isinstance(item, ReadWarning) and item.is_fatal and item.file in export.breaks:
            continue
        yield item
    for file, reason in export.breaks.items():
        yield ReadWarning(file, None, reason, is_fatal=True)


def unused(title: str, taken: set[str]) -> str:
    """The title, numbered if another conversation has it; it is taken from now on."""
    name = title
    count = 1
    while name in taken:
        count += 1
        name = f"{title} ({count})"
    taken.add(name)
    return name
