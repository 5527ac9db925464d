"""Which part of a chat is looked at at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from application.ports.chat_reader import ReadItem
from domain.message import Message

# What belongs together: messages of one conversation that are so near, in time and in the file.
NEAR = timedelta(minutes=3)
NEAR_IN_FILE = 50


class Windows:
    """Times of conversations; those that touch become one."""

    def __init__(self) -> None:
        self._times: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)

    def add(self, conversation_id: UUID, first: int, last: int) -> None:
        self._times[conversation_id].append((first, last))

    def joined(self) -> Iterator[tuple[UUID, int, int]]:
        for conversation_id, times in self._times.items():
            times.sort()
            first, last = times[0]
            for begin, end in times[1:]:
                if begin > last:
                    yield conversation_id, first, last
                    first, last = begin, end
                else:
                    last = max(last, end)
            yield conversation_id, first, last


def last_gap(items: Sequence[ReadItem]) -> int:
    """
    Where to cut so that nothing that could be the same message, or an edit of it, is torn apart.

    The end, less what may belong to what comes next; in a flood without a gap simply the end.
    """
    for cut in range(len(items) - 1, len(items) // 2, -1):
        if is_gap(items, cut):
            return cut
    return len(items)


def is_gap(items: Sequence[ReadItem], cut: int) -> bool:
    after = [item for item in items[cut : cut + NEAR_IN_FILE] if isinstance(item, Message)]
    for item in reversed(items[max(0, cut - NEAR_IN_FILE) : cut]):
        if isinstance(item, Message) and any(
            item.conversation == one.conversation and abs(item.sent_at - one.sent_at) <= NEAR
            for one in after
        ):
            return False
    return True
