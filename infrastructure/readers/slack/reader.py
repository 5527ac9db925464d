"""Reader of Slack's export archives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from application.ports.chat_reader import (
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.archive import Archive, BrokenMemberError, Member, is_archive
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import MALFORMED, or_unreadable
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

_MESSAGE = re.compile(rb'\s*\[\s*\{.*?"(?:ts|type)"\s*:\s*"', re.DOTALL)
_DAYS_ASKED = 10


class SlackReader:
    """Times are UTC; the workspace's zone plays no part."""

    format = "slack"
    version = 1

    def recognise(self, file: ExportFile) -> Recognition | None:
        if not is_archive(file):
            return None
        with Archive(file) as archive:
            lists = [m.name for m in archive.members if m.path.name in {*LIST_FILES, *PEOPLE_FILES}]
            days = [m for m in archive.members if DAY_FILE.fullmatch(m.name)]
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

    def read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        del options  # Slack's times and columns leave nothing to decide
        yield from or_unreadable(self._read(file, facts), file)

    def _read(self, file: ExportFile, facts: ReadFacts) -> Iterator[ReadItem]:
        facts.timezone = "UTC"
        with Archive(file) as archive:
            space = explore(archive)
            yield from space.warnings
            for name in archive.nested:
                yield ReadWarning(name, None, "an archive inside the archive; not opened")
            markup = Mrkdwn(space.people.name, space.channels)
            converter = MessageConverter(space.people, markup, facts)
            for folder in space.folders:
                yield folder.conversation
                yield from _read_folder(folder, converter)
            if missing := sorted(space.people.missing):
                shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
                reason = f"does not list {len(missing)} people who wrote messages ({shown})"
                yield ReadWarning("users.json", None, reason)


def _is_day(member: Member) -> bool:
    try:
        return _MESSAGE.match(sniff(member, SNIFF)) is not None
    except BrokenMemberError:
        return False


def _read_folder(folder: Folder, converter: MessageConverter) -> Iterator[ReadItem]:
    conversation = folder.conversation.id
    for day in folder.days:
        for one in elements(day):
            if isinstance(one, ReadWarning):
                yield one
                continue
            number, raw = one
            try:
                yield converter.message(conversation, raw)
            except MALFORMED as error:
                reason = f"a message that is not as Slack writes it ({error!r}); skipped"
                yield ReadWarning(day.name, number, reason)
