"""The newest events in memory, sorted once for all who want the same of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from infrastructure.log.frames import EventFrame
from infrastructure.log.groups import Group, Groups, Interest

# What an item costs by itself is estimated; what is rendered of it is counted.
ITEM_BYTES = 1_500
FACTS_FACTOR = 4  # as Python objects they are larger than as JSON
RENDERING_BYTES = 150  # besides its bytes


class Renderings(dict[Hashable, bytes]):
    """What was made of an item once for all subscribers, under keys that say what it is."""

    __slots__ = ("on_kept",)

    def __init__(self, on_kept: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self.on_kept = on_kept  # is told the bytes of each

    def __setitem__(self, key: Hashable, rendered: bytes) -> None:
        super().__setitem__(key, rendered)
        if self.on_kept is not None:
            self.on_kept(len(rendered) + RENDERING_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class FeedItem:
    """An event on its way to whoever follows."""

    frame: EventFrame
    rendered: Renderings = field(default_factory=Renderings)

    @property
    def position(self) -> int:
        return self.frame.position


@dataclass(slots=True, eq=False)
class Place:
    """Of an item in the ring."""

    item: FeedItem
    own_bytes: int
    rendered_bytes: int = 0


class Ring:
    """
    Not thread-safe. Begins empty at a position, and then takes in what somebody wants of the log.

    Args:
        max_bytes: of the items by estimate, with what is rendered of them.
        on_kept: is told of each rendering that is kept: its place, and its bytes. Whoever
            guards the ring passes that on to `kept`.
    """

    def __init__(
        self,
        position: int,
        *,
        max_items: int,
        max_bytes: int,
        on_kept: Callable[[Ring, Place, int], None],
    ) -> None:
        self.reached = position  # everything wanted up to here has been read
        self.bytes = 0
        self._floor = position  # everything after this that has been read is here
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._on_kept = on_kept
        self._places: deque[Place] = deque()
        self._rendered: deque[Place] = deque()  # those that have renderings, longest first
        self._groups: Groups[FeedItem] = Groups(position)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def interest(self) -> Interest:
        """Of all groups."""
        return self._groups.interest

    @property
    def widened(self) -> int:
        """How often somebody came who wanted more than all before him."""
        return self._groups.widened

    def join(self, workspace_id: UUID | None, topics: frozenset[str] | None) -> Group[FeedItem]:
        """
        A group that gets what is asked for, and perhaps more. Whoever joins leaves, too.

        Args:
            workspace_id: None: every workspace, and the instance.
        """
        items = (place.item for place in self._places)
        return self._groups.join(workspace_id, topics, items, self._floor, self.reached)

    def leave(self, group: Group[FeedItem]) -> None:
        self._groups.leave(group)

    def add(self, frames: Iterable[EventFrame], reached: int) -> set[Group[FeedItem]]:
        """
        The next events of those that are wanted, all up to a position. Returns the groups that
        got some of them.
        """
        touched = set()
        for frame in frames:
            place = self._place(frame)
            self._places.append(place)
            self.bytes += place.own_bytes
            for group in self._groups.concerned(place.item):
                group.items.append(place.item)
                touched.add(group)
            self._keep_within()
        self.reached = reached
        return touched

    def kept(self, place: Place, added: int) -> None:
        """Something of an item was rendered, and stays with it."""
        if place.item.rendered.on_kept is None:
            return  # it has left the ring meanwhile
        if not place.rendered_bytes:
            self._rendered.append(place)
        place.rendered_bytes += added
        self.bytes += added
        self._keep_within()

    def _place(self, frame: EventFrame) -> Place:
        place = Place(FeedItem(frame), ITEM_BYTES + FACTS_FACTOR * len(orjson.dumps(frame.facts)))
        place.item.rendered.on_kept = lambda added: self._on_kept(self, place, added)
        return place

    def _keep_within(self) -> None:
        """What was rendered can be rendered again: it goes first."""
        while self._rendered and self.bytes > self._max_bytes:
            self._strip(self._rendered.popleft())
        while len(self._places) > self._max_items or self.bytes > self._max_bytes:
            self._evict()

    def _strip(self, place: Place) -> None:
        self.bytes -= place.rendered_bytes
        place.rendered_bytes = 0
        place.item.rendered.clear()

    def _evict(self) -> None:
        place = self._places.popleft()
        if place.rendered_bytes:
            self._rendered.remove(place)
            self.bytes -= place.rendered_bytes
        place.item.rendered.on_kept = None
        self.bytes -= place.own_bytes
        self._floor = place.item.position
        for group in self._groups.concerned(place.item):
            group.drop(place.item)
