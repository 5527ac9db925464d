"""Messages that lie in a file newest first come oldest first, if they are few enough to be held."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.limits import MEBIBYTE

_HELD_BYTES = 8 * MEBIBYTE  # parsed, some three times as much
_HELD_ELEMENTS = 50_000

TOO_LARGE = "too large to be turned round: these messages stay as they are, the newest first"

Numbered = tuple[int, Any]  # a line, or an element of a list, counted from 1


class Held(NamedTuple):
    """The beginning of a list of messages, in the file's order."""

    elements: list[Numbered]
    is_whole: bool  # False: there is more
    broken: BrokenJsonError | None  # where the list breaks

    @property
    def next_number(self) -> int:
        return self.elements[-1][0] + 1 if self.elements else 1


def hold(elements: Iterator[Numbered], position: Callable[[], int]) -> Held:
    """
    Take as many as may be held at once.

    Args:
        position: how many bytes of the file were read.
    """
    held: list[Numbered] = []
    begin = position()
    try:
        for one in elements:
            held.append(one)
            if len(held) >= _HELD_ELEMENTS or position() - begin > _HELD_BYTES:
                return Held(held, is_whole=False, broken=None)
    except BrokenJsonError as error:
        return Held(held, is_whole=True, broken=error)
    return Held(held, is_whole=True, broken=None)


def rises(stamps: Iterable[tuple[Hashable, str]]) -> int:
    """
    How much more often a message is later than the one before it in its conversation than
    earlier: below zero for what lies newest first.

    Args:
        stamps: conversations and times, written so that they compare as texts.
    """
    before: dict[Hashable, str] = {}
    balance = 0
    for conversation, stamp in stamps:
        earlier = before.get(conversation)
        if earlier is not None:
            balance += (stamp > earlier) - (stamp < earlier)
        before[conversation] = stamp
    return balance
