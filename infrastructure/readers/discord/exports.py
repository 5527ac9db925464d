"""
What DiscordChatExporter has written: which files, in which layout, and of which channel.

Layouts and names as in the exporter's source (JsonMessageWriter, CsvMessageWriter,
PlainTextMessageWriter, ExportRequest): a file is `server - category - channel [id].json`, the
second part of a divided export `server - category - channel [id] [part 2].json`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Conversation, ConversationKind
from infrastructure.readers.discord.snowflakes import id_of
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.limits import HELD_WARNINGS
from infrastructure.readers.reading import files_ending, name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import sniff

Layout = Literal["json", "csv", "txt"]

HEAD = 16 * 1024  # bytes; a channel's topic is the longest thing before the messages
BANNER = "=" * 62
CSV_COLUMNS = ("AuthorID", "Author", "Date", "Content", "Attachments", "Reactions")
_ENDINGS = (".json", ".csv", ".txt")
_BEST_FIRST: tuple[Layout, ...] = ("json", "csv", "txt")
_NAMES_KEPT = 500_000

_OBJECTS = re.compile(rb'\s*\{(?=.*?"guild"\s*:\s*\{)(?=.*?"channel"\s*:\s*\{)', re.DOTALL)
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_TEXT = re.compile(rb"={62}\r?\nGuild: [^\n]*\nChannel: ")
_COLUMNS = re.compile(rb'"?(?:AuthorID"?([,;])"?)?Author"?[,;]"?Date"?[,;]"?Content"?[,;]"?Attach')

_CHANNEL_ID = re.compile(r"\[(\d{1,20})\]")
_LONG_ID = re.compile(r"\[\d{15,20}\]")
_PART = re.compile(r" ?\[part (\d{1,9})\]$")
_KINDS: dict[str, ConversationKind] = {
    **dict.fromkeys(("DirectTextChat", "1"), "direct"),
    **dict.fromkeys(("DirectGroupTextChat", "3"), "group"),
    **dict.fromkeys(("0", "2", "5", "10", "11", "12", "13", "15", "16"), "channel"),
}
_THREADS = frozenset(
    {"GuildNewsThread", "GuildPublicThread", "GuildPrivateThread", "10", "11", "12"}
)
_DIRECT_MESSAGES = "Direct Messages"  # as the exporter names the server that is none
_CATEGORIES: dict[str, ConversationKind] = {"Private": "direct", "Group": "group"}


@dataclass(frozen=True, slots=True)
class Part:
    """One file, and where it belongs."""

    file: ExportFile
    layout: Layout
    conversation: Conversation
    export: str  # path without the part's number: what was exported at once
    number: int


@dataclass(slots=True)
class Channel:
    """A conversation and all files of it that are read, in order."""

    conversation: Conversation
    parts: list[Part] = field(default_factory=list)
    left_out: list[Part] = field(default_factory=list)  # because another layout says more


@dataclass(slots=True)
class Contents:
    """An archive's table of contents."""

    channels: list[Channel] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of channels and categories, by id
    warnings: list[ReadWarning] = field(default_factory=list)


def layout_of(head: bytes) -> tuple[Layout, float, str] | None:
    """The layout of a file that the exporter wrote, how sure that is, and why."""
    if _OBJECTS.match(head) and _MESSAGES.search(head):
        return "json", 0.95, "a JSON object with a Discord server, a channel and its messages"
    if _TEXT.match(head):
        return "txt", 0.95, "a text that begins with a Discord server and channel"
    if match := _COLUMNS.match(head):
        reason = "a table with the columns of DiscordChatExporter"
        return "csv", (0.9 if match[1] else 0.8), reason
    return None


def asked(export: Export) -> Iterator[ExportFile]:
    """The files that may be exports of channels; those that were downloaded with one are not."""
    for file in files_ending(export, *_ENDINGS):
        if not export.is_packed or "_Files/" not in file.name:
            yield file


def likely(export: Export) -> Iterator[ExportFile]:
    """The same, those first whose names hold an id: an archive may be full of other files."""
    files = list(asked(export))
    yield from (file for file in files if _CHANNEL_ID.search(file.name))
    yield from (file for file in files if not _CHANNEL_ID.search(file.name))


