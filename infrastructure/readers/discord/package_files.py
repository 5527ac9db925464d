"""
What lies in the data package that Discord sends on request.

`messages/c<id>/channel.json` beside `messages.json` (newer) or `messages.csv` (older), and
`messages/index.json` with labels by channel id. The folder is also written `Messages` or in the
account's language, and the channels' folders are sometimes without the `c`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Author, Conversation, ConversationKind
from infrastructure.readers.discord.people import People
from infrastructure.readers.discord.snowflakes import id_of
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.limits import HELD_WARNINGS
from infrastructure.readers.reading import name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8

CHANNEL_FILE = re.compile(
    r"(?P<folder>(?P<root>(?:[^/]*/)*?)c?(?P<id>\d{1,20})/)(?P<name>channel\.json|messages\.(?:json|csv))"
)
_ROWS = re.compile(rb'\s*"?ID"?,"?Timestamp"?,"?Contents"?(?:,"?Attachments"?)?')
_ELEMENTS = re.compile(rb'\s*\[\s*\{(?=[^{}]*?"Timestamp"\s*:)(?=.*?"Contents"\s*:)', re.DOTALL)
_DM = re.compile(r"(?P<with>.+)#0")  # accounts without a discriminator are written with this one
_UNTITLED = frozenset({"", "None"})
_CHANNELS = 200_000
_KINDS: dict[str, ConversationKind] = {
    **dict.fromkeys(("1", "DM"), "direct"),
    **dict.fromkeys(("3", "GROUP_DM"), "group"),
    **dict.fromkeys(("0", "2", "5", "10", "11", "12", "13", "15", "16"), "channel"),
}
UNNAMED_OWNER = Author("owner", "You")


@dataclass(frozen=True, slots=True)
class PackagedChannel:
    conversation: Conversation
    messages: ExportFile


@dataclass(slots=True)
class Package:
    """The package's table of contents."""

    owner: Author = UNNAMED_OWNER
    people: People = field(default_factory=People)
    names: dict[str, str] = field(default_factory=dict)  # of channels, by id
    channels: list[PackagedChannel] = field(default_factory=list)
    warnings: list[ReadWarning] = field(default_factory=list)

    def warn(self, file: str, reason: str) -> None:
        if len(self.warnings) < HELD_WARNINGS:
            self.warnings.append(ReadWarning(file, None, reason))


def holds_messages(head: bytes) -> bool:
    """Whether a file begins like the messages of a package."""
    return _ROWS.match(head) is not None or _ELEMENTS.match(head) is not None


def explore(export: Export) -> Package:
    """Read everything but the messages."""
    found = Package()
    if not export.is_packed:
        (file,) = export.files
        stem = name_of(file).rpartition(".")[0] or name_of(file)
        found.channels.append(PackagedChannel(Conversation(stem, stem, "unknown"), file))
        return found
    messages: dict[str, tuple[str, str, ExportFile]] = {}  # folder -> root, id, file
    about: dict[str, ExportFile] = {}
    for file in export.files:
        match = CHANNEL_FILE.fullmatch(file.name)
        if match is None:
            continue
        if match["name"] == "channel.json":
            about[match["folder"]] = file
        elif match["folder"] not in messages or match["name"] == "messages.json":
            messages[match["folder"]] = match["root"], match["id"], file
    roots = {root for root, _, _ in messages.values()}
    labels = _labels(export, roots, found)
    _read_owner(export, roots, found)
    for folder, (_, id, file) in messages.items():
        if len(found.channels) >= _CHANNELS:
            found.warn(file.name, f"more than {_CHANNELS} channels; this one is left out")
            continue
        header = _header(about.get(folder), found)
        conversation = _conversation(id, header, labels, found)
        found.channels.append(PackagedChannel(conversation, file))
        name = header.get("name")
        if isinstance(name, str) and name:
            found.names[conversation.id] = name
    return found


