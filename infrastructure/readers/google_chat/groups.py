"""The conversations of an export: their message files, names and members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Author, Conversation, ConversationKind
from infrastructure.readers.google_chat.messages import author_of
from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.reading import files_ending, name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import sniff

MESSAGES, GROUP, OWNER = "messages.json", "group_info.json", "user_info.json"
_FOLDER = re.compile(r"(?P<kind>DM|Space) (?P<id>\S+)")
_HEAD = 32 * 1024
_INFO_LIMIT = MEBIBYTE

_CREATOR = re.compile(rb'"creator"\s*:\s*\{')
_DATE = re.compile(rb'"(?:created|updated)_date"\s*:\s*"')
_ID = re.compile(rb'"(?:message|topic)_id"\s*:\s*"')
_EMPTY = re.compile(rb'\s*\{\s*"messages"\s*:\s*\[\s*\]\s*\}\s*')


def looks_like_messages(file: ExportFile) -> bool:
    head = sniff(file, _HEAD)
    is_object = head.lstrip().startswith(b"{")
    return is_object and all(sign.search(head) for sign in (_CREATOR, _DATE, _ID))


@dataclass(slots=True)
class Group:
    """One conversation."""

    file: ExportFile
    folder: str = ""  # “DM abc” or “Space abc”; empty for a file that comes alone
    name: str | None = None
    members: list[Author] = field(default_factory=list)

    @property
    def names(self) -> Mapping[str, str]:
        return {member.id: member.name for member in self.members}

    def conversation(self, first: Any, owner: str | None) -> Conversation:
        """
        Args:
            first: the first message; its id begins with the group's.
            owner: id of whom the export belongs to, who is not part of a title.
        """
        match = _FOLDER.fullmatch(self.folder)
        known = match["id"] if match else _group_of(first) or self.folder or name_of(self.file)
        others = [member.name for member in self.members if member.id != owner]
        everybody = [member.name for member in self.members]
        title = self.name or ", ".join(others or everybody) or self.folder or known
        return Conversation(known, title, self._kind(match["kind"] if match else None))

    def _kind(self, written: str | None) -> ConversationKind:
        if written == "DM":
            return "group" if len(self.members) > 2 else "direct"
        return "group" if written == "Space" else "unknown"


@dataclass(slots=True)
class Groups:
    """All conversations, and what could not be read about them."""

    groups: list[Group] = field(default_factory=list)
    owner: str | None = None  # the id of whom the export belongs to
    owner_name: str | None = None
    warnings: list[ReadWarning] = field(default_factory=list)


def explore(export: Export) -> Groups:
    """Read everything but the messages."""
    found = Groups()
    if not export.is_packed:
        found.groups = [Group(file) for file in export.files]
        return found
    infos: dict[str, ExportFile] = {}  # a group's files may lie in different parts of an export
    owners: list[ExportFile] = []
    for file in export.files:
        name = name_of(file).lower()
        if name == MESSAGES:
            if is_chat(file):
                found.groups.append(Group(file, _folder(file)))
        elif name == GROUP:
            infos.setdefault(_folder(file), file)
        elif name == OWNER:
            owners.append(file)
    for group in found.groups:
        info = infos.get(group.folder)
        if info is not None and isinstance(about := _read(info, found), dict):
            title = about.get("name")
            group.name = title if isinstance(title, str) and title else None
            group.members = list(_members(about.get("members")))
    if len(owners) == 1 and isinstance(about := _read(owners[0], found), dict):
        user = next(_members([about.get("user")]), None)
        found.owner = user.id if user else None
        found.owner_name = user.name if user else None
    return found


def is_chat(file: ExportFile) -> bool:
    """Whether the file holds a group's messages; an empty one, if its folder is a group's."""
    if looks_like_messages(file):
        return True
    return bool(_FOLDER.fullmatch(_folder(file)) and _EMPTY.fullmatch(sniff(file, 1024)))


def asked(export: Export, count: int) -> list[ExportFile]:
    """The files from which the format is to be recognised."""
    files = files_ending(export, ".json")
    if export.is_packed:
        files = [file for file in files if name_of(file).lower() == MESSAGES]
    return list(files[:count])


def _folder(file: ExportFile) -> str:
    return file.name.rpartition("/")[0].rpartition("/")[2]


def _group_of(message: Any) -> str:
    known = message.get("message_id") if isinstance(message, dict) else None
    group, slash, _ = known.partition("/") if isinstance(known, str) else ("", "", "")
    return group if slash else ""


def _read(file: ExportFile, found: Groups) -> Any:
    try:
        return parse(sniff(file, _INFO_LIMIT), Repairs(), None)
    except UnparsableJsonError as error:
        found.warnings.append(ReadWarning(file.name, None, f"could not be read ({error})"))
        return None


def _members(raw: Any) -> Iterator[Author]:
    for one in raw if isinstance(raw, list) else ():
        if isinstance(one, dict):
            member = author_of(one.get("email"), one.get("name"), {})
            if member is not None:
                yield member
