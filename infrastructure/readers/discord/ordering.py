"""Files that begin with the newest message."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, pairwise

from application.ports.chat_reader import ReadItem
from domain.message import Message
from infrastructure.readers.limits import MEBIBYTE

_TURNED_ROUND = 4 * MEBIBYTE  # bytes of files whose messages are held
_HELD = 100_000  # messages and warnings at once; so many of Discord's need more bytes
_LOOKED_AT = 50


def oldest_first(items: Iterator[ReadItem], *, size: int) -> Iterator[ReadItem]:
    """
    The same items; turned round if they come newest first and are few enough to be held.
    Warnings then come last.

    Args:
        size: bytes of the files that the items come from.
    """
    if size > _TURNED_ROUND:
        yield from items
        return
    ahead = list(islice(items, _LOOKED_AT))
    if _are_newest_first(ahead):
        ahead += islice(items, _HELD)
        yield from (item for item in reversed(ahead) if isinstance(item, Message))
        ahead = [item for item in ahead if not isinstance(item, Message)]
    yield from chain(ahead, items)


def _are_newest_first(items: list[ReadItem]) -> bool:
    times = [item.sent_at for item in items if isinstance(item, Message)]
    return len(times) > 1 and times[0] > times[-1] and all(a >= b for a, b in pairwise(times))