def explore(export: Export) -> Contents:
    """Look at the beginning of every file."""
    found = Contents()
    channels: dict[str, Channel] = {}
    for file in asked(export):
        head = sniff(file, HEAD)
        claim = layout_of(head)
        if claim is None and export.is_packed:
            if _LONG_ID.search(name_of(file)) and len(found.warnings) < HELD_WARNINGS:
                reason = "named like an export of a channel, but it begins like none; left out"
                found.warnings.append(ReadWarning(file.name, None, reason))
            continue
        layout = claim[0] if claim is not None else _likely_layout(head)
        part = _part(file, layout, head, found.names)
        id = part.conversation.id
        channels.setdefault(id, Channel(part.conversation)).parts.append(part)
    for channel in channels.values():
        _choose(channel)
    found.channels = list(channels.values())
    return found


def _choose(channel: Channel) -> None:
    """One layout of a channel: read twice, its messages would be doubled."""
    layouts = {part.layout for part in channel.parts}
    best = next(layout for layout in _BEST_FIRST if layout in layouts)
    channel.left_out = [part for part in channel.parts if part.layout != best]
    channel.parts = [part for part in channel.parts if part.layout == best]
    channel.parts.sort(key=lambda part: (part.export, part.number))
    channel.conversation = channel.parts[0].conversation


def _likely_layout(head: bytes) -> Layout:
    """Of a damaged file that the person says is this format."""
    first = head.lstrip()[:1]
    return "json" if first in (b"{", b"[") else "txt" if first == b"=" else "csv"


def _part(file: ExportFile, layout: Layout, head: bytes, names: dict[str, str]) -> Part:
    name = name_of(file)
    dot = name.rfind(".")
    stem = name[:dot] if dot > 0 else name
    match = _PART.search(stem)
    number = int(match[1]) if match else 1
    stem = _PART.sub("", stem)
    folder = file.name[: len(file.name) - len(name)]
    if layout == "json":
        conversation = _from_header(head, stem, names)
    elif layout == "txt":
        conversation = _from_banner(head, stem)
    else:
        conversation = _from_name(stem)
    return Part(file, layout, conversation, f"{folder}{stem}", number)


def _from_header(head: bytes, stem: str, names: dict[str, str]) -> Conversation:
    fallback = _from_name(stem)
    channel = _channel(head)
    if not isinstance(channel, dict):
        return fallback
    id = id_of(channel.get("id")) or fallback.id
    name, category = channel.get("name"), channel.get("category")
    title = name if isinstance(name, str) and name else fallback.title
    parent = id_of(channel.get("categoryId"))
    if len(names) < _NAMES_KEPT:
        names[id] = title
        if parent is not None and isinstance(category, str):
            names.setdefault(parent, category)
    kind = id_of(channel.get("type")) or ""
    if kind in _THREADS and isinstance(category, str) and category:
        title = f"{category} / {title}"
    return Conversation(id, title, _kind(kind))


def _channel(head: bytes) -> Any:
    cursor = JsonCursor(io.BytesIO(head), Repairs())
    try:
        for key in cursor.keys():  # noqa: SIM118 - a cursor is no dictionary
            if key == "channel":
                return cursor.value()
            cursor.skip()
    except BrokenJsonError:
        return None  # the head ends among the messages; if the file is broken, reading tells it
    return None


def _kind(type: str) -> ConversationKind:
    return _KINDS.get(type, "channel" if type.startswith("Guild") else "unknown")


def _from_banner(head: bytes, stem: str) -> Conversation:
    lines = head.decode("utf-8", "replace").replace("\0", "").split("\n", 3)
    fallback = _from_name(stem)
    if len(lines) < 4:
        return fallback
    guild = lines[1].rstrip("\r").removeprefix("Guild: ")
    path = lines[2].rstrip("\r").removeprefix("Channel: ")
    category, _, title = path.rpartition(" / ")
    id = fallback.id if _CHANNEL_ID.search(stem) else f"{guild} / {path}"
    return Conversation(id, title or path, _kind_of_place(guild, category))


def _from_name(stem: str) -> Conversation:
    ids = _CHANNEL_ID.findall(stem)
    if not ids:
        return Conversation(stem, stem, "unknown")
    id = ids[-1]
    places = stem[: stem.rindex(f"[{id}]")].strip().split(" - ")
    if len(places) < 2:
        return Conversation(id, places[0] or id, "unknown")
    return Conversation(id, places[-1], _kind_of_place(places[0], places[1]))


def _kind_of_place(guild: str, category: str) -> ConversationKind:
    if guild != _DIRECT_MESSAGES:
        return "channel"
    return _CATEGORIES.get(category, "unknown")
