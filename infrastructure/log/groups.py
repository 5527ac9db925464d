"""Who wants the same of the log, and what all of them want together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from infrastructure.log.frames import EventFrame

MAX_GROUPS = 64  # whoever wants yet another thing shares a larger group, and sorts out his own


class Framed(Protocol):
    @property
    def frame(self) -> EventFrame: ...

    @property
    def position(self) -> int: ...


T = TypeVar("T", bound=Framed)


class Interest(NamedTuple):
    """In some workspaces and topics; None: in all of them."""

    workspaces: frozenset[UUID] | None
    topics: frozenset[str] | None

    def covers(self, other: Interest) -> bool:
        return includes(self.workspaces, other.workspaces) and includes(self.topics, other.topics)


NOTHING = Interest(frozenset(), frozenset())


@dataclass(slots=True, eq=False)
class Group(Generic[T]):
    """Those who want the same: of all items, the matching ones."""

    workspace_id: UUID | None
    topics: frozenset[str] | None
    floor: int  # what matches after this position, and has been read, is in `items`
    items: list[T] = field(default_factory=list)
    start: int = 0  # of what is still kept
    members: int = 0

    def after(self, position: int, limit: int) -> Sequence[T]:
        """The next items after a position that is not below the floor."""
        first = bisect_right(self.items, position, lo=self.start, key=lambda item: item.position)
        return self.items[first : first + limit]

    def matches(self, item: T) -> bool:
        return wants(self.workspace_id, self.topics, item.frame)

    def drop(self, item: T) -> None:
        """The oldest item of all, which may be one of ours."""
        if self.start < len(self.items) and self.items[self.start] is item:
            self.start += 1
            self.floor = item.position
            if self.start * 2 > len(self.items):
                del self.items[: self.start]
                self.start = 0


class Groups(Generic[T]):
    """
    Not thread-safe.

    Args:
        position: nothing up to here is asked for.
    """

    def __init__(self, position: int) -> None:
        self.interest = NOTHING
        self.widened = 0
        self._since = position  # what the interest is in was read from here on
        self._groups: dict[UUID | None, dict[frozenset[str] | None, Group[T]]] = {}

    def join(
        self,
        workspace_id: UUID | None,
        topics: frozenset[str] | None,
        items: Iterable[T],
        floor: int,
        reached: int,
    ) -> Group[T]:
        """
        Args:
            items: all that are kept, in order.
            floor: of what was read, everything after this position is kept.
            reached: the position up to which was read.
        """
        group = self._find(workspace_id, topics)
        if group is None and len(self) >= MAX_GROUPS:
            workspace_id = topics = None
            group = self._find(None, None)
        if group is None:
            group = Group(workspace_id, topics, reached)
            self._groups.setdefault(workspace_id, {})[topics] = group
            if self._widen(group, reached):
                group.floor = reached
            else:
                group.floor = max(floor, self._since)
                group.items += [
                    item for item in items if item.position > group.floor and group.matches(item)
                ]
        group.members += 1
        return group

    def leave(self, group: Group[T]) -> None:
        group.members -= 1
        if group.members == 0:
            groups = self._groups[group.workspace_id]
            del groups[group.topics]
            if not groups:
                del self._groups[group.workspace_id]
            self.interest = self._common()

    def concerned(self, item: T) -> Iterator[Group[T]]:
        for workspace_id in {None, item.frame.workspace_id}:
            for group in self._groups.get(workspace_id, {}).values():
                if group.matches(item):
                    yield group

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def _find(self, workspace_id: UUID | None, topics: frozenset[str] | None) -> Group[T] | None:
        return self._groups.get(workspace_id, {}).get(topics)

    def _widen(self, group: Group[T], reached: int) -> bool:
        """Whether nobody has asked for all of this before."""
        own = Interest(one_or_all(group.workspace_id), group.topics)
        if self.interest.covers(own):
            return False
        self.interest, self._since = self._common(), reached
        self.widened += 1
        return True

    def _common(self) -> Interest:
        topics = [group.topics for groups in self._groups.values() for group in groups.values()]
        return Interest(united(map(one_or_all, self._groups)), united(topics))


U = TypeVar("U")


def united(sets: Iterable[frozenset[U] | None]) -> frozenset[U] | None:
    found: set[U] = set()
    for one in sets:
        if one is None:
            return None
        found |= one
    return frozenset(found)


def includes(larger: frozenset[U] | None, smaller: frozenset[U] | None) -> bool:
    return larger is None or (smaller is not None and smaller <= larger)


def one_or_all(workspace_id: UUID | None) -> frozenset[UUID] | None:
    return None if workspace_id is None else frozenset({workspace_id})


def wants(workspace_id: UUID | None, topics: Collection[str] | None, frame: EventFrame) -> bool:
    return workspace_id in {None, frame.workspace_id} and (topics is None or frame.topic in topics)
