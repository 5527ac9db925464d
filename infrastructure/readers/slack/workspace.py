"""What a Slack archive holds: its conversations, their day files and dumps, its people."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Conversation, ConversationKind
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor, Unparsed
from infrastructure.readers.limits import HELD_WARNINGS
from infrastructure.readers.reading import name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.slack.dumps import Dump, dumps_of
from infrastructure.readers.slack.files import Upload, is_upload, uploads_of
from infrastructure.readers.slack.people import People
from infrastructure.readers.text_stream import as_utf8

_CONVERSATIONS = 200_000
_DEEPEST = 4  # folders in which a list of conversations may lie
DAY_FILE = re.compile(r"(?P<folder>(?!(?:.*/)?__uploads/).+)/\d{4}-\d{2}-\d{2}\.json")
PEOPLE_FILES = ("users.json", "org_users.json")
# In the order in which their conversations are read.
LIST_FILES: dict[str, ConversationKind] = {
    "channels.json": "channel",
    "groups.json": "channel",
    "mpims.json": "group",
    "dms.json": "direct",
}
_LISTED_PEOPLE = re.compile(r"users-[TE][A-Z0-9]+\.json")  # as slackdump lists a team's people
_LISTS = frozenset((*PEOPLE_FILES, *LIST_FILES))


@dataclass(frozen=True, slots=True)
class Folder:
    """A conversation, the files of its days, oldest first, and those that slackdump dumped."""

    conversation: Conversation
    days: list[ExportFile]
    dumps: list[Dump] = field(default_factory=list)  # those of threads last


@dataclass(slots=True)
class Workspace:
    """The archive's table of contents."""

    people: People = field(default_factory=People)
    channels: dict[str, str] = field(default_factory=dict)  # names by id
    uploads: dict[str, Upload] = field(default_factory=dict)  # by file id
    folders: list[Folder] = field(default_factory=list)
    warnings: list[ReadWarning] = field(default_factory=list)
    lists_people: bool = False

    def warn(self, warning: ReadWarning) -> None:
        if len(self.warnings) < HELD_WARNINGS:
            self.warnings.append(warning)


def explore(export: Export) -> Workspace:
    """Read everything but the messages."""
    found = Workspace()
    _read_people(export, found)
    found.uploads = uploads_of(export.files)
    days: dict[str, list[ExportFile]] = {}
    for member in export.files:
        if match := DAY_FILE.fullmatch(member.name):
            days.setdefault(match["folder"], []).append(member)
    ids: dict[str, Folder] = {}
    for name, kind in LIST_FILES.items():
        for member in _named(export, name):
            root = member.name.removesuffix(name)
            for raw in _listed(member, ids, found):
                _add(found, raw, kind, root, days, ids)
    for folder in sorted(days):
        title = folder.rpartition("/")[2]
        reason = "a folder that no list of conversations names; read under its own name"
        found.warn(ReadWarning(folder, None, reason))
        conversation = Conversation(folder if title in ids else title, title, "unknown")
        found.folders.append(Folder(conversation, _sorted(days[folder])))
    _add_dumps(export, found)
    return found


def candidates(export: Export) -> list[ExportFile]:
    """The files that may be dumps; uploads may be JSON, too."""
    if not export.is_packed:
        return list(export.files)
    return [
        file
        for file in export.files
        if file.name.lower().endswith(".json")
        and file.name.count("/") < _DEEPEST
        and name_of(file) not in _LISTS
        and not DAY_FILE.fullmatch(file.name)
        and not is_upload(file)
    ]


def _add_dumps(export: Export, found: Workspace) -> None:
    ids = {folder.conversation.id: folder for folder in found.folders}
    dumps: list[Dump] = []
    for one in dumps_of(export, candidates(export)):
        if isinstance(one, ReadWarning):
            found.warn(one)
        elif len(ids) + len(dumps) >= _CONVERSATIONS:
            reason = f"more than {_CONVERSATIONS} conversations; this one is left out"
            found.warn(ReadWarning(one.file.name, None, reason))
        else:
            dumps.append(one)
    # What names the conversation first, and a thread once the messages before it are told.
    for dump in sorted(dumps, key=lambda dump: (dump.thread, not dump.name, dump.file.name)):
        folder = ids.get(dump.channel)
        if folder is None:
            folder = ids[dump.channel] = Folder(dump.conversation(found.people), [])
            found.folders.append(folder)
        if dump.name:
            found.channels.setdefault(dump.channel, dump.name)
        folder.dumps.append(dump)


def _read_people(export: Export, found: Workspace) -> None:
    members = [member for name in PEOPLE_FILES for member in _named(export, name)]
    members += [f for f in export.files if _LISTED_PEOPLE.fullmatch(name_of(f))]
    for member in members:
        found.lists_people = True
        for one in elements(member):
            if isinstance(one, ReadWarning):
                found.warn(one)
            else:
                found.people.add(one[1])


def _listed(member: ExportFile, ids: Collection[str], found: Workspace) -> Iterator[dict[str, Any]]:
    """The conversations of one list that can be told apart."""
    for one in elements(member):
        if isinstance(one, ReadWarning):
            found.warn(one)
            continue
        element, raw = one
        if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
            reason = "a conversation without an id, left out"
            found.warn(ReadWarning(member.name, element, reason))
        elif len(ids) >= _CONVERSATIONS:
            reason = f"more than {_CONVERSATIONS} conversations; this one is left out"
            found.warn(ReadWarning(member.name, element, reason))
        else:
            yield raw


def _named(export: Export, name: str) -> list[ExportFile]:
    return [f for f in export.files if name_of(f) == name and f.name.count("/") < _DEEPEST]


def _add(
    found: Workspace,
    raw: dict[str, Any],
    kind: ConversationKind,
    root: str,
    days: dict[str, list[ExportFile]],
    ids: dict[str, Folder],
) -> None:
    known: str = raw["id"]
    name = raw.get("name")
    folder = next((f for f in (f"{root}{name}", f"{root}{known}") if f in days), None)
    members = [] if folder is None else days.pop(folder)
    if known in ids:
        # Shared by two workspaces of an organisation: listed in both, perhaps with both folders.
        ids[known].days[:] = _sorted([*ids[known].days, *members])
        return
    title = name if isinstance(name, str) and name else _members_names(found, raw) or known
    if isinstance(name, str) and name:
        found.channels[known] = name
    ids[known] = Folder(Conversation(known, title, kind), _sorted(members))
    found.folders.append(ids[known])


def _members_names(found: Workspace, raw: dict[str, Any]) -> str:
    members = raw.get("members")
    if not isinstance(members, list):
        return ""
    return ", ".join(found.people.name(m) for m in members if isinstance(m, str))


def _sorted(days: list[ExportFile]) -> list[ExportFile]:
    return sorted(days, key=lambda member: (name_of(member), member.name))


def elements(member: ExportFile) -> Iterator[tuple[int, Any] | ReadWarning]:
    """
    The elements of a file that holds one list, numbered from 1. Where the file breaks, its
    readable beginning and a warning are what it gives.
    """
    repairs = Repairs()
    number = 0
    try:
        with member.open() as stream:
            cursor = JsonCursor(as_utf8(stream), repairs)
            for number, raw in enumerate(cursor.elements(), start=1):
                if isinstance(raw, Unparsed):
                    yield ReadWarning(member.name, number, raw.reason)
                else:
                    yield number, raw
    except BrokenJsonError as error:
        reason = f"{error}; the rest of this file was not read, the others were"
        yield ReadWarning(member.name, number + 1, reason)
    yield from repairs.warnings(member.name)