def _labels(export: Export, roots: set[str], found: Package) -> dict[str, str]:
    labels: dict[str, str] = {}
    for file in export.files:
        if name_of(file) == "index.json" and file.name.removesuffix("index.json") in roots:
            for id, label in _entries(file, found):
                if isinstance(label, str) and label not in _UNTITLED and len(labels) < _CHANNELS:
                    labels[id] = label
    return labels


def _entries(file: ExportFile, found: Package) -> Iterator[tuple[str, Any]]:
    """The keys and values of an object; a broken one is told of and gives its beginning."""
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), Repairs())
        try:
            for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
                yield key, cursor.value()
        except BrokenJsonError as error:
            found.warn(file.name, f"{error}; names are missing")


def _header(file: ExportFile | None, found: Package) -> dict[str, Any]:
    if file is None:
        return {}
    wanted = {"id", "type", "name", "guild", "recipients"}
    return {key: value for key, value in _entries(file, found) if key in wanted}


def _conversation(
    id: str, header: dict[str, Any], labels: dict[str, str], found: Package
) -> Conversation:
    known = id_of(header.get("id")) or id
    kind = id_of(header.get("type")) or ""
    name, guild = header.get("name"), header.get("guild")
    place = guild.get("name") if isinstance(guild, dict) else None
    title = labels.get(known) or labels.get(id)
    if title is not None:
        # As Discord words it: "general in Server", "Direct Message with name#0".
        match = _DM.fullmatch(title)
        title = match["with"] if match else title
    elif isinstance(name, str) and name:
        title = f"{name} in {place}" if isinstance(place, str) and place else name
    else:
        title = _others(header.get("recipients"), found)
    is_place = kind.startswith("GUILD_") or kind.endswith("_THREAD") or isinstance(guild, dict)
    return Conversation(
        known, title or known, _KINDS.get(kind, "channel" if is_place else "unknown")
    )


def _others(recipients: Any, found: Package) -> str:
    """The names of those whom the owner wrote to, as far as the package has them."""
    ids = recipients if isinstance(recipients, list) else []
    names = [found.people.name(id) for id in ids if isinstance(id, str) and id != found.owner.id]
    return ", ".join(name for name in names if name is not None)


def _read_owner(export: Export, roots: set[str], found: Package) -> None:
    """
    Whose package it is, and the names of friends: from `account/user.json`, whatever that
    folder's name.
    """
    bases = {root.rstrip("/").rpartition("/")[0] for root in roots}
    for file in export.files:
        folder = file.name.rpartition("/")[0]
        if name_of(file) == "user.json" and folder.rpartition("/")[0] in bases:
            owner = _account(file, found)
            if owner is not None:
                found.owner = owner
                found.people.call(owner.id, owner.name)
                return


def _account(file: ExportFile, found: Package) -> Author | None:
    account: dict[str, Any] = {}
    with file.open() as stream:
        cursor = JsonCursor(as_utf8(stream), Repairs())
        try:
            for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
                if key in {"id", "username", "global_name"}:
                    account[key] = cursor.value()
                elif key == "relationships" and cursor.peek() == b"[":
                    for friend in cursor.elements():
                        _meet(friend, found.people)
                else:
                    cursor.skip()
        except BrokenJsonError as error:
            found.warn(file.name, f"{error}; names are missing")
    id, name = id_of(account.get("id")), _name(account)
    return Author(id, name) if id is not None and name is not None else None


def _meet(friend: Any, people: People) -> None:
    user = friend.get("user") if isinstance(friend, dict) else None
    if isinstance(user, dict) and (id := id_of(user.get("id"))) is not None:
        nickname, name = friend.get("nickname"), _name(user)
        shown = nickname if isinstance(nickname, str) and nickname else name
        if shown is not None:
            people.call(id, shown)


def _name(account: dict[str, Any]) -> str | None:
    for key in ("global_name", "username"):
        name = account.get(key)
        if isinstance(name, str) and name.strip():
            return name
    return None
