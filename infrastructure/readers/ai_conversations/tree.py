"""
Who answers whom in a conversation with an AI.

Whoever edits a question or asks for another answer begins a branch. What is shown is one path
through the tree; nothing here recurses, however long it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any


class Tree:
    """
    The messages of one conversation by their ids, in the file's order.

    A parent that is not there is none. Where parents go round in a circle, it is cut.
    """

    def __init__(
        self,
        stated: Mapping[str, Any],
        listed: Mapping[str, Collection[Any]] | None = None,
    ) -> None:
        """
        Args:
            stated: the parent that each message names, if it is a text.
            listed: the children that messages name, in their order. They give a parent only to
                those that name none.
        """
        self.is_circular = False  # complete once all lines were taken
        self.parents: dict[str, str | None] = {
            known: parent
            if isinstance(parent, str) and parent in stated and parent != known
            else None
            for known, parent in stated.items()
        }
        self._children: dict[str, list[str]] = {}
        placed: set[str] = set()
        for parent, children in (listed or {}).items():
            for child in children:
                if not isinstance(child, str) or child not in self.parents or child == parent:
                    continue
                if self.parents[child] is None:
                    self.parents[child] = parent
                if self.parents[child] == parent and child not in placed:
                    placed.add(child)
                    self._children.setdefault(parent, []).append(child)
        for known, above in self.parents.items():
            if above is not None and known not in placed:
                self._children.setdefault(above, []).append(known)

    def leaves(self) -> Iterator[str]:
        """Those that nobody answers."""
        return (known for known in self.parents if known not in self._children)

    def lines(self, current: str | None) -> Iterator[list[str]]:
        """
        Yield first the path that ends at `current`, then every branch, each from its first
        message to its end. A branch that forks goes on with its first child; the others begin
        branches of their own. Parents come before their children.
        """
        path = self._path_to(current)
        seen = set(path)
        yield path
        for known in path:
            for child in self._children.get(known, ()):
                yield from self._branches_from(child, seen)
        for known, parent in self.parents.items():
            if parent is None:
                yield from self._branches_from(known, seen)
        for known in self.parents:
            if known not in seen:
                yield from self._branches_from(self._top_of(known), seen)

    def _path_to(self, current: str | None) -> list[str]:
        path: list[str] = []
        seen: set[str] = set()
        while current is not None and current in self.parents:
            if current in seen:
                self.is_circular = True
                break
            seen.add(current)
            path.append(current)
            current = self.parents[current]
        path.reverse()
        return path

    def _top_of(self, known: str) -> str:
        """The first message on the way to one that hangs on a circle."""
        return self._path_to(known)[0]

    def _branches_from(self, start: str, seen: set[str]) -> Iterator[list[str]]:
        waiting = [start]
        while waiting:
            following: str | None = waiting.pop()
            line: list[str] = []
            while following is not None and following not in seen:
                seen.add(following)
                line.append(following)
                children = self._children.get(following, ())
                waiting.extend(reversed(children[1:]))
                following = children[0] if children else None
            if line:
                yield line
