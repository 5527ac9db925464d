"""Reader of Slack's export archives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import MALFORMED, name_of
from infrastructure.readers.slack.messages import MessageConverter
from infrastructure.readers.slack.mrkdwn import Mrkdwn
from infrastructure.readers.slack.workspace import (
    DAY_FILE,
    LIST_FILES,
    PEOPLE_FILES,
    Folder,
    elements,
    explore,
)
from infrastructure.readers.text_stream import sniff

_MESSAGE = re.compile(rb'\s*\[\s*\{.*?"ts"\s*:\s*"\d+\.\d+"', re.DOTALL)
_DAYS_ASKED = 10


class SlackReader:
    """Times are UTC; the workspace's zone plays no part."""

    format = "slack"
    version = 2

    def recognise(self, export: Export) -> Recognition | None:
        names = {name_of(file) for file in export.files}
        lists = [name for name in (*PEOPLE_FILES, *LIST_FILES) if name in names]
        days = [f for f in export.files if DAY_FILE.fullmatch(f.name)]
        are_slack = any(_is_day(day) for day in days[:_DAYS_ASKED])
        if days and not are_slack:
            return None
        if lists and (days or len(lists) > 1):
            reason = f"the archive holds {lists[0]} and {len(days)} day files with messages"
            return Recognition(self.format, 0.95, reason)
        if days:
            reason = f"the archive holds {len(days)} day files with messages, but no users.json"
            return Recognition(self.format, 0.8, reason)
        return None

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        del options  # Slack's times and columns leave nothing to decide
        facts.timezone = "UTC"
        space = explore(export)
        yield from space.warnings
        markup = Mrkdwn(space.people.known_name, space.channels)
        converter = MessageConverter(space.people, markup, space.uploads, facts)
        for folder in space.folders:
            yield folder.conversation
            yield from _read_folder(folder, converter)
        if missing := sorted(space.people.missing):
            shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            reason = f"does not list {len(missing)} people who wrote messages ({shown})"
            yield ReadWarning("users.json", None, reason)


def _is_day(file: ExportFile) -> bool:
    return _MESSAGE.match(sniff(file, SNIFF)) is not None


def _read_folder(folder: Folder, converter: MessageConverter) -> Iterator[ReadItem]:
    conversation = folder.conversation.id
    converter.begin()
    for day in folder.days:
        for one in elements(day):
            if isinstance(one, ReadWarning):
                yield one
                continue
            number, raw = one
            try:
                message = converter.message(conversation, raw)
            except MALFORMED as error:
                reason = f"a message that is not as Slack writes it ({error!r}); skipped"
                yield ReadWarning(day.name, number, reason)
                continue
            if message is not None:
                yield message
