"""Where the messages of one conversation have their places in the tree that they form."""

from __future__ import annotations

from typing import Any

from infrastructure.readers.ai_conversations.documents import unpacked
from infrastructure.readers.ai_conversations.tree import Tree


class Places:
    """
    Messages answer the one that `parent_message_uuid` names. Old exports have no such key: their
    messages answer nobody and have no branches.

    Ask for each message in the file's order, and tell which were yielded.
    """

    def __init__(self, elements: list[Any], leaf: Any) -> None:
        """
        Args:
            elements: of `chat_messages`.
            leaf: where the path that is shown ends; if it is no message's uuid, the last is it.
        """
        self._parents = _parents(elements)
        self._lines: dict[str, int] = {}  # of messages beside the path: the number of the branch
        self._firsts: dict[int, str] = {}  # of branches: the first message that was yielded
        self._yielded: set[str] = set()
        self._answered: dict[str, str | None] = {}
        self.is_circular = False
        if not any(parent in self._parents for parent in self._parents.values()):
            return
        tree = Tree(self._parents)
        last = (
            leaf
            if isinstance(leaf, str) and leaf in self._parents
            else next(reversed(self._parents))
        )
        for number, line in enumerate(tree.lines(last)):
            if number:
                self._lines.update(dict.fromkeys(line, number))
        self.is_circular = tree.is_circular

    def is_told(self, key: Any) -> bool:
        """Whether a message with this key was yielded."""
        return isinstance(key, str) and key in self._yielded

    def branch(self, key: Any) -> str | None:
        """The key of the first message of its branch, which may be itself; None on the path."""
        line = self._lines.get(key) if isinstance(key, str) else None
        return None if line is None else self._firsts.get(line, key)

    def answered(self, raw: dict[str, Any]) -> str | None:
        """The key of the message that it answers; of those above it the nearest that is there."""
        key, parent = raw.get("uuid"), raw.get("parent_message_uuid")
        found: str | None = None
        if isinstance(parent, str) and parent in self._parents and parent != key:
            # One that comes later in the file is trusted to come, unless it answers this one.
            found = self._answered.get(parent, None if self.is_circular else parent)
        if isinstance(key, str):
            self._answered[key] = found
        return found

    def told(self, key: Any) -> None:
        """The message was yielded."""
        if not isinstance(key, str):
            return
        self._yielded.add(key)
        self._answered[key] = key
        line = self._lines.get(key)
        if line is not None:
            self._firsts.setdefault(line, key)


def _parents(elements: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for element in elements:
        raw = unpacked(element)
        if isinstance(raw, dict) and isinstance(key := raw.get("uuid"), str) and key:
            found.setdefault(key, raw.get("parent_message_uuid"))
    return {key: parent if isinstance(parent, str) else None for key, parent in found.items()}
