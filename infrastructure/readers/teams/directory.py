"""What an export says about its people, teams, channels, chats and meetings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeGuard

from application.ports.chat_reader import Export, ExportFile, ReadWarning
from domain.message import Conversation, ConversationKind
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import Unparsed
from infrastructure.readers.limits import HELD_WARNINGS
from infrastructure.readers.microsoft.words import listed
from infrastructure.readers.percent import unescaped
from infrastructure.readers.reading import MALFORMED, name_of
from infrastructure.readers.teams.documents import Document
from infrastructure.readers.teams.people import People
from infrastructure.readers.teams.recognition import HEAD, describes_chats, holds_messages
from infrastructure.readers.teams.spelling import flat
from infrastructure.readers.text_stream import sniff

_KEPT = 200_000  # of each: teams, channels, chats
_LONGEST = 1000  # characters of an id or a title; longer ones are none
_HEAD = 4096
_JOIN = re.compile(r"/meetup-join/([^/?]+)")
_DIRECT = re.compile(r"19:([0-9a-f-]{32,36})_([0-9a-f-]{32,36})@unq\.gbl\.spaces", re.IGNORECASE)
_TEAM_FILE = re.compile(r"channels_(.+)\.json")
_CHAT_KINDS: dict[Any, ConversationKind] = {
    "oneOnOne": "direct",
    "group": "group",
    "meeting": "group",
}
# Files that hold no messages, by the beginnings of their names.
_BESIDE = ("teaminstalledapps_", "teamssettings", "groupevents_")


class Directory:
    """Titles by the ids of conversations."""

    def __init__(self) -> None:
        self.people = People()
        self.warnings: list[ReadWarning] = []
        self._teams: dict[str, str] = {}
        self._channels: dict[str, tuple[str, str]] = {}  # by id: of which team, name
        self._chats: dict[str, tuple[str, ConversationKind | None]] = {}  # by id: title, kind

    def explore(self, export: Export) -> list[ExportFile]:
        """Take in all lists; returns the files that may hold messages, in the export's order."""
        if not export.is_packed:
            return list(export.files)
        lists = self._lists()
        others: list[ExportFile] = []
        for file in export.files:
            name = name_of(file).lower()
            if not name.endswith((".json", ".jsonl", ".ndjson")) or name.startswith(_BESIDE):
                continue
            take = next((taker for start, taker in lists if name.startswith(start)), None)
            if take is not None:
                self._take_all(file, take)
                # Exports by other hands have messages in files that are named like lists.
                if holds_messages(sniff(file, HEAD)):
                    others.append(file)
                continue
            others.append(file)
            if not name.startswith("messages") and describes_chats(sniff(file, _HEAD)):
                self._take_all(file, self._take_described)
        return others

    def _lists(self) -> tuple[tuple[str, Callable[[dict[str, Any], ExportFile], None]], ...]:
        return (
            ("teamslist", self._take_team),
            ("channels", self._take_channel),
            ("users", self._take_user),
            ("teammembers", self._take_user),
            ("meetings", self._take_meeting),
            ("chats.", self.take_chat),
            ("chatslist", self.take_chat),
        )

    def _take_all(
        self, file: ExportFile, take: Callable[[dict[str, Any], ExportFile], None]
    ) -> None:
        document = Document(file)
        number = 0
        try:
            for number, raw in document.elements():
                if isinstance(raw, Unparsed):
                    self._warn(ReadWarning(file.name, number, raw.reason))
                    continue
                try:
                    take(flat(raw), file)
                except MALFORMED as error:
                    reason = f"an entry that is not as Teams writes it ({error!r}); left out"
                    self._warn(ReadWarning(file.name, number, reason))
        except BrokenJsonError as error:
            reason = f"{error}; the rest of this file was not read, the others were"
            self._warn(ReadWarning(file.name, number + 1, reason))

    def _warn(self, warning: ReadWarning) -> None:
        if len(self.warnings) < HELD_WARNINGS:
            self.warnings.append(warning)

    def _take_team(self, raw: dict[str, Any], _file: ExportFile) -> None:
        known, name = raw.get("groupsId") or raw.get("id"), raw.get("name", raw.get("displayName"))
        if _is_short(known) and _is_short(name) and len(self._teams) < _KEPT:
            self._teams[known] = name.strip()

    def _take_channel(self, raw: dict[str, Any], file: ExportFile) -> None:
        match = _TEAM_FILE.fullmatch(name_of(file))
        known, name = raw.get("id"), raw.get("displayName")
        if _is_short(known) and _is_short(name) and len(self._channels) < _KEPT:
            self._channels[known] = (match[1] if match else "", name.strip())

    def _take_user(self, raw: dict[str, Any], _file: ExportFile) -> None:
        known = raw.get("id") or raw.get("userId")
        self.people.learn(known, raw.get("displayName") or raw.get("name"))

    def _take_meeting(self, raw: dict[str, Any], _file: ExportFile) -> None:
        subject, online = raw.get("subject"), raw.get("onlineMeeting")
        join = flat(online).get("joinUrl") if isinstance(online, dict) else None
        match = _JOIN.search(join) if isinstance(join, str) else None
        if match and _is_short(subject) and subject.strip() and len(self._chats) < _KEPT:
            self._chats.setdefault(unescaped(match[1]), (subject.strip(), "group"))

    def _take_described(self, raw: dict[str, Any], _file: ExportFile) -> None:
        """Others than chats are messages of one, whose description is read with them."""
        if "chatType" in raw:
            self.take_chat(raw)

    def take_chat(self, raw: dict[str, Any], _file: ExportFile | None = None) -> None:
        """
        A chat as Graph describes it: id, topic, chatType, members.

        Raises:
            TypeError: if its members are no objects.
        """
        known, topic = raw.get("id"), raw.get("topic")
        if not _is_short(known) or len(self._chats) >= _KEPT:
            return
        names: list[str] = []
        for member in raw.get("members") or ():
            person = flat(member)
            self.people.learn(person.get("userId"), person.get("displayName"))
            if _is_short(name := person.get("displayName")) and name:
                names.append(name)
        title = topic.strip() if _is_short(topic) else ""
        self._chats[known] = (title or listed(names), _CHAT_KINDS.get(raw.get("chatType")))

    def channel(self, id: str, team: str) -> Conversation:
        known, name = self._channels.get(id, ("", ""))
        team_name = self._teams.get(team or known, "")
        title = " / ".join(part for part in (team_name, name) if part)
        return Conversation(id, title or id, "channel")

    def chat(self, id: str, names: list[str]) -> Conversation:
        """
        Args:
            names: of those who write in it, for chats without a title.
        """
        title, kind = self._chats.get(id, ("", None))
        match = _DIRECT.fullmatch(id)
        if match is not None:
            known = [self.people.name(one) for one in match.groups()]
            if known != list(match.groups()):
                title = title or ", ".join(known)
            kind = kind or "direct"
        elif id.startswith("48:"):
            title, kind = title or "Notes", "direct"
        elif id.endswith("@thread.tacv2"):
            kind = kind or "channel"
        is_thread = id.startswith("19:")
        title = title or (listed(names) if is_thread else "") or id
        return Conversation(id, title, kind or ("group" if is_thread else "unknown"))


def _is_short(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= _LONGEST
