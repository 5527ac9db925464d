"""What a message answers, and the forum topic it belongs to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

_WINDOW = 100_000  # messages whose topic is remembered
_GENERAL = "1"  # the topic of all that is in no other


class Topics:
    """
    Of one chat. In a topic, what answers nobody is written as an answer to the notice that
    opened it. The topic General has no such notice; it stands for the chat's first message.
    """

    def __init__(self) -> None:
        self._topics: OrderedDict[str, str] = OrderedDict()  # message -> topic
        self._has_general = False

    def __bool__(self) -> bool:
        """Whether any topic was opened so far."""
        return bool(self._topics)

    def pass_by(self, key: str) -> None:
        """A message outside of all topics."""
        if key == _GENERAL:
            self._has_general = True

    def place(
        self, raw: Mapping[str, Any], key: str, conversation: str
    ) -> tuple[str | None, str | None]:
        """The key of the message answered, and that of the topic."""
        if raw.get("action") == "topic_created":
            self._topics[key] = key
            return None, key
        self.pass_by(key)
        answered = raw.get("reply_to_message_id")
        peer = raw.get("reply_to_peer_id")
        is_elsewhere = peer is not None and str(peer).lstrip("abcdefghijklmnopqrstuvwxyz") != (
            conversation
        )
        reply_to = None if answered is None or is_elsewhere else str(answered)
        topic = None if reply_to is None else self._topics.get(reply_to)
        if topic is None:
            is_message = raw.get("type") != "service"
            if not (self._topics and self._has_general and is_message):
                return reply_to, None
            return (None if reply_to == _GENERAL else reply_to), _GENERAL
        self._topics[key] = topic
        if len(self._topics) > _WINDOW:
            self._topics.popitem(last=False)
        return (None if reply_to == topic else reply_to), topic
