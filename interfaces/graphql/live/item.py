"""What subscribers are told: one thing, for as many of them as follow it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from application.context import Context


@dataclass(frozen=True, slots=True)
class Item:
    """
    Args:
        build: makes the value of the subscription's field, when somebody wants it.
        rendered: payloads that were built of it, by what was selected. Whoever yields the same
            thing to several subscribers gives each of them the same dictionary.
    """

    build: Callable[[], object]
    rendered: dict[Hashable, bytes] = field(default_factory=dict)


def may_see(actor: Context, item: Item) -> bool:
    """Asked for each item. Everything, until accounts exist."""
    del actor, item
    return True
