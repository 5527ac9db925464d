"""Reader of Microsoft Teams: the administrator's export, and what Microsoft Graph answers."""

from __future__ import annotations

from collections.abc import Iterator

from application.ports.chat_reader import (
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import name_of
from infrastructure.readers.teams.directory import Directory
from infrastructure.readers.teams.messages import MessageConverter
from infrastructure.readers.teams.once import shares_of
from infrastructure.readers.teams.passes import Passes
from infrastructure.readers.teams.recognition import HEAD, holds_messages, recognise
from infrastructure.readers.text_stream import sniff

_MESSAGE_FILES = ("messages", "retainedmessages")


class TeamsReader:
    """
    Times are UTC, to the millisecond. A message has its id in its chat or channel; chats lie in
    the files of all their members, and each message is told once.
    """

    format = "teams"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        return recognise(export, self.format)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        directory = Directory()
        files = [
            file
            for file in directory.explore(export)
            if not export.is_packed
            or name_of(file).lower().startswith(_MESSAGE_FILES)
            or holds_messages(sniff(file, HEAD))
        ]
        yield from directory.warnings
        passes = Passes(export, directory, MessageConverter(directory.people, clock, facts))
        shares = shares_of(files)
        for share in range(shares):
            passes.begin(share, shares)
            for file in files:
                yield from passes.read(file)
            if passes.has_forgotten and len(files) > 1:
                reason = "so many messages that some may be told more than once"
                yield ReadWarning(export.name, None, reason)
