"""The logs of an export by channel, each channel's in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from application.ports.chat_reader import DateOrder, Export, ExportFile
from domain.message import Conversation, ConversationKind
from infrastructure.readers.irc.places import FOLDERS_OF_LOGS, Place, place_of
from infrastructure.readers.irc.survey import Beginning, beginning_of

_FILES_ASKED = 20  # of a folder, for the name of its channel
# Other things that archives hold. What is left is looked into: logs have many endings, or none.
_NO_LOGS = (
    *(".json", ".jsonl", ".html", ".htm", ".xml", ".csv", ".tsv", ".md", ".pdf", ".db", ".sqlite"),
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp3", ".mp4", ".ogg", ".opus", ".zip", ".exe"),
    *(".css", ".conf", ".ini", ".theme", ".yml", ".yaml", ".toml", ".py", ".pl", ".eml", ".mbox"),
)
_ARCHIVE = re.compile(r"(?:\.tar)?\.(?:zip|tar|gz|tgz)$", re.IGNORECASE)


class Log(NamedTuple):
    file: ExportFile
    place: Place
    beginning: Beginning | None  # None: its name says enough, it was not looked into

    @property
    def is_doubtful(self) -> bool:
        """Whether day and month of its name may be the other way round."""
        return self.place.day is not None and self.place.day.is_doubtful


@dataclass(frozen=True, slots=True)
class Channel:
    conversation: Conversation
    logs: Sequence[Log]


def possible_logs(export: Export) -> Sequence[ExportFile]:
    """The files that are not empty, nor something else by their names."""
    if not export.is_packed:
        return export.files
    files = (file for file in export.files if file.size)
    return [file for file in files if not file.name.lower().endswith(_NO_LOGS)]


def channels_of(export: Export, order: DateOrder | None) -> Sequence[Channel]:
    """
    In the order of their first files.

    Args:
        order: of dates in names, as the person stated it.
    """
    logs = _Naming(export, order).logs()
    groups: dict[tuple[str | None, str | None, str], list[Log]] = {}
    for log in logs:
        place = log.place
        key = (place.user, place.network, (place.channel or "").casefold())
        groups.setdefault(key, []).append(log)
    ids: set[str] = set()
    return [_channel(group, ids) for group in groups.values()]


def _channel(logs: list[Log], ids: set[str]) -> Channel:
    place = logs[0].place
    title = place.channel or place.stem
    names = [part for part in (place.user, place.network, title) if part]
    known = "/".join(names[-2:] if place.network else names[-1:])
    if known in ids:
        known = _unused("/".join(names), ids)
    ids.add(known)
    kind: ConversationKind = "unknown"
    if place.channel is not None:
        kind = "channel" if place.has_channel else "direct" if place.network else "unknown"
    return Channel(Conversation(known, title, kind), sorted(logs, key=_order))


def _unused(name: str, ids: set[str]) -> str:
    count = 1
    tried = name
    while tried in ids:
        count += 1
        tried = f"{name} ({count})"
    return tried


def _order(log: Log) -> tuple[int, int, int]:
    """Files whose day is not known come last, all of them as the export has them."""
    if log.place.day is not None:
        named = log.place.day
        return named.year, named.month or 0, named.day or 0
    if log.beginning is not None and (begins := log.beginning.day) is not None:
        return begins.year, begins.month, begins.day
    return 10_000, 0, 0


class _Naming:
    """Finds the channel of each log: in its name, else in its lines, else its folder's name."""

    def __init__(self, export: Export, order: DateOrder | None) -> None:
        self._export = export
        self._files = possible_logs(export)
        self._places = [place_of(file.name, order) for file in self._files]
        channels = [place for place in self._places if place.has_channel]
        self._networks = {p.folder: p.network for p in channels if p.network}
        self._above = {p.folder.rpartition("/")[0]: p for p in channels if p.network}
        self._prefixes = {p.network for p in channels if p.network}
        self._dated_files: dict[str, list[ExportFile]] = {}
        for file, place in zip(self._files, self._places, strict=True):
            if place.channel is None:
                self._dated_files.setdefault(place.folder, []).append(file)
        self._folders: dict[str, str | None] = {}  # folder -> the channel that its logs tell of
        self._beginnings: dict[str, Beginning] = {}  # of some files of these folders

    def logs(self) -> Iterable[Log]:
        for file, place in zip(self._files, self._places, strict=True):
            if place.has_channel and place.day is not None:
                yield Log(file, place, None)
            else:
                yield self._looked_into(file, place)

    def _looked_into(self, file: ExportFile, place: Place) -> Log:
        if place.channel is None:
            return self._dated(file, place)
        beginning = beginning_of(file)
        return Log(file, self._named(place, beginning), beginning)

    def _named(self, place: Place, beginning: Beginning) -> Place:
        name = place.channel or ""
        if (ident := beginning.ident) is not None:
            network = name.removeprefix(f"{ident}.") if name.startswith(f"{ident}.") else None
            return place._replace(channel=ident, network=network or place.network)
        if place.has_channel:
            return place
        for prefix in self._prefixes:
            if prefix and name.startswith(f"{prefix}_"):
                return place._replace(channel=name.removeprefix(f"{prefix}_"), network=prefix)
        network = self._networks.get(place.folder)
        if network is not None:
            return place._replace(network=network)
        return place._replace(channel=beginning.channel or name)

    def _dated(self, file: ExportFile, place: Place) -> Log:
        """A name that is only a date."""
        above, _, name = place.folder.rpartition("/")
        if (near := self._above.get(above)) is not None and name:
            named = place._replace(channel=name, network=near.network, user=near.user)
            return Log(file, named, None)
        if place.folder not in self._folders:
            self._folders[place.folder] = self._told_in(place.folder)
        channel = self._folders[place.folder] or self._called(place)
        return Log(file, place._replace(channel=channel), self._beginnings.get(file.name))

    def _told_in(self, folder: str) -> str | None:
        """The channel that lines of the folder's files tell of: they are all of one."""
        for file in self._dated_files[folder][:_FILES_ASKED]:
            beginning = self._beginnings[file.name] = beginning_of(file)
            if beginning.channel is not None:
                return beginning.channel
        return None

    def _called(self, place: Place) -> str | None:
        if not self._export.is_packed:
            return None
        for name in reversed(place.folder.split("/")):
            if name and name.lower() not in FOLDERS_OF_LOGS and not name.isdecimal():
                return name
        name = _ARCHIVE.sub("", self._export.name)
        return place_of(name).channel or name
