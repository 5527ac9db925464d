"""Signal's own export: `main.jsonl`, a backup as JSON, one frame a line."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from application.ports.chat_reader import ExportFile, ReadFacts, ReadItem, ReadWarning
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.signal.chat_items import ChatItems
from infrastructure.readers.signal.json_lines import json_lines
from infrastructure.readers.signal.people import People

# Of the account's settings and the like nothing is a message.
_OTHER_FRAMES = frozenset({"stickerPack", "adHocCall", "notificationProfile", "chatFolder"})
FRAMES = _OTHER_FRAMES | {"account", "recipient", "chat", "chatItem"}
_TOLD = 100_000  # conversations remembered as told of; beyond, one may be told of again


class Backup:
    """
    The first line is about the backup as a whole; each other one is a frame of one key, which is
    its kind. People and chats are announced before they are spoken of.
    """

    def __init__(self, file: ExportFile, facts: ReadFacts) -> None:
        self._file = file
        self._facts = facts
        self._people = People()
        self._items = ChatItems(self._people, facts)
        self._told: OrderedDict[str, None] = OrderedDict()
        self._doubles = 0

    def read(self) -> Iterator[ReadItem]:
        repairs = Repairs()
        for one in json_lines(self._file, repairs):
            if isinstance(one, ReadWarning):
                yield one
                continue
            number, line, frame = one
            try:
                item = frame.get("chatItem")
                if item is None:
                    self._announce(frame)
                    continue
                conversation, message = self._items.convert(item, hash(line))
            except MALFORMED as error:
                reason = f"a line that is not as Signal writes it ({error!r})"
                yield self._warning(number, f"{reason[:300]}; skipped")
                continue
            if message is None:
                self._doubles += 1
                continue
            if conversation.id not in self._told:
                yield conversation
                self._told[conversation.id] = None
                if len(self._told) > _TOLD:
                    self._told.popitem(last=False)
            yield message
        yield from self._summary()
        yield from repairs.warnings(self._file.name)

    def _announce(self, frame: dict[str, Any]) -> None:
        if "recipient" in frame:
            self._people.add_recipient(frame["recipient"])
        elif "chat" in frame:
            self._people.add_chat(frame["chat"])
        elif "account" in frame:
            self._people.add_account(frame["account"])
            self._facts.owner = self._people.named_owner
        elif "backupTimeMs" not in frame:
            for name in sorted(frame.keys() - _OTHER_FRAMES):
                count_key(self._facts.unknown_keys, f"frames.{name}")

    def _summary(self) -> Iterator[ReadWarning]:
        if self._people.is_full:
            yield self._warning(None, "more people and chats than can be remembered by name")
        if self._doubles:
            what = "message was" if self._doubles == 1 else "messages were"
            yield self._warning(None, f"{self._doubles} {what} in the file twice and read once")

    def _warning(self, line: int | None, reason: str) -> ReadWarning:
        return ReadWarning(self._file.name, line, reason)
