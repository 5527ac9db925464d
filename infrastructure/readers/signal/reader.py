"""Reader of Signal chats: its own plaintext export, and what signal-export writes."""

from __future__ import annotations

from collections.abc import Iterator

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    Recognition,
)
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import files_ending, name_of
from infrastructure.readers.signal.backup import Backup
from infrastructure.readers.signal.chat_lines import ChatLines
from infrastructure.readers.signal.chat_rows import ChatRows
from infrastructure.readers.signal.folders import ENDINGS, ConversationNames, chats_of
from infrastructure.readers.signal.layouts import layout_of

_FILES_ASKED = 20  # of an archive
_FIRST_ASKED = {"main.jsonl": 0, "data.json": 1, "chat.md": 2}


class SignalReader:
    """
    Times are UTC in Signal's own export, to the millisecond; in signal-export's the local times
    of the computer that exported. Signal leaves out messages that disappear.
    """

    format = "signal"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        files = sorted(files_ending(export, *ENDINGS), key=_rank)
        findings = (layout_of(file) for file in files[:_FILES_ASKED])
        best = max(filter(None, findings), key=lambda found: found.confidence, default=None)
        return None if best is None else Recognition(self.format, best.confidence, best.reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        names = ConversationNames()
        for file, layout in chats_of(export):
            if layout == "backup":
                yield from Backup(file, facts).read()
                continue
            conversation = names.of(file, layout)
            if layout == "rows":
                yield from ChatRows(file, conversation, clock, facts).read()
            else:
                yield from ChatLines(file, conversation, clock).read()


def _rank(file: ExportFile) -> int:
    return _FIRST_ASKED.get(name_of(file), len(_FIRST_ASKED))
