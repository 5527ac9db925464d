"""Reader of Slack's export archives, and of what slackdump writes: such archives, and dumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

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
from infrastructure.readers.slack.dumps import DumpReading, is_dump, looks_named
from infrastructure.readers.slack.messages import MessageConverter
from infrastructure.readers.slack.mrkdwn import Mrkdwn
from infrastructure.readers.slack.workspace import (
    DAY_FILE,
    LIST_FILES,
    PEOPLE_FILES,
    Folder,
    Workspace,
    candidates,
    elements,
    explore,
)
from infrastructure.readers.text_stream import sniff

_MESSAGE = re.compile(rb'\s*\[\s*\{.*?"ts"\s*:\s*"\d+\.\d+"', re.DOTALL)
_DAYS_ASKED = 10
_DUMPS_ASKED = 10


class SlackReader:
    """Times are UTC; the workspace's zone plays no part."""

    format = "slack"
    version = 3

    def recognise(self, export: Export) -> Recognition | None:
        claim = _as_archive(export) or _as_dump(export)
        return None if claim is None else Recognition(self.format, *claim)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        del options  # Slack's times and columns leave nothing to decide
        facts.timezone = "UTC"
        space = explore(export)
        yield from space.warnings
        markup = Mrkdwn(space.people.known_name, space.channels)
        converter = MessageConverter(space.people, markup, space.uploads, facts)
        is_alone = sum(len(folder.days) + len(folder.dumps) for folder in space.folders) == 1
        for folder in space.folders:
            yield folder.conversation
            yield from _read_folder(folder, converter, facts, is_alone=is_alone)
        is_dumped = not any(folder.days for folder in space.folders)
        yield from _missing(space, export.name if is_dumped and not space.lists_people else None)


def _missing(space: Workspace, dump: str | None) -> Iterator[ReadWarning]:
    """
    People whom no list names.

    Args:
        dump: the name of an export that has no list, as slackdump's dumps usually have none.
    """
    people = space.people
    missing = sorted(people.missing)
    if dump is not None:
        missing = [one for one in missing if people.known_name(one) is None]
    if not missing:
        return
    shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
    if dump is None:
        reason = f"does not list {len(missing)} people who wrote messages ({shown})"
        yield ReadWarning("users.json", None, reason)
        return
    reason = (
        f"{len(missing)} people who wrote messages are known by their ids only ({shown}): a "
        "users.json beside the dump would name them"
    )
    yield ReadWarning(dump, None, reason)


def _as_archive(export: Export) -> tuple[float, str] | None:
    names = {name_of(file) for file in export.files}
    lists = [name for name in (*PEOPLE_FILES, *LIST_FILES) if name in names]
    days = [f for f in export.files if DAY_FILE.fullmatch(f.name)]
    are_slack = any(_is_day(day) for day in days[:_DAYS_ASKED])
    if days and not are_slack:
        return None
    if lists and (days or len(lists) > 1):
        return 0.95, f"the archive holds {lists[0]} and {len(days)} day files with messages"
    if days:
        return 0.8, f"the archive holds {len(days)} day files with messages, but no users.json"
    return None


def _as_dump(export: Export) -> tuple[float, str] | None:
    files = sorted(candidates(export), key=lambda file: not looks_named(file))
    if any(is_dump(file) for file in files[:_DUMPS_ASKED]):
        return 0.95, "JSON with a channel and Slack's messages, as slackdump dumps a conversation"
    return None


def _is_day(file: ExportFile) -> bool:
    return _MESSAGE.match(sniff(file, SNIFF)) is not None


def _read_folder(
    folder: Folder, converter: MessageConverter, facts: ReadFacts, *, is_alone: bool
) -> Iterator[ReadItem]:
    converter.begin()
    for day in folder.days:
        yield from _read_file(folder.conversation.id, day.name, elements(day), converter)
    for number, dump in enumerate(folder.dumps):
        if number or folder.days:
            converter.again()
        found = DumpReading(dump.file, facts.unknown_keys, is_alone=is_alone).read()
        yield from _read_file(folder.conversation.id, dump.file.name, found, converter)


def _read_file(
    conversation: str,
    file: str,
    found: Iterator[tuple[int, Any] | ReadWarning],
    converter: MessageConverter,
) -> Iterator[ReadItem]:
    for one in found:
        if isinstance(one, ReadWarning):
            yield one
            continue
        number, raw = one
        try:
            message = converter.message(conversation, raw)
        except MALFORMED as error:
            reason = f"a message that is not as Slack writes it ({error!r}); skipped"
            yield ReadWarning(file, number, reason)
            continue
        if message is not None:
            yield message
